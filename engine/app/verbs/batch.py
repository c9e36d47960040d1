# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``batch``: runs a list of jobs, each in a process and with a log of its own.

A line of the list is a command line without ``python -m engine``: ``train shots/010 --seconds 60``.
Empty lines and those that begin with # are left out. Paths are seen from the folder of the list.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ...shared.durations import format_seconds
from ...shared.errors import Cancelled, PaintoverError
from ...shared.files import append, write_bytes
from ...shared.frame_lists import counted, keep_negative
from ...shared.names import one_line
from ...shared.reading import open_file, read_json
from ..terminal import Terminal
from .printing import print_data

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
SKIPPED = "skipped"
STATUS = "status.json"
_MOST_LIST, _END_OF_LOG = 1 << 20, 1 << 16
"""Most bytes of a list, and those at the end of a log in which its last line is looked for."""
_LOOK, _PATIENCE = 0.1, 60.0
"""Seconds between two looks at a job, and those that a cancelled one gets to end."""


@dataclasses.dataclass
class Job:
    """A job of a list.

    Attributes:
        line: its number in the list.
        command: the command line, without ``python -m engine``.
        log: path of its log.
        state: one of ``waiting``, ``running``, ``done``, ``failed``, ``cancelled``, ``skipped``.
        seconds: how long it took.
        says: its last line: the result, or why it failed.
    """

    line: int
    command: str
    log: str
    state: str = WAITING
    seconds: float = 0.0
    says: str = ""

    @property
    def words(self) -> list[str]:
        """The words of the command line."""
        return shlex.split(self.command)


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Run a list of jobs and print how they ended.

    Raises:
        PaintoverError: the list cannot be read, or a job failed.
        Cancelled: the job was told to stop.
    """
    jobs = run_batch(options.list, terminal, again=options.again, dry_run=options.dry_run)
    print_data(options, as_data(jobs), lambda: describe(jobs))
    failed = [job for job in jobs if job.state != DONE]
    if failed:
        skipped = sum(job.state == SKIPPED for job in failed)
        more = f", and {skipped} skipped for it" if skipped else ""
        raise PaintoverError(
            f"{counted(len(failed) - skipped, 'job')} of {len(jobs)} failed{more}, the first in "
            f"line {failed[0].line}; see {failed[0].log}, mend it, and run the list again."
        )


def run_batch(path: Path, terminal: Terminal, *, again: bool, dry_run: bool) -> list[Job]:
    """Run the jobs of a list that are not done yet, one after the other.

    After a job that failed, those that name the same shots are skipped, and the others run.

    Args:
        path: the list.
        terminal: shows the progress, and may cancel.
        again: also run jobs that a run before has done.
        dry_run: only say what each job would do.

    Returns:
        The jobs, with their states; also in ``NAME.logs/status.json`` while they run.

    Raises:
        PaintoverError: the list cannot be read, or a line of it is wrong; nothing has run.
        Cancelled: the job was told to stop; the next run goes on.
    """
    folder = path.with_name(f"{path.stem}.logs")
    jobs = _read(path, folder)
    before = set() if again else _done_before(folder)
    for job in jobs:
        job.state = DONE if job.command in before else WAITING
    bad: set[str] = set()
    for number, job in enumerate(jobs):
        terminal.progress("batch", number / len(jobs), -1.0, f"{number + 1} of {len(jobs)}")
        shots = set(job.words[1:]) & bad
        if job.state == DONE and not dry_run:
            job.says = "done before"
            continue
        if shots:
            job.state, job.says = SKIPPED, f"an earlier job of {sorted(shots)[0]} failed"
            continue
        _run(job, path.parent, terminal, dry_run)
        if not dry_run:
            _write_status(folder, jobs)
        if job.state == CANCELLED:
            raise Cancelled
        if job.state == FAILED:
            bad |= _folders(job.words, path.parent)
    if not dry_run:
        _write_status(folder, jobs)
    return jobs


def describe(jobs: list[Job]) -> str:
    """Return the outcome of all jobs as text, a line each."""
    lines = []
    for job in jobs:
        took = f" in {format_seconds(job.seconds)}" if job.seconds else ""
        lines.append(f"line {job.line}: {job.state}{took}: {job.command}")
        lines.append(f"    {job.says}")
    return "\n".join(map(one_line, lines))


def as_data(jobs: list[Job]) -> list[dict[str, Any]]:
    """Return the jobs as JSON data."""
    return [dataclasses.asdict(job) for job in jobs]


def _read(path: Path, folder: Path) -> list[Job]:
    try:
        with open_file(path) as file:
            data = file.read(_MOST_LIST + 1)
        lines = data.decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise PaintoverError(f"Cannot read the list of jobs {path}: {error}.") from error
    if len(data) > _MOST_LIST:
        raise PaintoverError(f"The list of jobs {path} is too long; divide it into several.")
    jobs = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            words = shlex.split(line)
        except ValueError:
            words = []
        verb = words[0] if words else ""
        if verb.startswith("-") or verb in ("batch", "worker", "live", ""):
            raise PaintoverError(
                f'Line {number} of {path} is no job: "{line.strip()[:60]}"; write the verb and '
                "its options, such as: train shots/010 --seconds 60."
            )
        log = folder / f"{number:03d}-{verb}.log"
        jobs.append(Job(number, line.strip(), str(log)))
    if not jobs:
        raise PaintoverError(f"{path} has no jobs; write one a line.")
    return jobs


def _run(job: Job, folder: Path, terminal: Terminal, dry_run: bool) -> None:
    """Run a job to its end, or until the terminal is told to stop."""
    began, job.state = time.monotonic(), RUNNING
    more = ["--dry-run"] if dry_run else ["--progress", "plain"]
    verb, *words = keep_negative(job.words)
    log = Path(os.devnull) if dry_run else Path(job.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "engine", verb, *more, *words]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    if not dry_run:
        append(log, f"{stamp} {job.command}\n".encode())
    with log.open("a", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE if dry_run else file,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        printed = _wait(process, terminal)
        job.seconds = round(time.monotonic() - began, 1)
        job.state = {0: DONE, 130: CANCELLED}.get(process.returncode, FAILED)
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {job.state}, {job.seconds:g} s\n")
    if not dry_run:
        printed = "\n".join(_end_of(log).splitlines()[:-1])
    told = [line for line in printed.splitlines() if line.strip()]
    job.says = told[-1] if told else ""


def _end_of(log: Path) -> str:
    with open_file(log) as file:
        file.seek(max(0, log.stat().st_size - _END_OF_LOG))
        return file.read(_END_OF_LOG).decode("utf-8", errors="replace")


def _wait(process: subprocess.Popen[str], terminal: Terminal) -> str:
    """Wait for a process; stop it when the terminal is told to. Returns what it printed."""
    stopped = None
    while True:
        try:
            return process.communicate(timeout=_LOOK)[0] or ""
        except subprocess.TimeoutExpired:
            pass
        if terminal.cancelled() and stopped is None:
            stopped = time.monotonic()
            process.send_signal(signal.SIGTERM)
        if stopped is not None and time.monotonic() - stopped > _PATIENCE:
            process.kill()


def _folders(words: list[str], folder: Path) -> set[str]:
    """Return the words of a command line that name folders."""
    return {word for word in words[1:] if not word.startswith("-") and (folder / word).is_dir()}


def _done_before(folder: Path) -> set[str]:
    """Return the commands that a run before has done."""
    try:
        jobs = read_json(folder / STATUS)
        return {job["command"] for job in jobs if job["state"] == DONE}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _write_status(folder: Path, jobs: list[Job]) -> None:
    write_bytes(folder / STATUS, (json.dumps(as_data(jobs), indent=1) + "\n").encode())
