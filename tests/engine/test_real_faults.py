# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in a size that people work in, of captured shots and of footage, by the command line.

What each kind of file and moment does exactly is tested elsewhere, in small shots.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import shots
from painted_checks import assert_keyframes_closest, assert_painted
from painted_scenes import Scene
from real_sizes import Project

from engine.shared.trainings.record import read_record

FRAMES = 6


@pytest.fixture(scope="session", params=["captured", "footage"])
def painted_project(request, tmp_path_factory) -> Project:
    """A shot of 480×270 with a style and all its stylized frames; not to be changed."""
    scene = Scene(480, 270, opaque=request.param == "footage")
    project = Project(tmp_path_factory.mktemp("faults"), scene, FRAMES)
    if request.param == "captured":
        project.capture(surface=True)
    else:
        project.make()
    project.train("--network", "small", "--steps", 50, threads=1)
    project.stylize(threads=1)
    assert_keyframes_closest(project, assert_painted(project))
    return project


@pytest.fixture
def project(painted_project, tmp_path) -> Project:
    """A copy of it, to be changed."""
    return painted_project.copy(tmp_path)


def pictures(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project.shot / "out/style").glob("*.png")}


def assert_nothing_left(folder: Path) -> None:
    """Check that there are no temporary files, locks or claims."""
    left = [
        path for path in folder.rglob("*") if path.name.startswith(".") or ".claim" in path.name
    ]
    assert left == []


def stylize(project: Project, *words: object) -> subprocess.CompletedProcess[str]:
    return shots.run_engine("stylize", project.shot, *words)


def test_killed_in_stylizing_and_gone_on_with(project, painted_project):
    shutil.rmtree(project.shot / "out")
    folder = project.shot / "out" / "style"
    for count in (1, 3):
        process = shots.start_engine("stylize", project.shot)
        shots.wait_until(lambda least=count: len(list(folder.glob("0*.png"))) >= least, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert len(pictures(project)) < FRAMES
    result = stylize(project)
    assert result.returncode == 0, result.stderr
    assert pictures(project) == pictures(painted_project)
    assert not (folder / "versions").exists()
    assert_nothing_left(project.shot)


def test_killed_in_training_and_gone_on_with(project):
    words = ("train", project.shot, "--network", "small", "--style", "style", "--progress", "plain")
    process = shots.start_engine(*words, "--seconds", 600)
    while "Step" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    project.train("--network", "small", "--resume", "--steps", 80)
    last = max((project.shot / "styles/style/trainings").glob("*.json"))
    assert read_record(last).steps >= 50 + 80
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project))
    assert_nothing_left(project.shot)


def test_two_at_once_paint_the_same_as_one(project, painted_project):
    shutil.rmtree(project.shot / "out")
    both = [shots.start_engine("stylize", project.shot) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert pictures(project) == pictures(painted_project)
    assert_nothing_left(project.shot)


@pytest.mark.skipif(os.name == "nt", reason="mounting a small disk needs Linux")
def test_a_disk_that_runs_full_and_has_room_again(painted_project, small_disk):
    disk = small_disk(64 << 20)
    moved = painted_project.copy(disk / "project")
    shutil.rmtree(moved.shot / "out")
    before = shots.snapshot(moved.shot)
    filler = disk / "filler"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(room - sum(map(len, pictures(painted_project).values())) // 2))
    shots.assert_one_sentence(stylize(moved), str(moved.shot), "No space left")
    done = pictures(moved)
    assert 0 < len(done) < FRAMES and done.items() < pictures(painted_project).items()
    after = shots.snapshot(moved.shot)
    assert {name: after[name] for name in before if not name.startswith("cache")} == {
        name: data for name, data in before.items() if not name.startswith("cache")
    }
    filler.unlink()
    result = stylize(moved)
    assert result.returncode == 0, result.stderr
    assert pictures(moved) == pictures(painted_project)
    assert_nothing_left(moved.shot)


@pytest.mark.parametrize("share", [0.2, 0.999])
@pytest.mark.parametrize("name", ["styles/style.safetensors", "frames/0002.png", "keys/0001.png"])
def test_a_file_that_is_cut_short_is_named(project, name, share):
    before, path = pictures(project), project.shot / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    result = stylize(project, "--force")
    *warnings, sentence = result.stderr.strip().splitlines()
    assert result.returncode == 1 and str(path) in sentence and sentence.endswith((".", ")"))
    assert all(warning.startswith("Warning: ") for warning in warnings)
    assert pictures(project) == before
    path.write_bytes(whole)
    project.stylize()
    assert pictures(project) == before


def test_a_style_that_is_cut_short_is_out_of_date_and_is_not_kept_as_a_training(project):
    """What tells or takes a style by its header alone notices it, too."""
    path = project.shot / "styles" / "style.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    for words in (("info", path), ("stylize", project.shot, "--dry-run")):
        shots.assert_one_sentence(shots.run_engine(*words), str(path), "train it again")
    trainings = sorted((project.shot / "styles/style/trainings").glob("*.json"))
    project.train("--network", "small", "--steps", 50)
    assert len(list((project.shot / "styles/style/trainings").glob("*.json"))) == 1 + len(trainings)
    project.engine("styles", project.shot, "--style", "style", "--take", "previous")
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project))
