# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the command line in forks of a process that has loaded the engine, killed on demand.

A fork needs no second to start, so a kill can come at any moment of the job itself.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.own_process import ROOT


@dataclasses.dataclass(frozen=True)
class Run:
    """One run to make.

    Attributes:
        words: the arguments after ``python -m engine``.
        kill_after: seconds until it is killed; 0: never.
        number: process number that it believes to have; 0: its own.
        clock: seconds that its clock is wrong by.
        saves_each_step: whether training saves its state after each step.
        most_bytes: most bytes of a file that it may write, in the place of a full disk; 0: any.
        unprivileged: whether it drops the rights of root.
    """

    words: tuple[str, ...]
    kill_after: float = 0.0
    number: int = 0
    clock: float = 0.0
    saves_each_step: bool = False
    most_bytes: int = 0
    unprivileged: bool = False


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: exit code; below 0 the signal that killed it.
        err: what it wrote to the standard error.
        seconds: how long it took.
        left: processes of it that still ran, and descriptors that were left open.
    """

    code: int
    err: str
    seconds: float
    left: int

    @property
    def was_killed(self) -> bool:
        """Whether it was killed before it had ended."""
        return self.code < 0

    @property
    def fault(self) -> str:
        """What is wrong with its end; "" if it is done, was killed, or failed in a sentence."""
        sentence = self.err.strip()
        lines = sentence.splitlines()
        if self.code in (0, -9):
            return ""
        if self.code != 1:
            return f"code {self.code}: {sentence[-300:]}"
        errors = [line for line in lines if not line.startswith("Warning: ")]
        if len(errors) != 1 or "Internal error" in sentence or not sentence.endswith((".", ")")):
            return sentence[-300:] or "no sentence"
        return ""


class EngineRuns:
    """The process that is forked; it ends with ``close``."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.faults.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            encoding="utf-8",
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def run(self, *words: object, **options: Any) -> Ended:
        """Run one command to its end; options as the attributes of ``Run``."""
        return self.together([Run(tuple(map(str, words)), **options)])[0]

    def together(self, runs: Sequence[Run]) -> list[Ended]:
        """Start several runs at once, and wait until all have ended."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps([dataclasses.asdict(run) for run in runs]) + "\n")
        self._server.stdin.flush()
        return [Ended(**ended) for ended in json.loads(self._server.stdout.readline())]

    def close(self) -> None:
        """End the process."""
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()
