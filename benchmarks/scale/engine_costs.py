# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the engine's command line, and counts what it takes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import NamedTuple

from benchmarks.own_process import ROOT
from engine.shared.errors import PaintoverError


class Cost(NamedTuple):
    """What a process took: seconds on the clock, and seconds of the processor."""

    wall: float
    cpu: float


def start(*words: object, threads: int = 1) -> subprocess.Popen[str]:
    """Start ``python -m engine WORDS…`` with so many threads."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(threads),
    )


def _environment(threads: int) -> dict[str, str]:
    # Elsewhere Python keeps what it has compiled.
    kept = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "OMP_NUM_THREADS": str(threads)}


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process, and return what it printed. Raises PaintoverError if it failed."""
    printed, _ = process.communicate()
    if process.returncode:
        raise PaintoverError(f"The engine failed: {printed.strip()}")
    return printed


def cost_of(*words: object, threads: int = 1) -> Cost:
    """Run ``python -m engine WORDS…`` and return its cost.

    Raises:
        PaintoverError: it failed.
    """
    began, before = time.perf_counter(), _worked()
    finish(start(*words, threads=threads))
    return Cost(time.perf_counter() - began, _worked() - before)


def cost_together(commands: list[tuple[object, ...]], at_once: int) -> Cost:
    """Run several commands, so many at a time, each with one thread, and return the cost of all.

    Raises:
        PaintoverError: one failed.
    """
    began, before = time.perf_counter(), _worked()
    waiting, running = list(commands), list[subprocess.Popen[str]]()
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(start(*waiting.pop(0)))
        ended = [process for process in running if process.poll() is not None]
        for process in ended:
            finish(process)
            running.remove(process)
        if not ended:
            time.sleep(0.005)
    return Cost(time.perf_counter() - began, _worked() - before)


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
