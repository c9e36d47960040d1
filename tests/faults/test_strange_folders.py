# SPDX-License-Identifier: GPL-3.0-or-later
"""What someone else may have put into a shot folder in a shape that a shot never has."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.subjects import make_shot
from engine.app.cli import main
from engine.jobs.train import train
from engine.shared import coverage_records, folders, journal
from engine.shared.errors import LaterVersionError
from engine.shared.files import digest_file
from engine.shared.keyframes.versions import put_painting, versions_of
from engine.shared.out_records import read_record
from engine.shared.protocol import Train
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import METADATA_KEY
from engine.shared.temporary import remove_leftovers
from engine.shared.trainings import kept
from engine.shared.trainings.record import RUNNING, TrainingRecord, write_record

WITH_ENGINE = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def make_deep(folder: Path, depth: int = 1200) -> None:
    """Make folders in folders, more than Python's functions call themselves."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_deep_folders_stop_nothing_and_can_be_deleted(tmp_path):
    shot = make_shot(tmp_path / "shot")
    (shot.folder / "cache").mkdir(exist_ok=True)
    make_deep(shot.folder / "cache")
    left = shot.folder / "keys" / f".0001.png.{'0a' * 8}.tmp"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    remove_leftovers(shot.folder)
    assert not left.exists()
    assert main(["status", str(shot.folder)]) == 0
    folders.remove_tree(shot.folder / "cache")
    assert not (shot.folder / "cache").exists()


def test_links_are_not_entered_and_their_targets_stay(tmp_path):
    mine, strange = tmp_path / "mine", tmp_path / "strange"
    for folder in (mine, strange):
        folder.mkdir()
        (folder / "file").touch()
    (strange / "link").symlink_to(mine)
    assert [place for place, _, _ in folders.walk(strange)] == [strange]
    folders._remove_deep(strange)
    assert not strange.exists() and (mine / "file").exists()


@pytest.mark.parametrize("line", [b"", b'{"frame": 1', b"[[[[[[[["])
def test_a_journal_of_countless_bad_lines_is_given_up(tmp_path, monkeypatch, line):
    shot = make_shot(tmp_path / "shot")
    read = []
    parse = journal.parse_json
    monkeypatch.setattr(journal, "parse_json", lambda text: read.append(1) or parse(text))
    head = digest_file(shot.folder / "shot.json").encode() + b"\n"
    (shot.folder / journal.JOURNAL_NAME).write_bytes(head + (line + b"\n") * (1 << 20))
    assert Shot.open(shot.folder).frames == shot.frames
    assert len(read) == journal.MOST_TORN + 1


def test_of_countless_trainings_the_newest_are_read(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot")
    folder = shot.trainings_folder("style")
    record = TrainingRecord(0.0, RUNNING, "fast", {}, "")
    for second in range(100):
        write_record(folder / f"20260101-00{second // 60:02}{second % 60:02}.json", record)
    found = kept.read_trainings(shot, "style").trainings
    assert {one.name for one in found} == {
        f"20260101-00{second // 60:02}{second % 60:02}"
        for second in range(100 - kept.MOST_RECORDS, 100)
    }
    large = dataclasses.replace(record, trained_on=dict.fromkeys(range(40000), "0a"))
    for second in range(20):
        write_record(folder / f"20260102-0000{second:02}.json", large)
    size = (folder / "20260102-000000.json").stat().st_size
    found = kept.read_trainings(shot, "style").trainings
    assert len(found) == kept.MOST_RECORD_BYTES // size > 1
    assert found[-1].name == f"20260102-0000{20 - len(found):02}"


def test_a_style_of_a_later_version_is_not_replaced(tmp_path):
    shot = make_shot(tmp_path / "shot")
    path = shot.style_path("style")
    header = json.dumps({"__metadata__": {METADATA_KEY: json.dumps({"version": 99})}}).encode()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    before = path.read_bytes()
    with pytest.raises(LaterVersionError, match="update Paintover, or train a style of another"):
        train(Train(0, str(shot.folder), "style", steps=1), Silent())
    assert path.read_bytes() == before
    assert not list(shot.trainings_folder("style").glob("*"))


def test_a_coverage_without_frames_does_not_count(tmp_path):
    shot = make_shot(tmp_path / "shot")
    coverage = coverage_records.Coverage(0.0, {1: 0.5}, [], [], [], coverage_records.SURFACE, "")
    coverage_records.write_coverage(shot, coverage)
    assert coverage_records.read_coverage(shot) == coverage
    path = next((shot.folder / "cache").rglob("coverage.json"))
    path.write_text(path.read_text().replace('{"1": 0.5}', "{}"))
    assert coverage_records.read_coverage(shot) is None


@pytest.mark.parametrize("seconds", [3e11, 9e9 * 60, -1e9])
def test_files_of_any_date_are_kept_as_versions(tmp_path, seconds):
    shot = make_shot(tmp_path / "shot")
    key, other = shot.folder / "keys/0001.png", tmp_path / "other.png"
    shutil.copyfile(shot.image_path(2), other)
    key.parent.mkdir(exist_ok=True)
    shutil.copyfile(shot.image_path(3), key)
    painting = key.read_bytes()
    try:
        os.utime(key, (seconds, seconds))
    except OSError:
        pytest.skip("this file system has no such dates")
    put_painting(shot, 1, other, ".png")
    (version,) = versions_of(shot, 1)
    assert version.path.read_bytes() == painting


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_a_list_of_jobs_is_a_file(tmp_path, capsys, name):
    path = tmp_path / name
    if name == "pipe":
        os.mkfifo(path)
    assert main(["batch", str(path)]) == 1
    assert "it is a device or a pipe and no file" in capsys.readouterr().err


@pytest.mark.parametrize("file", [[], {}, None, 5, "elsewhere/0001.png"])
def test_records_of_an_earlier_version_are_checked_like_others(tmp_path, file):
    shot = make_shot(tmp_path / "shot")
    path = shot.out_record_path("style", 1)
    path.parent.mkdir(parents=True)
    record = {"file": file, "input": "", "style": "", "settings": "", "written": "ab"}
    path.write_text(json.dumps(record))
    assert read_record(path) is None
    path.write_text(json.dumps({**record, "file": "0001.png"}) + " ")
    assert read_record(path).pictures == {"0001.png": ["ab"]}


def test_a_pipe_where_a_folder_is_to_be_deleted_stops_nothing(tmp_path):
    shot = make_shot(tmp_path / "shot")
    left = shot.folder / "keys" / f".0001.png.{'0a' * 8}.tmp"
    left.touch()
    os.mkfifo(left.with_name(left.name + ".d"))
    script = tmp_path / "remove.py"
    script.write_text(
        "import pathlib, sys\nfrom engine.shared.temporary import remove_leftovers\n"
        "remove_leftovers(pathlib.Path(sys.argv[1]))\n"
    )
    subprocess.run([sys.executable, script, shot.folder], timeout=20, check=True, env=WITH_ENGINE)
    assert not left.exists()


def test_a_pipe_in_place_of_the_folder_aside_is_told(tmp_path):
    frames = make_shot(tmp_path / "frames").folder / "frames"
    (tmp_path / "shot").mkdir()
    os.mkfifo(tmp_path / "shot" / ".importing")
    command = [sys.executable, "-m", "engine", "import", tmp_path / "shot", "--input", frames]
    ended = subprocess.run(
        command, timeout=20, capture_output=True, encoding="utf-8", env=WITH_ENGINE, check=False
    )
    assert ended.returncode == 1
    assert f"{tmp_path / 'shot' / '.importing'} is in the way" in ended.stderr


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_what_is_in_place_of_a_lock_is_told_not_what_the_lock_is_for(tmp_path, make, capsys):
    shot = make_shot(tmp_path / "shot").folder
    (tmp_path / "new").mkdir()
    for lock, words in (
        (tmp_path / "new" / ".importing.lock", ["import", "--input", str(shot / "frames")]),
        (shot / ".shot.json.lock", ["weights", "1=0.5"]),
    ):
        make(lock)
        assert main([words[0], str(lock.parent), *words[1:]]) == 1
        assert f"Cannot write {lock}, as" in capsys.readouterr().err
