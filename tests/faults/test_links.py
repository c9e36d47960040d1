# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in a shot folder: none lets anything outside be written; links to another disk work."""

from __future__ import annotations

import dataclasses
import os
import types
from pathlib import Path

import pytest

from benchmarks.faults import links
from benchmarks.faults.counts import contents
from benchmarks.faults.subjects import make_shot
from engine.app.terminal import Terminal
from engine.jobs.import_pictures import alone_in
from engine.shared import files, places
from engine.shared.errors import PaintoverError
from engine.shared.files import append, write_bytes
from engine.shared.locks import held_alone
from engine.shared.places import real_path
from engine.shared.shot import Shot
from engine.shared.trainings import kept
from engine.shared.trainings.record import write_record
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


def test_folders_that_were_moved_to_another_disk_go_on_working(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_known", set())
    shot = make_shot(tmp_path / "shot").folder
    for job in ("preview", "train", "log", "sweep"):
        links.JOBS[job](tmp_path)
    made = ["guides/edges/0001.png", "mattes/matte/0001.png", "mattes/objects-0a1b2c3d/-0001.png"]
    made += ["keys/versions/0001.20260101-120000.png", "styles/ink/live/resume.safetensors"]
    made += ["cache/compositor/ink/0001.png", "out/.DS_Store", "out/look/notes.txt"]
    for path in made:
        write_bytes(shot / path, b"made")
    (shot / "cache" / "compositor-frames").mkdir()
    (shot / "cache" / "compositor-frames" / "0001.png").symlink_to(shot / "frames" / "0001.png")
    (tmp_path / "disk").mkdir()
    for name in ("frames", "guides", "keys", "mattes", "styles", "out", "cache"):
        (shot / name).rename(tmp_path / "disk" / name)
        (shot / name).symlink_to(tmp_path / "disk" / name)
    for path in made:
        write_bytes(shot / path, b"again")
        assert (tmp_path / "disk" / path).read_bytes() == b"again"
    links.JOBS["preview"](tmp_path)
    links.JOBS["log"](tmp_path)


def test_a_shot_beside_the_folders_of_another_is_of_its_own(tmp_path):
    make_shot(tmp_path / "shot")
    inner, disk = make_shot(tmp_path / "shot" / "more" / "second").folder, tmp_path / "disk"
    disk.mkdir()
    (inner / "out").symlink_to(disk)
    write_bytes(inner / "out" / "ink" / "0001.png", b"new")
    assert (disk / "ink" / "0001.png").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("folder", "holds"),
    [
        ("out", "Holiday/0001.png"),
        ("mattes", "Scans/0001.png"),
        ("mattes", "matte/scan.png"),
        ("guides", "Scans/scan.png"),
        ("styles", "Models/model.bin"),
        ("cache", "Holiday/0001.png"),
        ("keys", "versions/notes.txt"),
        ("frames", "holiday.png"),
    ],
)
def test_links_to_what_no_shot_has_are_refused(tmp_path, folder, holds):
    shot = make_shot(tmp_path / "shot").folder
    (tmp_path / "home" / holds).parent.mkdir(parents=True)
    (tmp_path / "home" / holds).write_bytes(b"mine")
    if (shot / folder).is_dir():
        (shot / folder).rename(shot / "before")
    (shot / folder).symlink_to(tmp_path / "home")
    before = contents(tmp_path)
    with pytest.raises(PaintoverError, match="holds other files"):
        write_bytes(shot / folder / holds, b"new")
    assert contents(tmp_path) == before


def test_nothing_is_deleted_through_a_link(tmp_path):
    shot, other = make_shot(tmp_path / "shot"), make_shot(tmp_path / "other")
    links.JOBS["train"](tmp_path)
    (other.folder / "styles").mkdir()
    (shot.folder / "styles" / "ink").rename(other.folder / "styles" / "ink")
    (shot.folder / "styles" / "ink").symlink_to(other.folder / "styles" / "ink")
    shot.style_path("ink").unlink()
    (training,) = kept.read_trainings(shot, "ink").trainings
    kept.kept_path(shot, "ink", training.name).with_suffix(".resume.safetensors").unlink()
    for name in ("20200101-000000", "20200101-000001"):
        record = dataclasses.replace(training.record, style="", began=0.0)
        write_record(kept.record_path(other, "ink", name), record)
    before = contents(other.folder)
    kept.delete_old_trainings(shot, "ink")
    with pytest.raises(PaintoverError, match="is a link"):
        kept.take_back(shot, "ink", training.name)
    assert contents(other.folder) == before
    kept.delete_old_trainings(other, "ink")
    kept.take_back(other, "ink", training.name)
    assert len(contents(other.folder)) < len(before)


def test_nothing_is_imported_through_a_link(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    (tmp_path / "outside").mkdir()
    (shot / ".importing").symlink_to(tmp_path / "outside")
    with pytest.raises(PaintoverError, match="is a link"), alone_in(shot):
        pass
    assert not list(tmp_path.glob("outside/*")) and not (shot / ".importing.lock").exists()


@pytest.mark.parametrize("tag", [0xA0000003, 0xA000000C])
def test_junctions_are_links(tmp_path, monkeypatch, tag):
    shot = make_shot(tmp_path / "shot").folder
    (shot / "out" / "ink").mkdir(parents=True)
    _as_reparse_point(monkeypatch, shot / "out" / "ink", tag)
    with pytest.raises(PaintoverError, match="is a link"):
        write_bytes(shot / "out" / "ink" / "0001.png", b"new")


def test_folders_in_a_cloud_are_no_links(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot").folder
    (shot / "out" / "ink").mkdir(parents=True)
    _as_reparse_point(monkeypatch, shot / "out" / "ink", 0x9000001A)
    write_bytes(shot / "out" / "ink" / "0001.png", b"new")


def _as_reparse_point(monkeypatch, folder, tag):
    """Let Python see what Windows tells of a folder with a tag; other systems have none."""

    def lstat(path):
        found = os.lstat(path)
        if path != folder:
            return found
        return types.SimpleNamespace(st_mode=found.st_mode, st_reparse_tag=tag)

    monkeypatch.setattr(Path, "lstat", lstat)


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


@pytest.mark.parametrize("leads_to", ["there", "nowhere"])
def test_systems_that_follow_links_add_nothing_through_them(tmp_path, monkeypatch, leads_to):
    monkeypatch.delattr(os, "O_NOFOLLOW")  # as on Windows
    (tmp_path / "there").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / leads_to)
    with pytest.raises(OSError, match="link"):
        append(tmp_path / "link", b"new")
    with pytest.raises(PaintoverError, match="link is in the way"), held_alone(tmp_path / "link"):
        pass
    assert contents(tmp_path) == {"there": b"mine"}


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
