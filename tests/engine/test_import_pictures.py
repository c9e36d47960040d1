# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: a shot from folders of pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import picture_files
import pytest
import synthetic

from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframes
from engine.guides import registry as guides
from engine.images.pictures import read_picture, write_picture
from engine.jobs.import_pictures import import_pictures
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

SIZE = (24, 40)
RANDOM = np.random.default_rng(11)


class Report(Silent):
    """Remembers what it is told; asks to stop after some pictures."""

    def __init__(self, stop_after: int = -1) -> None:
        self.stop_after = stop_after
        self.steps: list[tuple[str, float]] = []
        self.warnings: list[str] = []

    def progress(self, step, fraction, seconds_left, text):
        self.steps.append((step, fraction))

    def warned(self, sentence):
        self.warnings.append(sentence)

    def cancelled(self):
        return 0 <= self.stop_after <= len(self.steps)


def random_codes(channels: int = 3, kind: type = np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, (*SIZE, channels)).astype(kind)


def folder_of(folder: Path, frames=(1, 2, 3), pattern: str = "{:04d}.png", channels=3) -> Path:
    for frame in frames:
        synthetic.write_png(folder / pattern.format(frame), random_codes(channels))
    return folder


def run(shot: Path, source: Path, report: Report | None = None, **folders: object) -> dict:
    painted, mask = (str(folders.pop(name, "")) for name in ("painted", "mask"))
    extra = {name: str(folder) for name, folder in folders.items()}
    request = ImportPictures(1, str(shot), str(source), painted, mask, extra, 25.0)
    return import_pictures(request, report or Report())


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_png_comes_byte_for_byte_and_the_rest_is_made(strange_folder):
    source = folder_of(strange_folder / "in put", pattern="Schuß v02_{:03d}.png")
    keys = folder_of(strange_folder / "keys", [2])
    masks = folder_of(strange_folder / "masks", [2], channels=1)
    lines = folder_of(strange_folder / "lines")
    place = strange_folder / "shot ß"
    report = Report()
    result = run(place, source, report, painted=keys, mask=masks, **{"ink lines": lines})
    assert result == {
        "frames": 3,
        "paintings": 1,
        "masks": 1,
        "mattes": 0,
        "guides": ["ink lines"],
        "width": 40,
        "height": 24,
        "fps": 25,
    }
    shot = Shot.open(place)
    assert shot.frames == [1, 2, 3]
    assert (shot.manifest.width, shot.manifest.height) == (40, 24)
    assert (shot.manifest.frame_start, shot.manifest.frame_end, shot.manifest.fps) == (1, 3, 25)
    assert shot.manifest.source["kind"] == "pictures"
    assert shot.manifest.passes == {"image": "pictures"}
    for frame in shot.frames:
        name = f"Schuß v02_{frame:03d}.png"
        assert shot.image_path(frame).read_bytes() == (source / name).read_bytes()
        guide = shot.guide_path("ink lines", frame)
        assert guide.read_bytes() == (lines / f"{frame:04d}.png").read_bytes()
    assert shot.key_path(2).read_bytes() == (keys / "0002.png").read_bytes()
    assert shot.missing_files() == []
    assert [key.frame for key in read_keyframes(shot)] == [2]
    assert guides.available(shot) == ["colour", "guide:ink lines", "gaussians", "projection"]
    assert read_frame(shot, 2).motion is None
    assert report.steps[-1] == ("import", 1.0)
    assert [fraction for _, fraction in report.steps] == sorted(f for _, f in report.steps)
    assert set(contents(place)) == {
        "shot.json",
        *(f"frames/000{n}.png" for n in (1, 2, 3)),
        "keys/0002.png",
        "keys/0002.mask.png",
        *(f"guides/ink lines/000{n}.png" for n in (1, 2, 3)),
    }


@pytest.mark.parametrize("seen", [0, 1])
def test_frames_that_are_all_transparent_are_told(tmp_path, seen):
    for frame in (1, 2, 3):
        pixels = np.full((270, 480, 4), 0.5, np.float32)
        pixels[..., 3] = seen if frame == 2 else 0
        write_picture(tmp_path / "in" / f"{frame:04d}.png", pixels)
    report = Report()
    run(tmp_path / "shot", tmp_path / "in", report)
    told = [text for text in report.warnings if "nothing of them shows" in text]
    assert len(told) == (not seen)


def test_other_formats_become_png(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    smooth = cv2.GaussianBlur(random_codes(), (0, 0), 4)
    assert cv2.imwrite(str(source / "a.0001.jpg"), smooth)
    assert cv2.imwrite(str(source / "a.0002.TIF"), smooth.astype(np.uint16) * 257)
    display = RANDOM.random((*SIZE, 4)).astype(np.float32)
    display[..., 3] = 0.5
    write_picture(source / "a.0003.exr", display)
    write_picture(source / "a.0004.png", display, 16)
    run(tmp_path / "shot", source)
    shot = Shot.open(tmp_path / "shot")
    bits = [read_picture(shot.image_path(frame)).bits for frame in shot.frames]
    assert bits == [8, 16, 16, 16]
    for frame, name in ((1, "a.0001.jpg"), (2, "a.0002.TIF"), (3, "a.0003.exr")):
        here, there = read_picture(shot.image_path(frame)), read_picture(source / name)
        assert np.abs(here.pixels - there.pixels).max() <= 0.5 / 255
    assert np.abs(read_picture(shot.image_path(3)).pixels - display).max() < 4e-3
    assert shot.manifest.passes == {"image": "pictures", "alpha": "pictures"}


def test_paintings_in_exr_stay_exr(tmp_path):
    source = folder_of(tmp_path / "in")
    write_picture(tmp_path / "keys" / "1.exr", np.full((*SIZE, 3), 0.5, np.float32))
    run(tmp_path / "shot", source, painted=tmp_path / "keys")
    assert Shot.open(tmp_path / "shot").key_path(1).name == "0001.exr"


@pytest.mark.parametrize(
    "names", [("input", "output", "mask"), ("video", "keys", "mask"), ("Video", "KEYS", "Mask")]
)
def test_folder_sets_of_few_shot_and_ebsynth(tmp_path, names):
    for name, frames in zip(names, ([1, 2, 3], [1, 3], [1, 3]), strict=True):
        folder_of(tmp_path / "set" / name, frames)
    result = run(tmp_path / "shot", tmp_path / "set")
    assert (result["frames"], result["paintings"], result["masks"]) == (3, 2, 2)


def test_pictures_beside_a_set_are_told(tmp_path):
    folder_of(tmp_path / "set", [1], "cover{}.png")
    frames, report = folder_of(tmp_path / "set" / "video"), Report()
    run(tmp_path / "shot", tmp_path / "set", report)
    assert Shot.open(tmp_path / "shot").frames == [1]
    folder_of(tmp_path / "set" / "keys", [2])
    result = run(tmp_path / "other", tmp_path / "set", report)
    assert (result["frames"], result["paintings"]) == (3, 1)
    assert contents(tmp_path / "other" / "frames") == contents(frames)
    (told,) = report.warnings
    assert "cover1.png is left out" in told


def test_further_folders_of_a_set_are_told(tmp_path):
    folder_of(tmp_path / "set" / "input")
    folder_of(tmp_path / "set" / "output", [1])
    for name in ("normals", "albedo", ".hidden"):
        folder_of(tmp_path / "set" / name)
    (tmp_path / "set" / "logs").mkdir()
    report = Report()
    run(tmp_path / "shot", tmp_path / "set", report)
    (told,) = report.warnings
    assert "the further folders albedo, normals, not read" in told
    assert f"--guide albedo={tmp_path / 'set' / 'albedo'}" in told
    report = Report()
    given = {"albedo": tmp_path / "set" / "albedo"}
    result = run(tmp_path / "other", tmp_path / "set", report, **given)
    assert result["guides"] == ["albedo"]
    assert "the further folder normals, not read" in report.warnings[0]


def test_an_unpainted_copy_of_a_frame_in_another_colour_space_is_no_painting(tmp_path):
    for frame in (1, 2):
        codes = RANDOM.integers(0, 256, (270, 480, 3)).astype(np.uint8)
        chunk = picture_files.chunk(b"cICP", picture_files.P3_BY_NUMBER)
        picture_files.write_png(tmp_path / "in" / f"{frame}.png", codes, chunk)
    run(tmp_path / "shot", tmp_path / "in", painted=tmp_path / "in")
    with pytest.raises(PaintoverError, match="not painted yet"):
        read_keyframes(Shot.open(tmp_path / "shot"))


def test_empty_folders_of_a_set_are_passed_over(tmp_path):
    folder_of(tmp_path / "set" / "video")
    for name in ("keys", "mask"):
        (tmp_path / "set" / name).mkdir()
    result = run(tmp_path / "shot", tmp_path / "set")
    assert (result["frames"], result["paintings"], result["masks"]) == (3, 0, 0)


def test_importing_again_keeps_paintings_as_versions(tmp_path):
    source, keys = folder_of(tmp_path / "in"), folder_of(tmp_path / "keys", [1])
    place = tmp_path / "shot"
    run(place, source, painted=keys)
    shot = Shot.open(place)
    old = shot.key_path(1).read_bytes()
    run(place, source, painted=keys)
    assert not (place / "keys" / "versions").exists()
    shot.manifest.removed_keys = [1, 2]
    shot.save()
    write_picture(place / "keys" / "0001.exr", np.full((*SIZE, 3), 0.5, np.float32))
    exr = (place / "keys" / "0001.exr").read_bytes()
    folder_of(keys, [1])
    run(place, source, painted=keys)
    shot = Shot.open(place)
    assert shot.manifest.removed_keys == [2]
    assert shot.key_path(1).read_bytes() == (keys / "0001.png").read_bytes()
    versions = {path.read_bytes() for path in (place / "keys" / "versions").iterdir()}
    assert versions == {old, exr}


def test_gaps_are_told_and_left_out(tmp_path):
    report = Report()
    run(tmp_path / "shot", folder_of(tmp_path / "in", [1, 2, 5, 9]), report)
    assert Shot.open(tmp_path / "shot").frames == [1, 2, 5, 9]
    (warning,) = report.warnings
    assert "no frames 3-4,6-8" in warning


def test_files_without_a_number_are_told_and_left_out(tmp_path):
    source = folder_of(tmp_path / "in")
    synthetic.write_png(source / "reference.png", random_codes())
    (source / "notes.txt").write_text("1")
    report = Report()
    for name in ("0001.psd", "0004.dpx", "Thumbs.db", ".0005.png"):
        (source / name).write_bytes(b"x")
    assert run(tmp_path / "shot", source, report)["frames"] == 3
    kind, stray = report.warnings
    assert "reference.png is left out" in stray
    assert "0004.dpx is left out" in kind


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_cancel_leaves_everything_as_it_was(tmp_path, stop_after):
    source, keys = folder_of(tmp_path / "in"), folder_of(tmp_path / "keys", [1])
    place = tmp_path / "shot"
    with pytest.raises(Cancelled):
        run(place, source, Report(stop_after), painted=keys)
    assert not Shot.exists(place)
    run(place, source, painted=keys)
    before = contents(place)
    folder_of(source)
    folder_of(keys, [1])
    with pytest.raises(Cancelled):
        run(place, source, Report(stop_after), painted=keys)
    assert contents(place) == before


def sentence(tmp_path: Path, source: Path, **folders: object) -> str:
    with pytest.raises(PaintoverError) as caught:
        run(tmp_path / "shot", source, **folders)
    assert not Shot.exists(tmp_path / "shot")
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_folders_that_are_not_there_or_empty(tmp_path):
    assert f"There is no {tmp_path}/none" in sentence(tmp_path, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "has no pictures" in sentence(tmp_path, tmp_path / "empty")
    source = folder_of(tmp_path / "in")
    assert f"There is no {tmp_path}/none" in sentence(tmp_path, source, painted=tmp_path / "none")
    assert "0001.png is a file; choose" in sentence(tmp_path, source / "0001.png")
    assert "has no pictures" in sentence(tmp_path, source, lines=tmp_path / "empty")


def test_two_pictures_with_one_number(tmp_path):
    source = folder_of(tmp_path / "in")
    folder_of(source, [2], "{:02d}.png")
    text = sentence(tmp_path, source)
    assert "02.png" in text
    assert "0002.png" in text
    assert "frame number 2" in text


def test_sizes_that_do_not_fit(tmp_path):
    source = folder_of(tmp_path / "in")
    wrong = synthetic.write_png(tmp_path / "wrong" / "0002.png", np.zeros((10, 10, 3), np.uint8))
    for folders in ({"painted": wrong.parent}, {"mask": wrong.parent}):
        text = sentence(tmp_path, source, **folders)
        assert f"{wrong} is 10×10" in text
        assert "40×24" in text
    synthetic.write_png(source / "0003.png", np.zeros((10, 10, 3), np.uint8))
    assert "0003.png is 10×10" in sentence(tmp_path, source)


def test_16384_pixels_a_side_are_the_most(tmp_path):
    for shape, fits in (
        ((1, 1), True),
        ((16384, 3), True),
        ((3, 16384), True),
        ((3, 16385), False),
    ):
        source = tmp_path / f"{shape}"
        synthetic.write_png(source / "1.png", np.zeros((*shape, 3), np.uint8))
        if fits:
            assert run(tmp_path / f"shot {shape}", source)["height"] == shape[0]
        else:
            assert "16384 pixels at most" in sentence(tmp_path, source)


def test_paintings_masks_and_guides_that_fit_no_picture(tmp_path):
    source = folder_of(tmp_path / "in", [1, 2, 4])
    keys = folder_of(tmp_path / "keys", [3])
    for folders in ({"painted": keys}, {"mask": keys}, {"lines": keys}):
        text = sentence(tmp_path, source, **folders)
        assert "0003.png is of frame 3" in text
        assert "1-2,4" in text
    lines = folder_of(tmp_path / "lines", [1, 4])
    assert '"lines" in' in sentence(tmp_path, source, lines=lines)
    assert "lacks frames 2" in sentence(tmp_path, source, lines=lines)
    whole = folder_of(tmp_path / "whole", [1, 2, 4])
    assert "cannot be the name of a guide" in sentence(tmp_path, source, **{"../up": whole})


@pytest.mark.parametrize("kind", ["in", "keys", "lines"])
def test_truncated_pictures_are_named_and_change_nothing(tmp_path, kind):
    source, keys = folder_of(tmp_path / "in"), folder_of(tmp_path / "keys")
    lines = folder_of(tmp_path / "lines")
    place = tmp_path / "old"
    run(place, source, painted=keys, lines=lines)
    before = contents(place)
    for folder in (source, keys, lines):
        folder_of(folder)
    broken = tmp_path / kind / "0003.png"
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(PaintoverError, match=r"0003\.png is damaged or cut short"):
        run(place, source, painted=keys, lines=lines)
    assert contents(place) == before
    assert str(broken) in sentence(tmp_path, source, painted=keys, lines=lines)


def test_a_captured_shot_is_not_overwritten(rendered_shot, tmp_path):
    before = contents(rendered_shot.folder)
    with pytest.raises(PaintoverError, match="captured from a scene"):
        run(rendered_shot.folder, folder_of(tmp_path / "in"))
    assert contents(rendered_shot.folder) == before


@pytest.mark.parametrize(
    ("text", "word"), [('{"version": 1, "wid', "damaged"), ('{"version": 99}', "later Paintover")]
)
def test_a_shot_that_cannot_be_read_is_not_overwritten(tmp_path, text, word):
    source, keys = folder_of(tmp_path / "in"), folder_of(tmp_path / "keys", [1])
    place = tmp_path / "shot"
    run(place, source, painted=keys)
    (place / "shot.json").write_text(text)
    before = contents(place)
    with pytest.raises(PaintoverError, match=word):
        run(place, folder_of(tmp_path / "in2"))
    assert contents(place) == before
    (place / "shot.json").unlink()
    run(place, source)
    assert Shot.open(place).key_frames() == [1]


def test_paintings_of_the_earlier_size_are_told(tmp_path):
    place, keys = tmp_path / "shot", folder_of(tmp_path / "keys", [2])
    run(place, folder_of(tmp_path / "in"), painted=keys)
    for frame in (1, 2, 3):
        synthetic.write_png(tmp_path / "wide" / f"{frame}.png", np.zeros((48, 80, 3), np.uint8))
    report = Report()
    run(place, tmp_path / "wide", report)
    (told,) = report.warnings
    assert told.startswith(f"{place / 'keys' / '0002.png'} does not have the size")
    assert "80×48" in told


def test_a_file_is_no_shot_folder(tmp_path):
    source, place = folder_of(tmp_path / "in"), tmp_path / "shot.txt"
    place.write_text("kept")
    with pytest.raises(PaintoverError, match=r"shot\.txt is a file; choose another folder"):
        run(place, source)
    assert place.read_text() == "kept"


def test_a_shorter_import_leaves_nothing_of_the_longer_one(tmp_path):
    source, keys = folder_of(tmp_path / "in", range(1, 7)), folder_of(tmp_path / "keys", [2, 5])
    lines, ink = (folder_of(tmp_path / name, range(1, 7)) for name in ("lines", "ink"))
    place = tmp_path / "shot"
    run(place, source, painted=keys, mask=keys, lines=lines, ink=ink)
    edited = synthetic.write_png(place / "frames" / "0006.png", random_codes())
    for folder in (source, lines):
        for frame in (4, 5, 6):
            (folder / f"{frame:04d}.png").unlink()
    report = Report()
    run(place, source, report, lines=lines)
    shot = Shot.open(place)
    assert shot.frames == [1, 2, 3]
    names = {name for name in contents(place) if not name.startswith("keys/versions")}
    assert names == {
        "shot.json",
        *(f"frames/000{frame}.png" for frame in (1, 2, 3, 6)),
        *(f"guides/lines/000{frame}.png" for frame in (1, 2, 3)),
        *("keys/0002.png", "keys/0002.mask.png", "keys/0005.png"),
    }
    assert [path.suffixes[-2] for path in (place / "keys/versions").iterdir()] == [".mask"]
    assert any(str(edited) in warning for warning in report.warnings)
    assert any("no frames 5 any more" in warning for warning in report.warnings)


def test_pictures_of_other_programs_are_not_overwritten(tmp_path):
    source, place = folder_of(tmp_path / "in"), tmp_path / "project"
    folder_of(place / "frames", [2])
    before = contents(place)
    with pytest.raises(PaintoverError, match=r"0002\.png is in the way"):
        run(place, source)
    with pytest.raises(PaintoverError, match="keeps its own copies"):
        run(place, place / "frames")
    assert contents(place) == before


def test_places_that_cannot_be_written(tmp_path, full_disk):
    source = folder_of(tmp_path / "in")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(PaintoverError, match="Cannot write"):
        run(tmp_path / "file" / "shot", source)
    synthetic.write_png(
        tmp_path / "big" / "1.png", RANDOM.integers(0, 255, (300, 300, 3), np.uint8)
    )
    with pytest.raises(PaintoverError, match="No space left on device"):
        run(full_disk / "shot", tmp_path / "big")
    assert contents(full_disk) == {}
