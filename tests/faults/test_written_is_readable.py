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
from engine.jobs.mattes import remove_mattes
from engine.shared.errors import PaintoverError
from engine.shared.files import append
from engine.shared.keyframes.weights import set_weights
from engine.shared.manifest import MANIFEST_NAME, Camera
from engine.shared.names import check_name
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
    remove_mattes(shot.folder)
    assert (home / "scans" / "0001.png").is_file()
