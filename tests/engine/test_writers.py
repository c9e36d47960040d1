# SPDX-License-Identifier: GPL-3.0-or-later
"""Several writers of one file, and what killed ones leave over."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import shots
from shots import run_warm

from engine.jobs import train as train_job
from engine.shared import files, folders, temporary
from engine.shared.errors import PaintoverError
from engine.shared.files import append, write_bytes, written_beside
from engine.shared.locks import held_alone, held_in_turn
from engine.shared.protocol import Train
from engine.shared.reporter import Silent
from engine.shared.style_header import read_style_header
from engine.shared.temporary import (
    is_temporary,
    remove_leftovers,
    temporary_file,
    temporary_folder,
)

_SPAWN = multiprocessing.get_context("fork")
SIZE = 480 * 270 * 4


def _write_many(path: Path, value: int, failed) -> None:
    os.getpid = lambda: 7  # as in containers that share a folder
    for _ in range(60):
        try:
            write_bytes(path, bytes([value]) * SIZE)
        except PaintoverError:
            failed.value += 1


@pytest.mark.parametrize("count", [2, 4])
def test_writers_with_equal_process_numbers_write_whole_files(tmp_path, count):
    path, failed = tmp_path / "same.bin", _SPAWN.Value("i", 0)
    write_bytes(path, bytes(SIZE))
    writers = [
        _SPAWN.Process(target=_write_many, args=(path, number, failed)) for number in range(count)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        data = path.read_bytes()
        assert len(data) == SIZE
        assert data == data[:1] * SIZE
        remove_leftovers(tmp_path)  # takes nothing from writers that live
    assert failed.value == 0
    assert [writer.exitcode for writer in writers] == [0] * count
    assert [file.name for file in tmp_path.iterdir()] == ["same.bin"]


def test_nothing_is_written_through_links(tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    for name, write in (
        ("log", lambda path: append(path, b"planted")),
        ("lock", lambda path: held_alone(path).__enter__()),
    ):
        link = tmp_path / name
        link.symlink_to(other)
        with pytest.raises((OSError, PaintoverError), match=name):
            write(link)
    link = tmp_path / "picture"
    link.symlink_to(other)
    write_bytes(link, b"new")
    assert (other.read_text(), link.read_bytes()) == ("mine", b"new")
    assert not link.is_symlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError):
        append(tmp_path / "pipe", b"x")


_KILLED = """
import sys, time
from pathlib import Path
from engine.shared.temporary import temporary_file, temporary_folder
with temporary_file(Path(sys.argv[1]) / "0001.png") as path, \\
        temporary_folder(Path(sys.argv[1]) / "scratch") as folder:
    path.write_bytes(bytes(1000))
    (folder / "part.npy").write_bytes(bytes(1000))
    print(path, flush=True)
    time.sleep(60)
"""


def test_leftovers_of_a_killed_writer_are_removed_and_no_others(tmp_path):
    (tmp_path / ".hidden.tmp.png").write_bytes(b"a user's")
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=shots.ROOT,
        encoding="utf-8",
    )
    path = Path(process.stdout.readline().strip())
    there = sorted(tmp_path.iterdir())
    assert len(there) == 4
    assert is_temporary(path.name)
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == there
    process.kill()
    process.communicate()
    assert sorted(tmp_path.iterdir()) == there
    remove_leftovers(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [".hidden.tmp.png"]


def test_without_locks_only_old_leftovers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary, "try_lock", lambda _: None)
    with temporary_file(tmp_path / "a.png") as path:
        remove_leftovers(tmp_path)
        assert path.is_file()
        long_ago = time.time() - 2 * temporary.OLD
        os.utime(path, (long_ago, long_ago))
        remove_leftovers(tmp_path)
        assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_leftovers_on_another_disk_are_removed_and_none_behind_other_links(tmp_path):
    shot, left = tmp_path / "shot", ".0001.0123456789abcdef.tmp.png"
    shot.mkdir()
    for name in ("out", "live", "guides"):
        (tmp_path / name / "ink").mkdir(parents=True)
        (tmp_path / name / "ink" / left).touch()
        (shot / name).symlink_to(tmp_path / name)
    (tmp_path / "guides" / "notes.txt").touch()
    remove_leftovers(shot)  # which is no shot yet
    assert len(list(tmp_path.rglob(left))) == 3
    (shot / "shot.json").write_text("{}")
    remove_leftovers(shot)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob(left))
    assert found == [f"guides/ink/{left}", f"live/ink/{left}"]


def test_leftovers_behind_junctions_stay(tmp_path, monkeypatch):
    path = tmp_path / "junction" / ".0001.0123456789abcdef.tmp.png"
    path.parent.mkdir()
    path.touch()
    monkeypatch.setattr(folders, "is_link", lambda place: place.name == "junction")
    remove_leftovers(tmp_path)
    assert path.is_file()


def test_a_file_gets_a_name_while_another_job_removes_leftovers(tmp_path, monkeypatch):
    link, sync = files.link_or_copy, os.fsync

    def linked(path, target):
        link(path, target)
        remove_leftovers(tmp_path)

    def synced(descriptor):
        sync(descriptor)
        remove_leftovers(tmp_path)

    monkeypatch.setattr(files, "link_or_copy", linked)
    monkeypatch.setattr(os, "fsync", synced)
    (tmp_path / "a.safetensors").write_bytes(b"new")
    (tmp_path / "b.safetensors").write_bytes(b"old")
    for name in ("b.safetensors", "a.safetensors"):
        files.give_name(tmp_path / "a.safetensors", tmp_path / name)
        assert (tmp_path / name).read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_temporary_folders_are_deleted(tmp_path):
    with temporary_folder(tmp_path / "copy") as folder:
        (folder / "a").write_bytes(b"a")
        folder.replace(tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    with contextlib.suppress(RuntimeError), temporary_folder(tmp_path / "copy") as folder:
        (folder / "a").write_bytes(b"a")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_turns_end_even_if_another_keeps_the_lock(tmp_path):
    lock = tmp_path / "lock"
    with held_alone(lock) as first, held_in_turn(lock, 0.05) as second:
        assert (first, second) == (True, False)
    with held_in_turn(lock, 0.05) as third:
        assert third
    assert not lock.exists()


def test_a_painting_that_is_replaced_is_never_absent(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    key, absent, stop = shot.key_path(1), [], threading.Event()
    paintings = [shots.write_png(tmp_path / f"{n}.png", shots.painting(n)) for n in range(8)]
    before = key.read_bytes()

    def look() -> None:
        while not stop.is_set():
            if not os.path.exists(key):  # noqa: PTH110 - the quickest way
                absent.append(key)

    looking = threading.Thread(target=look)
    looking.start()
    for painting in paintings:
        with written_beside(key) as path:
            path.write_bytes(painting.read_bytes())
            shot.link_version(key)
    stop.set()
    looking.join()
    assert not absent
    kept = {path.read_bytes() for path in (key.parent / "versions").iterdir()}
    assert kept == {before, *(path.read_bytes() for path in paintings[:-1])}


def test_versions_where_the_drive_has_no_links(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    shot = shots.make_shot(tmp_path / "shot")
    before = shot.key_path(1).read_bytes()
    versions = {shot.link_version(shot.key_path(1)), shot.keep_version(shot.key_path(1))}
    assert {path.read_bytes() for path in versions} == {before}
    assert len(versions) == 2
    assert not shot.key_path(1).exists()


def test_keeping_the_same_version_again_keeps_one(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    assert shot.link_version(shot.key_path(1)) == shot.link_version(shot.key_path(1))


def test_leftovers_of_a_killed_filter_are_gone_after_the_next_run(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", frames=5)
    words = ("train", shot.folder, "--filter")
    process = shots.start_engine(*words, "--steps", 500)
    shots.wait_until(lambda: any(shot.folder.rglob("motion.*.npy")), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert any(is_temporary(path.name) for path in shot.folder.rglob("*"))
    result = run_warm(*words, "--steps", 1)
    assert result.returncode == 0, result.stderr
    assert not any(is_temporary(path.name) for path in shot.folder.rglob("*"))


def test_ended_before_the_first_step_promises_no_resume(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", frames=2)
    process = shots.start_engine("train", shot.folder, "--steps", 50, "--progress", "plain")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    promised = "--resume" in errors
    resumed = run_warm("train", shot.folder, "--steps", 2, "--resume")
    assert promised == (resumed.returncode == 0), errors + resumed.stderr


def test_a_training_that_is_killed_at_its_end_has_its_style(tmp_path, monkeypatch):
    shot = shots.make_shot(tmp_path / "shot", frames=2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train_job, "save_run", killed)
    with pytest.raises(KeyboardInterrupt):
        train_job.train(Train(0, str(shot.folder), steps=2, device="cpu"), Silent())
    header = read_style_header(shot.style_path("style"))
    assert (header.finished, header.steps) == (True, 2)
    # Else resuming would train for the whole budget once more.
    assert not (shot.style_folder("style") / "resume.safetensors").exists()
