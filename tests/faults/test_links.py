# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in a shot folder: none lets anything outside be written; links to another disk work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.faults import links
from benchmarks.faults.counts import contents
from benchmarks.faults.subjects import make_shot
from engine.app.terminal import Terminal
from engine.shared import files
from engine.shared.errors import PaintoverError
from engine.shared.files import append, write_bytes
from engine.shared.places import real_path
from engine.shared.shot import Shot
from engine.training.run_log import add_lines

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def test_nothing_outside_is_written_through_a_link(tmp_path):
    counts = links.measure(tmp_path)
    assert (counts.let_in, counts.unforeseen, counts.lost) == ([], [], [])
    assert counts.tried > 60 and counts.refused > 30


def test_a_write_through_a_link_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "check_place", lambda path: None)
    assert links.measure(tmp_path, ["log", "preview"]).let_in


@pytest.mark.parametrize("name", ["frames", "guides", "keys", "mattes", "styles", "out", "cache"])
def test_a_folder_of_a_shot_may_be_a_link_to_an_empty_folder(tmp_path, name):
    shot, disk = make_shot(tmp_path / "shot").folder, tmp_path / "disk"
    disk.mkdir()
    if (shot / name).is_dir():
        (shot / name).rename(shot / "before")
    (shot / name).symlink_to(disk)
    paths = {"frames": "0001.png", "keys": "0002.exr", "styles": "a.safetensors"}
    for path in (paths.get(name, "a/0001.png"), paths.get(name, "b/0001.png")):
        write_bytes(shot / name / path, b"new")
        assert (disk / path).read_bytes() == b"new"
    Shot.open(shot).save()


@pytest.mark.parametrize(
    ("name", "leads_to", "words"),
    [
        ("out", "home", "holds other files, such as notes.txt"),
        ("out/ink", "empty", "through which nothing is written"),
        ("capture", "empty", "through which nothing is written"),
        ("out", "shot/keys", "into a shot folder"),
        ("out", "nowhere", "leads to no folder"),
    ],
)
def test_other_links_are_refused_in_a_sentence(tmp_path, name, leads_to, words):
    shot = make_shot(tmp_path / "shot").folder
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "notes.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    (shot / name).parent.mkdir(exist_ok=True)
    (shot / name).symlink_to(tmp_path / leads_to)
    before = contents(tmp_path)
    for write in (write_bytes, append):
        with pytest.raises(PaintoverError, match=words) as error:
            write(shot / name / "0001.png", b"new")
        assert str(shot / name) in str(error.value) and "; " in str(error.value)
    assert contents(tmp_path) == before


def test_names_with_line_breaks_begin_no_lines(tmp_path, capsys):
    evil = "a\nopenjd_env: KEY=value\r\x1b[2J\u2028b"
    terminal = Terminal("openjd")
    terminal.progress("train", 0.5, 1.0, evil)
    terminal.warned(evil)
    terminal.finished(evil)
    terminal.failed(evil)
    printed = capsys.readouterr()
    lines = (printed.out + printed.err).splitlines()
    assert len(lines) == 7 and not any(line.startswith("openjd_env") for line in lines)
    assert "\x1b" not in printed.out + printed.err
    (tmp_path / "train.log").touch()
    add_lines(tmp_path / "train.log", [evil])
    assert len((tmp_path / "train.log").read_text(encoding="utf-8").splitlines()) == 1


def test_links_in_a_circle_have_a_path(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    (tmp_path / "here").symlink_to(tmp_path)
    assert real_path(one).parent == tmp_path
    assert real_path(one / "keys" / "0001.png").is_relative_to(tmp_path)
    assert real_path(tmp_path / "here" / "0001.png") == tmp_path / "0001.png"


def test_a_folder_of_a_shot_that_is_a_circle_is_refused_in_a_sentence(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    (shot / "out").symlink_to(shot / "out")
    with pytest.raises(PaintoverError, match="leads to no folder"):
        write_bytes(shot / "out" / "ink" / "0001.png", b"new")


@pytest.mark.parametrize("folder", ["engine", "blender_addon"])
def test_links_are_followed_in_one_way(folder):
    """``Path.resolve`` fails where links lead in a circle, which any .blend may name."""
    found = [
        f"{path.name}: {line}"
        for path in (Path(__file__).parents[2] / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if ".resolve()" in line and "__file__" not in line and path.name != "graphics_cards.py"
    ]
    assert found == []
