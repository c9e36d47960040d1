# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``batch``: runs a list of jobs, each shot in a process of its own, with a log a job."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ...shared.claim_file import Holder
from ...shared.claims import Claims
from ...shared.durations import format_seconds
from ...shared.errors import Cancelled, PaintoverError
from ...shared.files import append
from ...shared.frame_lists import counted, keep_negative
from ...shared.names import one_line
from ...shared.places import real_path
from ...shared.reading import open_file
from ..dry_run import Made
from ..dry_run import describe as would
from ..error_messages import explain
from ..job_list import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    SKIPPED,
    WOULD_FAIL,
    WOULD_RUN,
    Job,
    Part,
    logs_of,
    read_list,
    recall,
    write_status,
)
from ..terminal import Terminal
from .printing import print_data

_END_OF_LOG = 1 << 16
"""Most bytes at the end of a log in which its last line is looked for."""
_LOOK, _PATIENCE = 0.1, 60.0
"""Seconds between two looks at a job, and those that a cancelled one gets to end."""


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Run a list of jobs, or say what they would do, and print how they ended.

    Raises:
        PaintoverError: the list cannot be read, or a job failed.
        Cancelled: the job was told to stop.
    """
    jobs = read_list(options.list)
    with contextlib.nullcontext() if options.dry_run else _alone(options.list, terminal):
        if not options.again:
            recall(jobs, logs_of(options.list))
        if options.dry_run:
            rehearse(jobs, options.list.parent)
        else:
            run_jobs(jobs, options.list, terminal)
    print_data(options, [job.as_data() for job in jobs], lambda: describe(jobs))
    failed = [job for job in jobs if job.state not in (DONE, WOULD_RUN)]
    if failed and options.dry_run:
        raise PaintoverError(
            f"{counted(len(failed), 'job')} of {len(jobs)} would fail, the first in line "
            f"{failed[0].line}; mend it before you run the list."
        )
    if failed:
        skipped = sum(job.state == SKIPPED for job in failed)
        more = f", and {skipped} skipped for it" if skipped else ""
        raise PaintoverError(
            f"{counted(len(failed) - skipped, 'job')} of {len(jobs)} failed{more}, the first in "
            f"line {failed[0].line}; see {failed[0].log}, mend it, and run the list again."
        )


def rehearse(jobs: list[Job], folder: Path) -> None:
    """Note what each job would do that is not done yet, as if those before had run.

    Args:
        jobs: of the list; their states are changed.
        folder: of the list.
    """
    made = Made()
    with contextlib.chdir(folder):
        for job in jobs:
            for part, options in zip(job.parts, job.each, strict=True):
                if part.state == DONE:
                    continue
                try:
                    part.state, part.says = WOULD_RUN, would(options, made)
                except (PaintoverError, OSError) as error:
                    part.state, part.says = WOULD_FAIL, explain(error) or str(error)


def run_jobs(jobs: list[Job], path: Path, terminal: Terminal) -> None:
    """Run the jobs of a list that are not done yet, one after the other.

    After a job that failed for a shot, later ones of it are skipped, and the others run. A
    training that was stopped goes on.

    Args:
        jobs: of the list; their states are changed, and written to ``LIST.logs/status.json``.
        path: the list.
        terminal: shows the progress, and may cancel.

    Raises:
        PaintoverError: a log cannot be written.
        Cancelled: the job was told to stop; the next run goes on.
    """
    folder = logs_of(path)
    write_status(folder, jobs)
    bad: set[Path] = set()
    for number, job in enumerate(jobs):
        terminal.progress("batch", number / len(jobs), -1.0, f"{number + 1} of {len(jobs)}")
        for index, part in enumerate(job.parts):
            shot = real_path(path.parent / part.shot)
            if part.state == DONE:
                continue
            if part.shot and shot in bad:
                part.state, part.says = SKIPPED, f"an earlier job of {part.shot} failed"
                continue
            part.state, part.says = RUNNING, ""
            job.started = job.started or _now()
            write_status(folder, jobs)
            _run(job, index, path.parent, terminal)
            write_status(folder, jobs)
            if part.state == CANCELLED:
                raise Cancelled
            if part.state == FAILED:
                bad.add(shot)
    write_status(folder, jobs)


@contextlib.contextmanager
def _alone(path: Path, terminal: Terminal) -> Iterator[None]:
    """Let nobody else run the list. Raises PaintoverError if somebody does."""

    def wait(holder: Holder) -> None:
        terminal.progress("batch", 0.0, -1.0, f"Waiting for signs of a run by {holder}")

    with Claims() as claims:
        claim = logs_of(path) / ".batch.claim"
        claims.take_or_refuse(claim, f"The list {path} is being run", wait, terminal.cancelled)
        yield


def describe(jobs: list[Job]) -> str:
    """Return the outcome of all jobs as text: a line each, and one for each of its shots."""
    lines = []
    for job in jobs:
        lines.append(f"line {job.line}: {job.state}{_took(job)}: {job.command}")
        for part in job.parts:
            state = "" if part.state == job.state else f"{part.state}{_took(part)}: "
            lines.append(f"    {state}{job.told(part)}".rstrip())
    return "\n".join(map(one_line, lines))


def _took(job: Job | Part) -> str:
    return f" in {format_seconds(job.seconds)}" if job.seconds else ""


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _run(job: Job, index: int, folder: Path, terminal: Terminal) -> None:
    """Run what a job does to one of its shots to its end, or until the terminal is told to stop."""
    part, began = job.parts[index], time.monotonic()
    more = ["--with-input", "--progress", "plain", "--only", str(index + 1)]
    verb, *words = keep_negative(job.words)
    if part.goes_on and verb == "train":
        more.append("--go-on")
    log = Path(job.log)
    command = [sys.executable, "-m", "engine", verb, *more, *words]
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    which = f" (shot {index + 1} of {len(job.parts)}: {part.shot})" if len(job.parts) > 1 else ""
    append(log, one_line(f"{_now()} {job.command}{which}").encode() + b"\n")
    with log.open("a", encoding="utf-8") as file:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,  # closes when this process ends, however it does
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
        ) as process:
            _wait(process, terminal)
        part.seconds = round(time.monotonic() - began, 1)
        part.state = {0: DONE, 130: CANCELLED}.get(process.returncode, FAILED)
        file.write(f"{_now()} {part.state}, {part.seconds:g} s\n")
    told = [line for line in _end_of(log).splitlines()[:-1] if line.strip()]
    part.says = told[-1] if told else ""


def _end_of(log: Path) -> str:
    with open_file(log) as file:
        file.seek(max(0, log.stat().st_size - _END_OF_LOG))
        return file.read(_END_OF_LOG).decode("utf-8", errors="replace")


def _wait(process: subprocess.Popen[bytes], terminal: Terminal) -> None:
    """Wait for a process; stop it when the terminal is told to."""
    stopped = None
    assert process.stdin
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_LOOK)
        if terminal.cancelled() and stopped is None:
            stopped = time.monotonic()
            process.stdin.close()
        if stopped is not None and time.monotonic() - stopped > _PATIENCE:
            process.kill()
