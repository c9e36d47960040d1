# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: what is wrong is named in one sentence, and changes nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic
from importing import RANDOM, Report, contents, folder_of, random_codes, run

from engine.images.pictures import write_picture
from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot


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
        assert "480×270" in text
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
    edited = synthetic.write_png(place / "frames" / "0006.png", random_codes()).read_bytes()
    for folder in (source, lines):
        for frame in (4, 5, 6):
            (folder / f"{frame:04d}.png").unlink()
    report = Report()
    run(place, source, report, lines=lines)
    shot = Shot.open(place)
    assert shot.frames == [1, 2, 3]
    names = {name for name in contents(place) if "/versions/" not in name}
    assert names == {
        "shot.json",
        *(f"frames/000{frame}.png" for frame in (1, 2, 3)),
        *(f"guides/lines/000{frame}.png" for frame in (1, 2, 3)),
        *("keys/0002.png", "keys/0002.mask.png", "keys/0005.png"),
    }
    assert [path.suffixes[-2] for path in (place / "keys/versions").iterdir()] == [".mask"]
    assert [path.read_bytes() for path in (place / "frames/versions").iterdir()] == [edited]
    assert any(f"{place / 'frames'} that were changed" in told for told in report.warnings)
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


@pytest.mark.parametrize("what", ["input", "painted", "mask", "lines"])
def test_sources_in_the_folder_of_an_import_are_kept(tmp_path, what):
    source = folder_of(tmp_path / "in")
    own = folder_of(tmp_path / "shot" / ".importing" / "mine")
    before = contents(own)
    with pytest.raises(
        PaintoverError, match="keeps its own copies; choose a shot folder elsewhere"
    ):
        run(tmp_path / "shot", **{"source": source, "source" if what == "input" else what: own})
    assert contents(own) == before


@pytest.mark.skipif(sys.platform == "win32", reason="makes a pipe")
def test_a_pipe_in_place_of_color_spaces_is_told(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setenv("OCIO", str(pipe))
    assert "OCIO names" in sentence(tmp_path, folder_of(tmp_path / "png"))
    write_picture(tmp_path / "in" / "0001.exr", np.zeros((24, 40, 3), np.float32))
    assert "OCIO names" in sentence(tmp_path, tmp_path / "in")
