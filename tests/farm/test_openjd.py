# SPDX-License-Identifier: GPL-3.0-or-later
"""The job of Open Job Description, run by its own program as a farm's workers run it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ENGINE, FRAMES, ROOT, Farm, pictures, states

from engine.app.arguments import build_parser

OPENJD = Path(sys.executable).with_name("openjd")
TEMPLATE = ROOT / "farm" / "openjd" / "template.yaml"
NAMES = [f"{frame:04d}.png" for frame in range(1, FRAMES + 1)]


@pytest.fixture(scope="module")
def job(farm: Farm) -> Path:
    """The bundle that the add-on exports for the .blend, with less training."""
    folder = farm.folder / "job"
    done = farm.paintover("farm", "--openjd", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "asset_references.yaml",
        "openjd_values.json",
        "parameter_values.yaml",
        "template.yaml",
    ]
    return folder


def written_values(job: Path) -> dict[str, Any]:
    read = yaml.safe_load((job / "parameter_values.yaml").read_text())
    return {each["name"]: each["value"] for each in read["parameterValues"]}


def values(farm: Farm, job: Path) -> dict[str, Any]:
    encoder = farm.folder.parent / "ffmpeg"
    if not encoder.exists():
        stand_in = Path(__file__).with_name("stand_in_for_ffmpeg.py")
        encoder.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
        encoder.chmod(0o755)
    return {
        **written_values(job),
        "Seconds": 2,
        "FramesPerTask": 2,
        "PaintedPerTask": 2,
        "Blender": str(farm.blender),
        "Ffmpeg": str(encoder),
    }


def start(farm: Farm, job: Path, step: str, *words: str, **changed: Any) -> subprocess.Popen[str]:
    """Start a worker on one step of the job."""
    return start_with(farm, job, step, {**values(farm, job), **changed}, *words)


def start_with(
    farm: Farm, job: Path, step: str, given: dict[str, Any], *words: str
) -> subprocess.Popen[str]:
    command = [OPENJD, "run", job / "template.yaml", "--step", step]
    command += ["-p", json.dumps(given), *words]
    return subprocess.Popen(
        list(map(str, command)),
        env={**os.environ, **farm.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def on_chunks(*chunks: str) -> tuple[str, ...]:
    return "--no-run-dependencies", "--tasks", json.dumps([{"Frames": chunk} for chunk in chunks])


def ended(process: subprocess.Popen[str]) -> str:
    """Wait for a worker and return what it printed; it has to succeed."""
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def both(*processes: subprocess.Popen[str]) -> list[str]:
    return [ended(process) for process in processes]


def engine_of(shot: Path, verb: str) -> Iterator[int]:
    """Yield the processes that do a verb on a shot; its path is that of this test alone."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError, IndexError):
            words = entry.read_bytes().split(b"\0")
            if words[1].endswith(b"/engine") and words[2:4] == [verb.encode(), os.fsencode(shot)]:
                yield int(entry.parent.name)


@pytest.mark.parametrize("name", ["openjd", "openjd_sweep"])
def test_templates_are_valid(name: str) -> None:
    template = ROOT / "farm" / name / "template.yaml"
    done = subprocess.run([OPENJD, "check", template], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["openjd", "openjd_sweep"])
def test_options_are_those_of_the_command_line(name: str) -> None:
    template = yaml.safe_load((ROOT / "farm" / name / "template.yaml").read_text())
    known = {f"Param.{each['name']}": each for each in template["parameterDefinitions"]}
    for step in template["steps"]:
        action = step["script"]["actions"]["onRun"]
        if action["args"][0] != "{{Param.EngineFolder}}":
            continue
        fill = lambda match: str(known.get(match[1], {}).get("default", "7"))  # noqa: E731
        words = [re.sub(r"\{\{(.*?)\}\}", fill, word) for word in action["args"]]
        assert build_parser().parse_args(words[1:]).progress == "openjd"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (("0001.png", "0002.png", "style.mp4.txt"), "2 frames"),
        (("-0001.exr", "0001.exr"), "2 frames"),
        (("0001.tga",), "1 frames"),
        (("notes.txt",), "has no composed frames"),
        (None, "has no composed frames"),
    ],
)
def test_the_movie_is_made_of_what_was_composed(
    tmp_path: Path, files: tuple[str, ...] | None, told: str
) -> None:
    folder = tmp_path / "composed"
    if files is not None:
        folder.mkdir()
    for name in files or ():
        (folder / name).touch()
    done = _encode(tmp_path, folder)
    assert told in done.stdout, done.stderr
    assert (done.returncode == 0) == (folder / "style.mp4").is_file() == (told[0].isdigit())
    if done.returncode == 0:
        assert ("-apply_trc iec61966_2_1 -i" in (tmp_path / "words").read_text()) == (
            "0001.exr" in (files or ())
        )


def test_a_folder_of_any_name_begins_no_command(tmp_path: Path) -> None:
    steps = yaml.safe_load(TEMPLATE.read_text())["steps"]
    script = next(step["script"] for step in steps if step["name"] == "Encode")
    file = tmp_path / "encode.py"
    file.write_text(script["embeddedFiles"][0]["data"])
    folder = tmp_path / "a\nopenjd_fail: b"
    folder.mkdir()
    (folder / "0001.png").touch()
    for name in ("s.mp4", "t.mp4"):
        command = [sys.executable, file, tmp_path / "no\nopenjd_fail: c", folder, name[0], "24"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        lines = (done.stdout + done.stderr).splitlines()
        assert len(lines) == 1 and "\nopenjd_fail: " not in done.stdout
        (folder / "t.mp4").touch()
    assert lines[0].startswith("openjd_status: ") and done.returncode == 0


@pytest.mark.parametrize("link", [".style.part.mp4", "style.mp4", "movie.mp4"])
def test_the_movie_is_not_written_through_a_link(tmp_path: Path, link: str) -> None:
    folder, outside = tmp_path / "composed", tmp_path / "outside"
    folder.mkdir()
    (folder / "0001.png").touch()
    outside.write_text("mine")
    os.utime(outside, (0, 0))
    (folder / link).symlink_to(outside)
    done = _encode(tmp_path, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outside.read_text() == "mine"
    assert (folder / "style.mp4").is_file() and not (folder / "style.mp4").is_symlink()
    assert {path.name for path in folder.iterdir()} == {"0001.png", "style.mp4", link}


def test_what_a_killed_encoding_has_left_goes(tmp_path: Path) -> None:
    folder = tmp_path / "composed"
    folder.mkdir()
    left, others = f".style.{'0a' * 8}.mp4", {f".style2.{'0a' * 8}.mp4", ".style.mine.mp4"}
    for name in ("0001.png", left, *others):
        (folder / name).touch()
    assert _encode(tmp_path, folder).returncode == 0
    assert {path.name for path in folder.iterdir()} == {"0001.png", "style.mp4", *others}


def test_a_folder_whose_name_has_a_line_break_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a\nfile 'b'"
    folder.mkdir()
    (folder / "0001.png").touch()
    done = _encode(tmp_path, folder)
    assert done.returncode == 1 and done.stdout.endswith("has a line break; rename it.\n")
    assert not (tmp_path / "words").exists()


def _encode(place: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the step Encode, in a place, on a folder of composed frames."""
    steps = yaml.safe_load(TEMPLATE.read_text())["steps"]
    script = next(step["script"] for step in steps if step["name"] == "Encode")
    (place / "encode.py").write_text(script["embeddedFiles"][0]["data"])
    encoder = place / "ffmpeg"
    encoder.write_text('#!/bin/sh\necho "$@" > words\nfor last; do :; done\n: > "$last"\n')
    encoder.chmod(0o755)
    command = [sys.executable, "encode.py", encoder, folder, "style", "24"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_the_template_says_what_a_submitter_asks() -> None:
    template = yaml.safe_load(TEMPLATE.read_text())
    assert template["extensions"] == ["TASK_CHUNKING"]
    parameters = {each["name"]: each for each in template["parameterDefinitions"]}
    shot = parameters["ShotFolder"]
    assert (shot["type"], shot["objectType"], shot["dataFlow"]) == ("PATH", "DIRECTORY", "INOUT")
    assert {"CondaPackages", "CondaChannels", "RezPackages"} < set(parameters)
    for step in template["steps"]:
        action = step["script"]["actions"]["onRun"]
        assert action["timeout"] > 0
        assert action["cancelation"]["mode"] == "NOTIFY_THEN_TERMINATE"


def test_values_and_assets_are_those_of_the_blend(farm: Farm, job: Path) -> None:
    template = yaml.safe_load((job / "template.yaml").read_text())
    known = {each["name"] for each in template["parameterDefinitions"]}
    found = values(farm, job)
    assert set(found) <= known
    assert found["Frames"] == f"1-{FRAMES}"
    assert found["ShotFolder"] == str(farm.shot)
    assets = yaml.safe_load((job / "asset_references.yaml").read_text())["assetReferences"]
    assert assets["inputs"]["filenames"] == [str(farm.blend)]
    assert str(farm.shot) in assets["inputs"]["directories"]
    assert str(farm.shot) in assets["outputs"]["directories"]


def test_the_line_of_the_manual_runs_the_bundle(farm: Farm, job: Path) -> None:
    manual = (ROOT / "docs" / "farm.md").read_text("utf-8")
    (line,) = re.findall(r"(?m)^    openjd (run .*)$", manual)
    words = [OPENJD, *line.split(), "-p", f"Blender={farm.blender}", "--step", "Capture"]
    words += ["--tasks", json.dumps([{"Frames": "1"}])]
    environment = {**os.environ, **farm.variables}
    done = subprocess.run(
        list(map(str, words)), cwd=job, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((job / "openjd_values.json").read_text()) == written_values(job)


def test_the_whole_job_on_several_workers(farm: Farm, job: Path, tmp_path: Path) -> None:
    halves = on_chunks("1-4"), on_chunks("5-8")
    both(*(start(farm, job, "Capture", *half) for half in halves))
    assert list(pictures(farm.shot / "frames")) == NAMES

    learning = start(farm, job, "Train", "--no-run-dependencies", Seconds=600)
    state = farm.shot / "styles" / "style" / "resume.safetensors"
    _wait(lambda: "openjd_progress" in _printed(learning, "Step "))
    assert list(engine_of(farm.shot, "train"))
    learning.send_signal(signal.SIGINT)
    learning.communicate(timeout=120)
    assert not list(engine_of(farm.shot, "train"))
    assert state.is_file()
    assert "openjd_progress: 100" in ended(start(farm, job, "Train", "--no-run-dependencies"))
    log = (farm.shot / "styles" / "style" / "train.log").read_text()
    assert "Resumed" in log

    alone = tmp_path / "alone"
    shutil.copytree(farm.shot, alone)
    assert farm.run(*ENGINE, "stylize", alone).returncode == 0
    right = pictures(alone / "out" / "style")
    assert list(right) == NAMES

    out = farm.shot / "out" / "style"
    killed = start(farm, job, "Stylize", *on_chunks("1-8"))
    _wait(lambda: len(_finished(out)) >= 2)
    for process in engine_of(farm.shot, "stylize"):
        os.kill(process, signal.SIGKILL)
    killed.communicate(timeout=120)
    assert killed.returncode != 0
    before = {name: states(out)[name] for name in _finished(out)}
    assert 2 <= len(before) < FRAMES

    told = both(*(start(farm, job, "Stylize", *half) for half in halves))
    assert "openjd_status" in told[0]
    assert pictures(out) == right
    after = states(out)
    assert {name: after[name] for name in before} == before

    both(*(start(farm, job, "Compose", *half) for half in halves))
    composed = farm.shot / "composed" / "style"
    assert list(pictures(composed)) == NAMES
    ended(start(farm, job, "Encode", "--no-run-dependencies"))
    movie = composed / "style.mp4"
    assert movie.is_file()

    done = [states(folder) for folder in (farm.shot / "frames", out, composed)]
    at = movie.stat().st_mtime_ns
    told_again = ended(start(farm, job, "Encode", "--run-dependencies", FramesPerTask=8))
    assert "is up to date" in told_again
    assert [states(folder) for folder in (farm.shot / "frames", out, composed)] == done
    assert movie.stat().st_mtime_ns == at


def test_several_workers_search_and_one_trains(farm: Farm, tmp_path: Path) -> None:
    """By the bundle that the add-on exports, on a copy of the shot, whose first frame is there."""
    job = tmp_path / "search"
    done = farm.paintover("farm", "--openjd", job, "--sweep")
    assert done.returncode == 0, done.stdout + done.stderr
    shot = tmp_path / "shot"
    shutil.copytree(farm.shot, shot)
    given = {
        **written_values(job),
        **{"ShotFolder": str(shot), "Searchers": 2, "Trials": 2, "TrialSteps": 20},
        **{"Minutes": 1, "Seconds": 2, "Device": "cpu"},
    }
    alone = "--no-run-dependencies"
    tasks = [json.dumps([{"Searcher": str(number)}]) for number in (1, 2)]
    told = both(*(start_with(farm, job, "Search", given, alone, "--tasks", t) for t in tasks))
    assert all("openjd_progress" in each for each in told)
    style = shot / "styles" / "sweep.safetensors"
    assert not style.exists(), "the search trains nothing to keep"
    ended(start_with(farm, job, "Train", given, alone))
    assert style.is_file()
    results = json.loads((shot / "sweeps" / "sweep" / "results.json").read_text())
    assert len(results["trials"]) >= 4, "the trials of both workers are in one study"


def _finished(out: Path) -> list[str]:
    """Return the frames that are painted; one whose record lacks its input is being written."""
    records = sorted((out / "made").glob("[0-9][0-9][0-9][0-9].json"))
    return [f"{path.stem}.png" for path in records if json.loads(path.read_text())["input"]]


def _printed(process: subprocess.Popen[str], awaited: str) -> str:
    """Return a line of a worker's that holds what is awaited, with those before it."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if awaited in line:
            break
    return "".join(lines)


def _wait(is_so: Any) -> None:
    end = time.monotonic() + 240
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)
