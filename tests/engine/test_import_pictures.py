# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: a shot from folders of pictures."""

from __future__ import annotations

import cv2
import numpy as np
import picture_files
import pytest
import synthetic
from importing import RANDOM, SIZE, Report, contents, folder_of, random_codes, run

from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframes
from engine.guides import registry as guides
from engine.images.pictures import read_picture, write_picture
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.shot import Shot


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
        "width": 480,
        "height": 270,
        "fps": 25,
    }
    shot = Shot.open(place)
    assert shot.frames == [1, 2, 3]
    assert (shot.manifest.width, shot.manifest.height) == (480, 270)
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
    report = Report()
    run(place, source, report, painted=keys)
    (told,) = report.warnings
    assert f"Paintings or masks in {place / 'keys'} are replaced by others: 1; what was" in told
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
