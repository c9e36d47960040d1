# SPDX-License-Identifier: GPL-3.0-or-later
"""Flicker without a right answer: what is measured, which frames are unsteady, what is noted."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
import shots

from engine.evaluation import flicker_meter, flicker_watch
from engine.evaluation.flicker import flicker
from engine.evaluation.flicker_report import measure_flicker
from engine.jobs import stylize as stylizing
from engine.jobs.stylize import stylize
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.flicker_records import Flicker, describe, read_flickers, unsteady_frames
from engine.shared.manifest import FrameRecord
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

EVERYWHERE = np.ones((64, 96), bool)


def noise() -> np.ndarray:
    pixels = np.random.default_rng(0).random((64, 96, 3)).astype(np.float32)
    return cv2.GaussianBlur(pixels, (0, 0), 1.5) * 0.8


def test_flicker_follows_the_motion():
    image = noise()
    shift = np.float32([[1, 0, 3], [0, 1, -2]])
    moved = cv2.warpAffine(image, shift, (96, 64))
    motion = np.zeros((64, 96, 4), np.float32)
    motion[..., 0], motion[..., 1] = -3, 2
    brighter = moved + np.float32(10 / 255)
    found = flicker((image, brighter), (image, moved), EVERYWHERE, motion)
    assert found == pytest.approx((10, 0), abs=1e-3)
    still = np.zeros_like(motion)
    wrong = flicker((image, moved), (image, moved), EVERYWHERE, still)
    assert wrong is not None
    assert wrong[0] > 3


def test_flicker_counts_only_where_the_truth_is_stable_and_the_motion_known():
    grey = np.full((64, 96, 3), 0.5, np.float32)
    truth_now, now = grey.copy(), grey.copy()
    truth_now[:, :10] += 0.2  # the truth changes here: not counted
    now[:, :10] += 0.4
    truth_now[:, 10:] += 2 / 255
    now[:, 10:] += 6 / 255
    motion = np.zeros((64, 96, 4), np.float32)
    now[:, 90:] = 1
    motion[:, 90:] = np.nan
    found = flicker((grey, now), (grey, truth_now), EVERYWHERE, motion)
    assert found == pytest.approx((6, 2), abs=1e-3)
    assert flicker((grey, now), (grey, truth_now), EVERYWHERE, motion * np.nan) is None


def flickers(*excesses: float) -> dict[int, Flicker]:
    return {frame: Flicker(2 + excess, 2) for frame, excess in enumerate(excesses, 2)}


def test_frames_that_stand_out_are_unsteady():
    assert unsteady_frames({}) == unsteady_frames(flickers(9)) == []
    assert unsteady_frames(flickers(1, 9)) == []
    even = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0]
    assert unsteady_frames(flickers(*even)) == []
    assert unsteady_frames(flickers(*even, 3.0, *even, 2.5)) == [8, 15]
    # Hardly to be seen, however even the others are.
    assert unsteady_frames(flickers(*[1.0] * 9, 1.9)) == []
    # Where all frames differ much, one that differs a little more does not stand out.
    assert unsteady_frames(flickers(0, 4, 8, 2, 6, 9)) == []


def test_what_the_picture_itself_changes_is_no_fault():
    found = {frame: Flicker(2, 1) for frame in range(2, 9)}
    found[5] = Flicker(9, 8)
    assert unsteady_frames(found) == []


def test_the_sentence_names_the_frames():
    assert describe([]) == "No frame is less steady than the others."
    assert describe([7]).startswith("Frame 7 is unsteady; ")
    assert describe([13, 12, 20]).startswith("Frames 12-13, 20 are unsteady; ")


def result(frame: int, brighter: float = 0.0) -> np.ndarray:
    pixels = shots.painting(frame)
    pixels[..., :3] = pixels[..., :3] * 0.6 + brighter
    return pixels


@pytest.fixture(params=[True, False], ids=["exact motion", "estimated motion"])
def shot(request, tmp_path) -> Shot:
    """Eight frames, the fifth of them painted too bright."""
    made = shots.make_shot(tmp_path / "shot", frames=8, passes=request.param)
    made.save()
    for frame in made.frames:
        shots.write_png(made.out_path("style", frame), result(frame, 0.1 * (frame == 5)))
    return made


def test_a_frame_that_jumps_is_unsteady_on_both_its_sides(shot):
    found = measure_flicker(shot, "style")
    assert found.frames[1] is None
    assert found.unsteady == [5, 6]
    for frame, one in found.measured.items():
        jumps = frame in (5, 6)
        assert one.excess == pytest.approx(25 if jumps else 0, abs=4)
    *rows, sentence = found.as_table().splitlines()
    assert [row.split()[0] for row in rows if row.endswith("unsteady")] == ["5", "6"]
    assert sentence.startswith("Frames 5-6 are unsteady")


def test_light_that_changes_in_the_picture_does_not_count(shot):
    for frame in shot.frames:
        light = 0.3 * (frame == 5)
        pixels = shots.picture(frame)
        pixels[..., :3] = pixels[..., :3] * 0.6 + light
        shots.write_png(shot.image_path(frame), pixels)
        shots.write_png(shot.out_path("style", frame), result(frame, light))
    with_light = measure_flicker(shot, "style")
    assert 5 not in with_light.measured or with_light.measured[5].excess < 4
    assert with_light.unsteady == []


def test_nothing_outside_the_mask_counts(shot):
    for frame in shot.frames:
        pixels = result(frame)
        pixels[pixels[..., 3] == 0] = (frame % 2, 0, 0, 0)
        shots.write_png(shot.out_path("style", frame), pixels)
    assert max(one.excess for one in measure_flicker(shot, "style").measured.values()) < 5


def test_what_cannot_be_compared_is_a_sentence(shot):
    for frame in (2, 4, 6, 8):
        shot.out_path("style", frame).unlink()
    with pytest.raises(PaintoverError, match="no two successive frames"):
        measure_flicker(shot, "style")
    shots.write_png(shot.out_path("style", 2), np.zeros((32, 96, 3)))
    with pytest.raises(PaintoverError, match=r"0002\.png is 96×32.*96×64"):
        measure_flicker(shot, "style")


def test_the_command_line_needs_no_truth(shot):
    table = shots.run_warm("score", shot.folder, "--no-truth")
    assert table.returncode == 0, table.stderr
    assert table.stdout.splitlines()[-1].startswith("Frames 5-6 are unsteady")
    data = json.loads(
        shots.run_warm("score", shot.folder, "--no-truth", "--json", "--frames", "3-5").stdout
    )
    assert list(data["frames"]) == ["3", "4", "5"]
    assert data["unsteady"] == [5]
    for wrong in ([], ["--no-truth", "--truth", "x"]):
        assert shots.run_warm("score", shot.folder, *wrong).returncode == 2


def run(shot: Shot, report: Silent | None = None, **more) -> dict:
    request = protocol.Stylize(1, str(shot.folder), device="cpu", **more)
    return stylize(request, report or Silent())


def test_stylizing_notes_flicker_whatever_the_order(trained):
    unsteady = run(trained)["unsteady"]
    assert set(unsteady) <= {2}  # after four steps frame 1, the painting, may stand out
    noted = read_flickers(trained, "style")
    assert sorted(noted) == [2, 3, 4]
    assert measure_flicker(trained, "style").measured == noted
    log = (trained.style_folder("style") / "stylize.log").read_text()
    assert f"frame 3: flicker {noted[3].result:.2f}" in log
    assert describe(unsteady) in log
    run(trained, frames=[4, 2, 3, 1], force=True)
    assert read_flickers(trained, "style") == noted


def test_only_neighbours_that_are_up_to_date_are_compared(trained):
    run(trained, frames=[1, 3])
    assert read_flickers(trained, "style") == {}
    run(trained, frames=[2])
    assert sorted(read_flickers(trained, "style")) == [2, 3]
    pixels = shots.picture(2)
    pixels[..., :3] *= 0.8
    record = trained.manifest.frames[2]
    digest = shots.digest_picture(shots.write_png(trained.image_path(2), pixels))
    trained.manifest.frames[2] = FrameRecord(digest, record.passes)
    trained.save()
    run(trained, frames=[3])
    assert 3 not in read_flickers(trained, "style")
    run(trained, frames=[4])
    assert sorted(read_flickers(trained, "style")) == [2, 4]
    run(trained, frames=[2])
    assert sorted(read_flickers(trained, "style")) == [2, 3, 4]
    run(trained, frames=[2], depth=16)
    assert sorted(read_flickers(trained, "style")) == [4]


@pytest.mark.parametrize(("not_measured", "not_painted"), [(3, (4,)), (4, ()), (2, (4,))])
def test_what_killed_runs_have_not_measured_is_measured_by_the_next(
    trained, not_measured, not_painted
):
    run(trained)
    noted = read_flickers(trained, "style")
    made = trained.out_record_path("style", not_measured).parent
    (made / f"{not_measured:04d}.flicker.json").unlink()
    for frame in not_painted:
        (made / f"{frame:04d}.json").unlink()
    run(trained)
    assert read_flickers(trained, "style") == noted


def test_frames_that_cannot_be_measured_are_not_tried_each_time(trained, monkeypatch):
    run(trained)
    for path in trained.out_record_path("style", 2).parent.glob("*.flicker.json"):
        path.unlink()
    monkeypatch.setattr(flicker_watch, "MOST_MISSED", 2)
    run(trained)
    assert read_flickers(trained, "style") == {}
    run(trained, frames=[3, 4])
    assert sorted(read_flickers(trained, "style")) == [3, 4]


def test_cancelling_keeps_what_was_noted(trained):
    class Stops(Silent):
        done = 0

        def frame_done(self, frame, path):
            self.done += 1

        def cancelled(self):
            return self.done >= 3

    with pytest.raises(Cancelled):
        run(trained, Stops())
    assert sorted(read_flickers(trained, "style")) == [2, 3, 4]


def test_tasks_of_a_farm_note_the_same_flicker(trained, monkeypatch):
    run(trained)
    noted = read_flickers(trained, "style")
    read = []
    looked = flicker_meter.read_frame
    monkeypatch.setattr(
        flicker_meter,
        "read_frame",
        lambda shot, frame, _: read.append(frame) or looked(shot, frame, _),
    )
    for first in ([3, 4], [1, 2]), ([1, 2], [3, 4]):
        shutil.rmtree(trained.out_path("style", 0).parent)
        read.clear()
        for frames in first:
            run(trained, frames=frames)
        assert read_flickers(trained, "style") == noted
        assert len(read) == 1  # at the border between both, only the other's frame


def test_a_small_part_of_a_long_shot_does_not_look_at_the_whole(trained, monkeypatch):
    monkeypatch.setattr(stylizing, "FEW_FRAMES", 0)
    monkeypatch.setattr(stylizing, "MOST_RECORDS", 2)
    looked = []
    monkeypatch.setattr(
        stylizing, "unsteady_frames", lambda found: looked.append(sorted(found)) or []
    )
    run(trained)
    assert looked == [[2, 3, 4]]
    run(trained, frames=[2], force=True)
    assert len(looked) == 1
    run(trained, frames=[2, 3], force=True)
    assert looked[1:] == [[2, 3, 4]]
    assert read_flickers(trained, "style", [3, 9]).keys() == {3}
