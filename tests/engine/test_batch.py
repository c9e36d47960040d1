# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of jobs: what they would do, what is told while they run, and how they go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shots

from engine.app.job_list import read_list, recall, write_status
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header


def status_of(jobs: Path) -> list[dict[str, Any]]:
    """What ``status.json`` of a list tells."""
    text = (jobs.parent / f"{jobs.name}.logs" / "status.json").read_text()
    return json.loads(text)


def write_list(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_large_inputs(folder: Path, frames: int) -> Path:
    """Make folders ``input`` and ``painted`` of pictures of 480x270 for ``import``."""
    for frame in range(1, frames + 1):
        pixels = cv2.resize(shots.picture(frame), (480, 270))
        shots.write_png(folder / "input" / f"{frame:04d}.png", pixels)
    pixels = np.clip(cv2.resize(shots.painting(1), (480, 270)), 0, 1)
    shots.write_png(folder / "painted" / "0001.png", pixels)
    return folder


def test_a_list_for_fresh_shots_is_rehearsed_then_run(tmp_path):
    for name in ("010", "020"):
        make_large_inputs(tmp_path / "plates" / name, 2)
    jobs = write_list(
        tmp_path / "night.txt",
        "import 010 020 --input plates/{shot}/input --painted plates/{shot}/painted",
        "train 010 020 --steps 3 --network small",
        "stylize 010 020 --frames 1",
        "score 010 --no-truth",
        "info 010 020",
        "status 010/ 020",
        "weights 010 1=0.5",
        "sweep 020 --minutes 1",
        "stylize 020 --style sweep",
        "check",
    )
    before = shots.snapshot(tmp_path)
    result = shots.run_warm("batch", jobs, "--dry-run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert shots.snapshot(tmp_path) == before
    (first, *_) = json.loads(shots.run_warm("batch", jobs, "--dry-run", "--json").stdout)
    assert first["says"].count("010: would read plates/010/input.") == 1
    assert first["says"].count("010:") == 1
    assert result.stdout.count("would run: ") == 10
    for shot in ("010", "020"):
        assert f'    {shot}: would paint 1 frame (1) with the new "style"' in result.stdout
        assert f'    {shot}: would train "style" on its paintings' in result.stdout
    assert "done" not in result.stdout

    short = write_list(jobs, *jobs.read_text().splitlines()[:3], "info 010 020")
    assert shots.run_warm("batch", short).returncode == 0
    for name in ("010", "020"):
        assert Shot.open(tmp_path / name).out_frames("style") == [1]
    (_, train, stylize, _) = status_of(short)
    assert [part["shot"] for part in train["shots"]] == ["010", "020"]
    for name in ("010", "020"):
        assert f"{name}/out/style: 1 frame painted" in stylize["says"].replace(os.sep, "/")
    again = shots.run_warm("batch", short, "--dry-run")
    assert again.stdout.count("done before; --again runs it anew") == 8


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("stylize shot --style other",), "train it first"),
        (("train fresh --steps 3",), "holds no shot yet"),
        (("import fresh --input shot/frames", "stylize fresh"), "train it first"),
        (("train shot --style a", "stylize shot --style b"), "train it first"),
    ],
)
def test_a_rehearsal_tells_what_no_earlier_line_makes(trained_folder, tmp_path, lines, told):
    shutil.copytree(trained_folder, tmp_path / "shot")
    jobs = write_list(tmp_path / "jobs.txt", *lines)
    result = shots.run_warm("batch", jobs, "--dry-run")
    shots.assert_one_sentence(result, f"the first in line {len(lines)}")
    assert told in result.stdout


@pytest.mark.parametrize(
    "line",
    [
        *("train", "stylize shot --frames x", "paint shot", "info --help", "x/../../evil shot"),
        *("info sh\0t", "train trained --from a\0b", "info " + 9_000 * "a"),
    ],
)
def test_a_line_that_is_no_job_is_told_before_any_runs(trained, line):
    jobs = write_list(trained.folder.parent / "jobs.txt", "info trained", line)
    shots.assert_one_sentence(shots.run_warm("batch", jobs), "Line 2 of")
    assert not jobs.with_name("jobs.txt.logs").exists()


def test_a_shot_that_fails_stops_its_own_jobs_alone(trained_folder, tmp_path):
    for name in ("010", "020", "030"):
        shutil.copytree(trained_folder, tmp_path / name)
    (tmp_path / "020" / "styles" / "style.safetensors").unlink()
    lines = ("stylize 010 020 030 --frames 1", "stylize 010/ ./020/ 030 --frames 2", "info 020")
    jobs = write_list(tmp_path / "jobs.txt", *lines)
    result = shots.run_warm("batch", jobs)
    shots.assert_one_sentence(result, "1 job of 3 failed, and 2 skipped")
    first, second, third = status_of(jobs)
    assert [part["state"] for part in first["shots"]] == ["done", "failed", "done"]
    assert [part["state"] for part in second["shots"]] == ["done", "skipped", "done"]
    assert (first["state"], second["state"], third["state"]) == ("failed", "skipped", "skipped")
    assert "010/out" in first["says"]
    assert "020: There is no style" in first["says"]
    for name in ("010", "030"):
        assert Shot.open(tmp_path / name).out_frames("style") == [1, 2]

    shutil.copy(tmp_path / "010/styles/style.safetensors", tmp_path / "020/styles")
    again = shots.run_warm("batch", jobs)
    assert again.returncode == 0, again.stderr
    says = [[part["says"] for part in job["shots"]] for job in status_of(jobs)]
    assert [said.startswith("done before") for said in says[0]] == [True, False, True]
    assert Shot.open(tmp_path / "020").out_frames("style") == [1, 2]


@pytest.mark.parametrize("state", ["cancelled", "running"])
def test_a_list_tells_what_runs_and_goes_on_with_its_training(trained, state):
    jobs = write_list(
        trained.folder.parent / "jobs.txt",
        "train trained --steps 200 --style long --network small --keys 1",
        "stylize trained --style long --frames 1",
    )
    process = shots.start_engine("batch", jobs)
    folder = trained.style_folder("long")
    shots.wait_until((folder / "curve.csv").is_file, process)
    first, second = status_of(jobs)
    assert (first["state"], second["state"]) == ("running", "waiting")
    assert first["started"]
    other = shots.run_warm("batch", jobs)
    shots.assert_one_sentence(other, f"The list {jobs} is being run by process {process.pid}")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert status_of(jobs)[0]["state"] == "cancelled"
    assert 0 < read_style_header(trained.style_path("long")).steps < 200
    file = jobs.with_name("jobs.txt.logs") / "status.json"
    file.write_text(file.read_text().replace("cancelled", state))  # as one that was killed has it

    again = shots.run_engine("batch", jobs)
    assert again.returncode == 0, again.stderr
    assert "Resumed on" in (folder / "train.log").read_text()
    assert read_style_header(trained.style_path("long")).steps == 200
    assert trained.out_frames("long") == [1]


@pytest.mark.parametrize(
    ("state", "goes_on"),
    [("cancelled", True), ("running", True), ("failed", False), ("done", False)],
)
def test_a_stopped_job_goes_on_also_after_a_run_that_did_not_reach_it(tmp_path, state, goes_on):
    path = write_list(tmp_path / "jobs.txt", "train a --seconds 9")
    logs = tmp_path / "jobs.txt.logs"
    for now in (state, "waiting", "skipped"):
        (job,) = read_list(path)
        recall([job], logs)
        job.parts[0].state = now
        write_status(logs, [job])
    (job,) = read_list(path)
    recall([job], logs)
    assert job.parts[0].goes_on == goes_on


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[" * 100_000, '[{"command": 1}]', "[1]"),
        '[{"command": "status trained", "shots": [{"shot": "trained", "state": "done"}]}]',
    ],
)
def test_a_damaged_status_is_told_before_any_runs(trained, text):
    jobs = write_list(trained.folder.parent / "jobs.txt", "status trained")
    assert shots.run_warm("batch", jobs).returncode == 0
    logs = jobs.with_name("jobs.txt.logs")
    log, status = logs / "001-status.log", logs / "status.json"
    before = log.read_bytes()
    status.write_text(text)
    for words in ((), ("--dry-run",)):
        shots.assert_one_sentence(shots.run_warm("batch", jobs, *words), f"{status} cannot be read")
    assert (log.read_bytes(), status.read_text()) == (before, text)
    again = shots.run_warm("batch", jobs, "--again")
    assert again.returncode == 0, again.stderr
    assert status_of(jobs)[0]["state"] == "done"


def test_a_job_stops_when_its_list_is_killed(trained):
    line = "train trained --seconds 900 --style long --network small"
    jobs = write_list(trained.folder.parent / "jobs.txt", line)
    process = shots.start_engine("batch", jobs)
    curve = trained.style_folder("long") / "curve.csv"
    shots.wait_until(curve.is_file, process)
    process.kill()
    process.communicate(timeout=60)
    style = trained.style_path("long")
    shots.wait_until(style.is_file)
    assert read_style_header(style).steps > 0
    log = jobs.with_name("jobs.txt.logs") / "001-train.log"
    shots.wait_until(lambda: "Cancelled; finished files stay" in log.read_text())


def test_a_list_of_a_windows_editor_with_names_that_pipes_lack(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    make_large_inputs(tmp_path / "in", 1)
    jobs = tmp_path / "jobs.txt"
    line = "import 東京 --input in/input\r\n"
    jobs.write_bytes(b"\xef\xbb\xbf# tonight\r\n" + line.encode())
    result = shots.run_engine("batch", jobs)
    assert result.returncode == 0, result.stderr
    assert "東京" in status_of(jobs)[0]["says"]
    jobs.write_bytes(b"\xef\xbb\xbf" + line.encode())
    assert shots.run_engine("batch", jobs, "--again").returncode == 0


def test_lists_that_differ_in_their_suffix_know_nothing_of_each_other(trained):
    first = write_list(trained.folder.parent / "jobs.txt", "info trained")
    other = write_list(trained.folder.parent / "jobs.list", "info trained", "status trained")
    for jobs in (first, other):
        assert "done before" not in shots.run_warm("batch", jobs).stdout
    for jobs in (first, other):
        assert shots.run_warm("batch", jobs).stdout.count("done before") == len(read_list(jobs))
