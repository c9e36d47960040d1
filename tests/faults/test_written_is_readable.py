# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is written that would not be read again, nor through hard links or folders of others."""

from __future__ import annotations

import dataclasses
import math
import os

import pytest

from benchmarks.faults.subjects import make_shot, picture
from engine.app.arguments import build_parser
from engine.app.cli import main
from engine.images.pictures import write_picture
from engine.jobs import import_pictures
from engine.jobs.mattes import remove_mattes
from engine.shared import checked, journal, reading
from engine.shared.errors import DamagedError, PaintoverError
from engine.shared.files import append
from engine.shared.keyframes.weights import set_weights
from engine.shared.manifest import MANIFEST_NAME, Camera, FrameRecord
from engine.shared.names import check_name
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fps", math.nan),
        ("fps", 1e300),
        ("weights", {1: {10**9: 0.5}}),
        ("removed_keys", [10**12]),
        ("source", {"kind": "pictures", "input": "a\udc80"}),
        ("guides", ["../x"]),
        ("owner", {"blend": "a\0b"}),
        ("matte", "a/b"),
    ],
)
def test_a_manifest_that_would_not_be_read_is_not_written(tmp_path, field, value):
    shot = make_shot(tmp_path / "shot")
    before = (shot.folder / MANIFEST_NAME).read_bytes()
    shot.manifest = dataclasses.replace(shot.manifest, **{field: value})
    with pytest.raises(PaintoverError, match="stays as it was") as error:
        shot.save()
    assert MANIFEST_NAME in str(error.value) and "\n" not in str(error.value)
    assert (shot.folder / MANIFEST_NAME).read_bytes() == before
    Shot.open(shot.folder)


def test_a_camera_without_numbers_is_told_and_hides_no_frame(tmp_path):
    shot = make_shot(tmp_path / "shot")
    shot.manifest.frames[2].camera = Camera([math.nan] * 16)
    for write in (lambda: shot.note_frame(2), shot.save):
        with pytest.raises(PaintoverError, match="stays as it was"):
            write()
    assert Shot.open(shot.folder).frames == [1, 2, 3]


def _records(count, camera):
    record = FrameRecord("0" * 32, "1" * 32, "2" * 32, camera)
    return dict.fromkeys(range(1, count + 1), record)


@pytest.mark.parametrize(
    "camera, most",
    [(None, 160_000), (Camera([-1.2345678901234567e-05] * 16, name="Camera"), 40_000)],
)
def test_so_many_frames_are_read_again_and_more_are_not_written(tmp_path, camera, most):
    shot = make_shot(tmp_path / "shot")
    shot.manifest.frames = _records(most, camera)
    shot.save()
    opened = Shot.open(shot.folder)
    assert opened.frames == shot.frames
    before = (shot.folder / MANIFEST_NAME).read_bytes()
    opened.manifest.frames = _records(5 * most // 4, camera)
    with pytest.raises(PaintoverError, match="too long to be read again") as error:
        opened.save()
    assert str(shot.folder / MANIFEST_NAME) in str(error.value)
    assert (shot.folder / MANIFEST_NAME).read_bytes() == before


@pytest.fixture(params=[(1200, 1 << 20), (10**6, 20_000)])
def short(request, monkeypatch):
    """Shorter bounds of values, or of bytes."""
    monkeypatch.setattr(checked, "_MOST_VALUES", request.param[0])
    monkeypatch.setattr(reading, "MOST_JSON", request.param[1])
    monkeypatch.setattr(journal, "MOST_JSON", request.param[1])
    monkeypatch.setattr(journal, "MOST_LINES", 20)
    monkeypatch.setattr(journal, "_LONG", 80 * 20)


@pytest.mark.parametrize("way", ["save", "note_frame"])
def test_all_that_is_written_is_read_up_to_the_bound(tmp_path, short, way):
    shot = make_shot(tmp_path / "shot")
    for frame in range(4, 1000):
        shot.manifest.frames[frame] = FrameRecord("0" * 32, camera=Camera([1 / frame] * 16))
        try:
            shot.save() if way == "save" else shot.note_frame(frame)
        except PaintoverError as error:
            assert "too long to be read again" in str(error)
            break
        assert Shot.open(shot.folder).manifest.frames.keys() == shot.manifest.frames.keys()
    assert 20 < frame < 200
    assert set(Shot.open(shot.folder).frames) >= set(range(1, frame))


def test_two_that_add_more_than_is_read_are_told(tmp_path, short):
    shot = make_shot(tmp_path / "shot")
    sides = [Shot.open(shot.folder), Shot.open(shot.folder)]
    for number, side in enumerate(sides):
        for frame in range(100 + 100 * number, 128 + 100 * number):
            side.manifest.frames[frame] = FrameRecord("0" * 32, camera=Camera([1 / 3] * 16))
    sides[0].save()
    with pytest.raises(PaintoverError, match="too long to be read again"):
        sides[1].save()
    assert Shot.open(shot.folder).frames == sides[0].frames


def test_too_many_pictures_are_told_before_they_are_converted(tmp_path, short, monkeypatch):
    for frame in range(1, 400):
        (tmp_path / "in").mkdir(exist_ok=True)
        write_picture(tmp_path / "in" / f"{frame:04d}.png", picture(1)[:4, :4])
    monkeypatch.setattr(import_pictures, "copy_all", None)
    request = ImportPictures(1, str(tmp_path / "new"), str(tmp_path / "in"), "", "", {}, 25.0)
    with pytest.raises(PaintoverError, match="too long to be read again"):
        import_pictures.import_pictures(request, Silent())
    assert not (tmp_path / "new").exists()


def test_a_manifest_of_too_many_frames_is_no_damaged_one(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot")
    monkeypatch.setattr(checked, "_MOST_VALUES", 20)
    with pytest.raises(PaintoverError, match="too long to be read") as error:
        Shot.open(shot.folder)
    assert not isinstance(error.value, DamagedError)


@pytest.mark.parametrize("record", [FrameRecord("a/b"), FrameRecord("", camera=Camera([1.0] * 15))])
def test_a_record_that_would_not_be_read_is_not_written(tmp_path, record):
    shot = make_shot(tmp_path / "shot")
    shot.manifest.frames[2] = record
    for write in (lambda: shot.note_frame(2), shot.save):
        with pytest.raises(PaintoverError, match="stays as it was"):
            write()
    assert Shot.open(shot.folder).frames == [1, 2, 3]


def test_weights_beyond_the_last_frame_are_refused(tmp_path):
    shot = make_shot(tmp_path / "shot")
    with pytest.raises(PaintoverError, match="last frame is"):
        set_weights(shot, {1: {99999999999: 0.5}})
    Shot.open(shot.folder)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "shot", "--seed", "1" + "0" * 30],
        ["train", "shot", "--steps", "9" * 5000],
        ["train", "shot", "--seconds", "1e300"],
        ["import", "shot", "--input", "a", "--fps", "1e-320"],
    ],
)
def test_numbers_that_would_not_come_back_are_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        build_parser().parse_args(words)
    assert end.value.code == 2
    assert len(capsys.readouterr().err.split("error: ")[1]) < 200


def test_a_weight_at_a_number_that_is_no_frame_is_refused(tmp_path, capsys):
    shot = make_shot(tmp_path / "shot")
    before = dict(shot.manifest.weights)
    assert main(["weights", str(shot.folder), f"1=0.5@{'9' * 5000}"]) in (1, 2)
    assert 0 < len(capsys.readouterr().err.splitlines()[-1]) < 300
    assert Shot.open(shot.folder).manifest.weights == before


def test_names_that_no_file_system_holds_are_refused():
    check_name("é" * 100, "style")
    with pytest.raises(PaintoverError, match="too long"):
        check_name("é" * 101, "style")


@pytest.mark.skipif(not hasattr(os, "link"), reason="there are no hard links here")
def test_a_log_with_a_second_name_elsewhere_is_copied_first(tmp_path):
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine\n")
    log = make_shot(tmp_path / "shot").folder / "train.log"
    os.link(mine, log)
    append(log, b"line\n")
    append(log, b"line\n")
    assert (mine.read_bytes(), log.read_bytes()) == (b"mine\n", b"mine\nline\nline\n")
    assert [path.name for path in log.parent.glob(".*")] == []


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_mattes_in_the_folder_of_someone_else_are_not_deleted(tmp_path):
    shot = make_shot(tmp_path / "shot")
    home = tmp_path / "home"
    write_picture(home / "scans" / "0001.png", picture(1))
    (home / "notes.txt").write_text("mine")
    (shot.folder / "mattes").symlink_to(home)
    shot.manifest.matte = "scans"
    shot.save()
    remove_mattes(shot.folder, Silent())
    assert (home / "scans" / "0001.png").is_file()
