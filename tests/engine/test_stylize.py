# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizing small real shots with a small network."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import shots
import synthetic

from engine.images.pictures import read_picture
from engine.images.window import Window
from engine.inference.input_builder import InputBuilder
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.flicker_records import read_flickers
from engine.shared.freshness import Step, out_state
from engine.shared.keyframes.weights import set_weights
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


class Report(Silent):
    def __init__(self, stop_after: int = -1) -> None:
        self.done: list[int] = []
        self.warnings: list[str] = []
        self._stop_after = stop_after

    def frame_done(self, frame, path):
        assert path.is_file()
        self.done.append(frame)

    def warned(self, sentence):
        self.warnings.append(sentence)

    def cancelled(self):
        self._stop_after -= 1
        return self._stop_after == -1


@pytest.fixture(scope="module")
def ready(tmp_path_factory) -> Path:
    shot = synthetic.make_shot(tmp_path_factory.mktemp("ready") / "shot", frames=4)
    synthetic.paint(shot, 1)
    train(protocol.Train(1, str(shot.folder), steps=10, network="small", device="cpu"), Silent())
    return shot.folder


@pytest.fixture
def shot(ready, tmp_path) -> Shot:
    shutil.copytree(ready, tmp_path / "shot")
    return Shot.open(tmp_path / "shot")


def run(shot: Shot, report: Silent | None = None, **more):
    request = protocol.Stylize(1, str(shot.folder), device="cpu", **more)
    return stylize(request, report or Silent())


def files(shot: Shot) -> dict[str, tuple[bytes, int]]:
    found = sorted((shot.folder / "out").rglob("*.png"))
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def test_large_frames_are_painted_in_bands_as_they_would_be_whole(shot, monkeypatch):
    def pictures() -> list[np.ndarray]:
        return [read_picture(shot.out_path("style", frame)).pixels for frame in shot.frames]

    run(shot)
    whole, flickers = pictures(), read_flickers(shot, "style")
    monkeypatch.setattr("engine.images.window.LARGE", 1000)
    monkeypatch.setattr("engine.images.window.BAND", 16 * synthetic.WIDTH)
    parts: list[Window] = []
    real = InputBuilder.build

    def build(self, frame):
        parts.append(frame.window)
        return real(self, frame)

    monkeypatch.setattr(InputBuilder, "build", build)
    run(shot, force=True)
    assert len(parts) == 4 * len(shot.frames)
    for one, other in zip(whole, pictures(), strict=True):
        assert np.abs(one - other).max() <= 1 / 255
    halved = read_flickers(shot, "style")
    assert halved.keys() == flickers.keys()
    for frame, flicker in flickers.items():
        assert halved[frame].picture == pytest.approx(flicker.picture, abs=3)


def test_the_order_of_frames_does_not_matter(shot):
    report = Report()
    result = run(shot, report, frames=[3, 1, 4, 2, 3])
    assert (result["frames"], result["skipped"]) == (4, 0)
    assert report.done == [3, 1, 4, 2]
    backwards = files(shot)
    run(shot, frames=[4], force=True)
    run(shot, frames=[1, 2, 3], force=True)
    assert {k: v[0] for k, v in files(shot).items()} == {k: v[0] for k, v in backwards.items()}
    assert out_state(shot, "style").step is Step.UP_TO_DATE


def test_only_what_is_not_up_to_date_is_done(shot):
    run(shot)
    before = files(shot)
    assert run(shot)["skipped"] == 4
    assert files(shot) == before
    shot.out_path("style", 2).write_bytes(b"damaged")
    synthetic.write_png(shot.image_path(3), np.rint(synthetic.picture(2) * 255).astype(np.uint8))
    report = Report()
    assert run(shot, report)["frames"] == 2
    assert report.done == [2, 3]
    assert run(shot, force=True)["frames"] == 4


def test_a_retouched_frame_is_kept_when_it_is_painted_anew(shot, monkeypatch):
    run(shot)
    path, versions = shot.out_path("style", 2), shot.out_path("style", 2).parent / "versions"
    synthetic.write_png(path, np.full((synthetic.HEIGHT, synthetic.WIDTH, 3), 90, np.uint8))
    retouched = path.read_bytes()
    assert run(shot)["skipped"] == 4 and path.read_bytes() == retouched
    report = Report()
    run(shot, report, force=True)
    (version,) = versions.iterdir()
    assert version.name.startswith("0002.") and version.read_bytes() == retouched
    assert path.read_bytes() != retouched
    (warning,) = report.warnings
    assert warning.endswith(f"are painted anew: 2; what was there is in {versions}.")
    assert out_state(shot, "style").step is Step.UP_TO_DATE

    with shots.killed_before_a_record(monkeypatch):
        run(shot, frames=[3], force=True)
    assert out_state(shot, "style").step is Step.OUT_OF_DATE
    shot.out_path("style", 4).write_bytes(b"damaged")
    run(shot, report, force=True)
    assert list(versions.iterdir()) == [version] and len(report.warnings) == 1


def retouch(shot: Shot, frame: int = 2, value: int = 90) -> bytes:
    path = shot.out_path("style", frame)
    synthetic.write_png(path, np.full((synthetic.HEIGHT, synthetic.WIDTH, 3), value, np.uint8))
    return path.read_bytes()


def versions(shot: Shot) -> list[bytes]:
    return [path.read_bytes() for path in shot.out_path("style", 0).parent.glob("versions/*")]


def change_record(shot: Shot, frame: int, **fields) -> None:
    path = shot.out_record_path("style", frame)
    data = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not None}))


@pytest.mark.parametrize("damaged", [b"", b"{}", b'{"file": "0002.png"'])
def test_a_damaged_record_makes_no_version_of_the_same_picture(shot, damaged):
    run(shot)
    shot.out_record_path("style", 2).write_bytes(damaged)
    assert run(shot)["frames"] == 1
    assert versions(shot) == []
    retouched = retouch(shot)
    shot.out_record_path("style", 2).write_bytes(damaged)
    run(shot)
    assert versions(shot) == [retouched]


def test_a_retouched_frame_outlasts_another_format(shot):
    run(shot)
    retouched = retouch(shot)
    run(shot, format="exr")
    run(shot)
    assert versions(shot) == [retouched]
    run(shot, format="exr")
    assert versions(shot) == [retouched]


def test_a_frame_that_is_retouched_after_a_full_disk_is_kept(shot, monkeypatch):
    run(shot)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(PaintoverError, match="free some space"):
            run(shot, frames=[2], force=True)
    run(shot)
    assert versions(shot) == []
    real = Path.replace

    def full_of_pictures(path, target):
        return full() if ".png" in path.name else real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_of_pictures)
        with pytest.raises(PaintoverError, match="free some space"):
            run(shot, frames=[2], force=True)
    retouched, report = retouch(shot), Report()
    run(shot, report)
    assert versions(shot) == [retouched] and "anew: 2" in report.warnings[0]


@pytest.mark.parametrize("loses", ["nothing", "digests", "record", "another format"])
def test_a_frame_that_is_retouched_after_a_kill_is_kept(shot, monkeypatch, loses):
    run(shot)
    format = "exr" if loses == "another format" else "png"
    with shots.killed_before_a_record(monkeypatch):
        run(shot, frames=[2], force=True, format=format)
    retouched = retouch(shot)
    if loses == "digests":
        change_record(shot, 2, pictures={})
    if loses == "record":
        shot.out_record_path("style", 2).unlink()
    run(shot)
    assert versions(shot) == [retouched]


def test_a_killed_run_makes_no_versions_of_its_own_work(shot, monkeypatch):
    run(shot, frames=[1])
    for frame in (1, 2):  # one that is there, one that is not
        for depth in (16, 8):
            with shots.killed_before_a_record(monkeypatch):
                run(shot, frames=[frame], depth=depth, force=True)
    real = Path.replace

    def killed(path, target):
        if Path(target) == shot.out_path("style", 1):
            raise KeyboardInterrupt
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(shot, frames=[1], depth=16, force=True)
    run(shot)
    assert versions(shot) == []


def test_a_run_that_fails_tells_which_retouched_frames_it_has_kept(shot, monkeypatch):
    run(shot)
    retouched, report = retouch(shot), Report()
    with shots.killed_before_a_record(monkeypatch):
        run(shot, report, frames=[2], force=True)
    assert versions(shot) == [retouched] and "anew: 2" in report.warnings[0]
    run(shot, report)
    assert versions(shot) == [retouched] and len(report.warnings) == 1


def test_frames_of_earlier_versions_that_noted_no_pictures_count_as_ours(shot):
    run(shot)
    run(shot, format="exr")
    for frame in shot.frames:
        change_record(shot, frame, pictures=None)
    run(shot)
    run(shot, format="exr", force=True)
    assert versions(shot) == []
    change_record(shot, 2, pictures=None, file="0002.png", written="0" * 32)
    retouched = retouch(shot)
    run(shot, frames=[2], force=True)
    assert versions(shot) == [retouched]


def test_other_settings_are_other_frames(shot):
    run(shot, frames=[1])
    assert run(shot, frames=[1], depth=16)["frames"] == 1
    assert read_picture(shot.out_path("style", 1)).bits == 16
    assert run(shot, frames=[1], depth=16)["skipped"] == 1
    assert run(shot, frames=[1], format="exr")["frames"] == 1
    assert run(shot, frames=[1], format="exr", depth=16)["skipped"] == 1
    painted = read_picture(shot.out_path("style", 1, ".exr")).pixels
    codes = read_picture(shot.out_path("style", 1)).pixels
    seen = codes[..., 3] > 0.5
    assert np.abs(painted - codes)[seen].max() < 0.01


def test_another_light_is_other_frames(shot):
    run(shot)
    as_learnt = files(shot)
    assert run(shot, light=0.5)["skipped"] == 4
    assert run(shot, light=0.0)["frames"] == 4
    assert files(shot)["0003.png"][0] != as_learnt["0003.png"][0]
    assert out_state(shot, "style", 0.0).step is Step.UP_TO_DATE
    assert out_state(shot, "style", 0.5).step is Step.OUT_OF_DATE
    run(shot)
    assert {k: v[0] for k, v in files(shot).items()} == {k: v[0] for k, v in as_learnt.items()}


def test_weights_choose_the_painting_at_each_frame(shot):
    inverted = synthetic.picture(4)
    inverted[..., :3] = 1 - inverted[..., :3]
    codes = np.rint(inverted * 255).astype(np.uint8)
    synthetic.write_png(shot.key_path(4), codes)
    train(protocol.Train(1, str(shot.folder), steps=2, network="small", device="cpu"), Silent())
    run(shot, light=0.0)
    both = files(shot)
    set_weights(shot, {1: {2: 1.0, 3: 0.0}, 4: {2: 0.0, 3: 1.0}})
    report = Report()
    run(shot, report, light=0.0)
    assert report.done == [1, 2, 3, 4]
    left, top, right, bottom = synthetic.bounds(2)
    inside = (slice(top + 6, bottom - 6), slice(left + 6, right - 6))

    def inner(frame: int) -> np.ndarray:
        return read_picture(shot.out_path("style", frame)).rgb

    ours = synthetic.picture(2)[..., [1, 2, 0]]
    assert np.abs(inner(2) - ours)[inside].mean() < 0.05
    assert np.abs(inner(3) - (1 - synthetic.picture(3)[..., :3]))[inside].mean() < 0.05
    set_weights(shot, {1: {}, 4: {}})
    run(shot, light=0.0)
    assert {k: v[0] for k, v in files(shot).items()} == {k: v[0] for k, v in both.items()}


def test_alpha_is_the_frame_s(shot):
    run(shot, frames=[2])
    alpha = read_picture(shot.image_path(2)).pixels[..., 3]
    assert np.array_equal(read_picture(shot.out_path("style", 2)).pixels[..., 3], alpha)


def test_cancelling_leaves_whole_frames(shot):
    report = Report(stop_after=1)
    with pytest.raises(Cancelled):
        run(shot, report)
    assert report.done == [1, 2]
    assert sorted(files(shot)) == ["0001.png", "0002.png"]
    assert run(shot)["skipped"] == 2


def test_a_missing_frame_in_the_middle_is_a_sentence(shot):
    shot.image_path(3).unlink()
    report = Report()
    with pytest.raises(PaintoverError, match="0003"):
        run(shot, report)
    assert report.done == [1, 2]
    with pytest.raises(PaintoverError, match="frame 9"):
        run(shot, frames=[1, 9])


def test_a_missing_painting_is_a_sentence(shot):
    shot.key_path(1).unlink()
    with pytest.raises(PaintoverError, match=r"0001\.png.*missing"):
        run(shot)


def test_a_shot_that_lacks_a_guide_is_a_sentence(shot):
    del shot.manifest.passes["normal"]
    shot.save()
    with pytest.raises(PaintoverError, match="normal"):
        run(shot)


def test_a_repainted_keyframe_is_told_and_used(shot):
    report = Report()
    run(shot, report, frames=[2])
    assert report.warnings == []
    before = files(shot)["0002.png"][0]
    pixels = np.rint(synthetic.picture(1) * 255).astype(np.uint8)[..., [2, 1, 0, 3]] // 2
    pixels[..., 3] *= 2
    synthetic.write_png(shot.key_path(1), pixels)
    assert run(shot, report, frames=[2])["frames"] == 1
    assert "Keyframe 1 has changed" in report.warnings[0]
    assert files(shot)["0002.png"][0] != before


@pytest.mark.parametrize(
    "more", [{"format": "jpg"}, {"depth": 12}, {"style": "none"}, {"light": 1.5}]
)
def test_impossible_requests_are_sentences(shot, more):
    with pytest.raises(PaintoverError):
        run(shot, **more)
    assert not (shot.folder / "out").exists()
