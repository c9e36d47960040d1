# SPDX-License-Identifier: GPL-3.0-or-later
"""Read-only folders, full disks and an engine that is killed: nothing is lost, and it goes on."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import shots
from shots import assert_all_frames_open, assert_one_sentence, run_warm, snapshot
from synthetic import write_png

from engine.images.pictures import read_picture
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header


def train(shot: Shot, *words: object):
    return run_warm("train", shot.folder, "--steps", 2, *words)


def stylize(shot: Shot, *words: object):
    return run_warm("stylize", shot.folder, *words)


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    words = ["mount", *options, str(folder)]
    if (
        not shutil.which("mount")
        or subprocess.run(words, capture_output=True, check=False).returncode
    ):
        pytest.skip(f"this user may not mount: {' '.join(words)}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_written(tmp_path, trained):
    folder = shots.make_inputs(tmp_path / "in")
    below_a_file = folder / "input" / "0001.png" / "shot"
    assert_one_sentence(
        run_warm("import", below_a_file, "--input", folder / "input"), str(below_a_file)
    )
    out = trained.folder / "out"
    out.write_text("a file stands where the folder should be")
    assert_one_sentence(stylize(trained), str(out), "write")


def test_a_read_only_disk(tmp_path, trained):
    before = snapshot(trained.folder)
    with mounted(trained.folder, "--bind", "-o", "ro", str(trained.folder)):
        folder = shots.make_inputs(tmp_path / "in")
        for result in (
            run_warm("import", trained.folder, "--input", folder / "input"),
            train(trained),
            stylize(trained),
        ):
            assert_one_sentence(result, str(trained.folder), "write")
        assert run_warm("info", trained.folder).returncode == 0
    assert snapshot(trained.folder) == before


def test_a_full_disk(tmp_path, trained_folder):
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=24m", "tmpfs"):
        shot = Shot(disk / "shot", Shot.open(trained_folder).manifest)
        shutil.copytree(trained_folder, shot.folder)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(1 << 12))
        before = snapshot(shot.folder)
        folder = shots.make_inputs(tmp_path / "in")
        for result in (
            run_warm("import", disk / "new", "--input", folder / "input"),
            train(shot),
            stylize(shot),
            stylize(shot, "--format", "exr"),
        ):
            assert_one_sentence(result, str(disk), "space")
        after = snapshot(shot.folder)
        del before["styles/style/train.log"]  # tells of the last attempt
        assert {name: after[name] for name in before} == before
        assert not Shot.exists(disk / "new")
        filler.unlink()
        assert stylize(shot).returncode == 0
        assert_all_frames_open(shot)


def kill(process) -> None:
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_killed_in_import(tmp_path):
    folder = shots.make_inputs(tmp_path / "in", frames=60)
    inputs = snapshot(folder)
    target = tmp_path / "shot"
    words = ("import", target, "--input", folder / "input", "--painted", folder / "painted")
    process = shots.start_engine(*words)
    shots.wait_until(lambda: any(target.rglob("0003.png")), process)
    kill(process)
    assert snapshot(folder) == inputs
    for path in target.rglob("[!.]*.png"):
        read_picture(path)
    result = run_warm(*words)
    assert result.returncode == 0, result.stderr
    shot = Shot.open(target)
    assert shot.frames == list(range(1, 61))
    assert snapshot(folder / "input") == snapshot(target / "frames")
    assert shot.key_path(1).read_bytes() == (folder / "painted" / "0001.png").read_bytes()


def test_a_second_import_into_a_shot_waits_for_the_first(tmp_path):
    for seed, name in enumerate("ab"):
        for frame in range(1, 41):
            codes = np.random.default_rng([seed, frame]).integers(0, 256, (270, 480, 3), np.uint8)
            write_png(tmp_path / name / f"{frame:04d}.png", codes)
    place = tmp_path / "shot"
    first = shots.start_engine("import", place, "--input", tmp_path / "a")
    shots.wait_until(lambda: any(place.rglob("0002.png")), first)
    first.send_signal(signal.SIGSTOP)  # so that it has not ended before the second begins
    second = run_warm("import", place, "--input", tmp_path / "b")
    first.send_signal(signal.SIGCONT)
    assert_one_sentence(second, "Another import into", str(place))
    assert first.wait(60) == 0
    first.communicate()
    assert snapshot(place / "frames") == snapshot(tmp_path / "a")
    assert {path.name for path in place.iterdir()} == {"frames", "shot.json"}
    assert run_warm("import", place, "--input", tmp_path / "b").returncode == 0
    assert snapshot(place / "frames") == snapshot(tmp_path / "b")


def test_folders_of_a_shot_may_be_links_to_another_disk(tmp_path):
    inputs, place = shots.make_inputs(tmp_path / "in"), tmp_path / "shot"
    place.mkdir()
    with mounted(tmp_path / "disk", "-t", "tmpfs", "tmpfs"):
        for name in ("frames", "keys"):
            (tmp_path / "disk" / name).mkdir()
            (place / name).symlink_to(tmp_path / "disk" / name)
        for _ in range(2):
            words = ("--input", inputs / "input", "--painted", inputs / "painted")
            result = run_warm("import", place, *words)
            assert result.returncode == 0, result.stderr
            assert snapshot(tmp_path / "disk" / "frames") == snapshot(inputs / "input")
            assert snapshot(tmp_path / "disk" / "keys") == snapshot(inputs / "painted")
            shots.write_png(inputs / "input" / "0001.png", shots.picture(9))


def test_killed_in_training(trained):
    before = snapshot(trained.folder)
    process = shots.start_engine(
        "train", trained.folder, "--seconds", 600, "--resume", "--progress", "plain"
    )
    while "Step" not in process.stdout.readline():
        pass
    kill(process)
    after = snapshot(trained.folder)
    kept = [name for name in before if not name.startswith("styles")]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    steps = read_style_header(trained.style_path("style")).steps
    result = run_warm("train", trained.folder, "--resume", "--seconds", 1)
    assert result.returncode == 0, result.stderr
    assert read_style_header(trained.style_path("style")).steps >= steps
    assert stylize(trained).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ended_in_stylizing(tmp_path, trained_folder, number):
    shot = shots.make_shot(tmp_path / "shot", frames=40)
    shutil.copytree(trained_folder / "styles", shot.folder / "styles")
    process = shots.start_engine("stylize", shot.folder)
    out = shot.out_path("style", 1).parent
    shots.wait_until(lambda: len(list(out.glob("0*.png"))) > 1, process)
    if number == signal.SIGKILL:
        kill(process)
    else:
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert len(errors.splitlines()) == 1
    done = list(out.glob("0*.png"))
    assert len(done) < 40
    for path in done:
        read_picture(path)
    result = stylize(shot)
    assert result.returncode == 0, result.stderr
    painted = int(re.search(r": (\d+) frames? painted", result.stdout)[1])
    assert painted <= 40 - len(done) + 1
    assert_all_frames_open(shot)
