# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of a list for ``batch``: how they are read, and what is known of each.

A line of the list is a command line without ``python -m engine``: ``train shots/010 --seconds 60``.
Empty lines and those that begin with # are left out. Paths are seen from the folder of the list.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import io
import json
import shlex
from pathlib import Path
from typing import Annotated, Any

from ..shared.checked import OneOf, extensible, from_data
from ..shared.errors import DamagedError, PaintoverError
from ..shared.files import write_bytes
from ..shared.frame_lists import keep_negative
from ..shared.names import one_line
from ..shared.reading import open_file, read_json
from .arguments import build_parser
from .several import each_shot

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
SKIPPED, WOULD_RUN, WOULD_FAIL = "skipped", "would run", "would fail"
_STATES = (WAITING, RUNNING, DONE, FAILED, CANCELLED, SKIPPED, WOULD_RUN, WOULD_FAIL)
DONE_BEFORE = "done before; --again runs it anew"
STATUS = "status.json"
_MOST_LIST = 1 << 20
"""Most bytes of a list."""
_MOST_LINE = 1 << 13
"""Most characters of a line, near the most of a command line on Windows."""
_FIRST = (RUNNING, CANCELLED, WOULD_FAIL, FAILED, SKIPPED, WAITING, WOULD_RUN)
"""Each is the state of a job of which any shot has it, if none before it is."""

Before = dict[tuple[str, int], dict[str, tuple[bool, bool]]]
"""A command, and how often it stood in the list before → shot → whether it is done, and goes on."""


@extensible
@dataclasses.dataclass
class Part:
    """What a job does to one shot.

    Attributes:
        shot: its folder, as the list has it; "" for a verb without shots.
        state: ``waiting``, ``running``, ``done``, ``failed``, ``cancelled`` or ``skipped``; in a
            dry run ``would run`` or ``would fail``.
        seconds: how long it took.
        says: its last line: the result, or why it failed.
        goes_on: whether it was stopped when it last ran, so that a training goes on.
    """

    shot: str
    state: Annotated[str, OneOf(_STATES)] = WAITING
    seconds: float = 0.0
    says: str = ""
    goes_on: bool = False


@dataclasses.dataclass
class Job:
    """A job of a list.

    Attributes:
        line: its number in the list.
        command: the command line, without ``python -m engine``.
        log: path of its log.
        each: the options for each shot.
        parts: what is known of each.
        started: date and time when it began last, "" if it has not.
    """

    line: int
    command: str
    log: str
    each: list[argparse.Namespace]
    parts: list[Part]
    started: str = ""

    @property
    def words(self) -> list[str]:
        """The words of the command line."""
        return shlex.split(self.command)

    @property
    def state(self) -> str:
        """The state of all its shots together."""
        states = {part.state for part in self.parts}
        return next((state for state in _FIRST if state in states), DONE)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return round(sum(part.seconds for part in self.parts), 1)

    @property
    def says(self) -> str:
        """What each shot says."""
        return "; ".join([self.told(part) for part in self.parts if part.says])

    def told(self, part: Part) -> str:
        """Return what a shot says, with its folder if that is needed to know which it is."""
        is_known = len(self.parts) == 1 or part.says.startswith(part.shot)
        return part.says if is_known else f"{part.shot}: {part.says}"

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON data."""
        names = ("line", "command", "log", "state", "started", "seconds", "says")
        shots = [dataclasses.asdict(part) for part in self.parts]
        return {**{name: getattr(self, name) for name in names}, "shots": shots}


def logs_of(path: Path) -> Path:
    """Return the folder of a list's logs, which no list with another suffix has."""
    return path.with_name(f"{path.name}.logs")


def read_list(path: Path) -> list[Job]:
    """Read a list of jobs.

    Raises:
        PaintoverError: it cannot be read, has no jobs, or a line is none.
    """
    try:
        with open_file(path) as file:
            data = file.read(_MOST_LIST + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise PaintoverError(f"Cannot read the list of jobs {path}: {error}.") from error
    if len(data) > _MOST_LIST:
        raise PaintoverError(f"The list of jobs {path} is too long; divide it into several.")
    parser, jobs = build_parser(), []
    with contextlib.chdir(path.parent):
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                _check_line(line)
                each = each_shot(_parsed(parser, line))
            except (PaintoverError, ValueError) as error:
                raise PaintoverError(
                    f'Line {number} of {path} is no job: "{line.strip()[:60]}" '
                    f"({str(error).rstrip('.')}); write the verb and its options, such as: train "
                    "shots/010 --seconds 60."
                ) from error
            parts = [Part(str(getattr(options, "shot", ""))) for options in each]
            log = logs_of(path) / f"{number:03d}-{each[0].verb}.log"
            jobs.append(Job(number, line.strip(), str(log), each, parts))
    if not jobs:
        raise PaintoverError(f"{path} has no jobs; write one a line.")
    return jobs


def _check_line(line: str) -> None:
    """Raise ValueError if a line cannot be given to a process."""
    if len(line) > _MOST_LINE:
        raise ValueError("it is too long")
    if "\0" in line:
        raise ValueError("it has a character of no text")


def _parsed(parser: argparse.ArgumentParser, line: str) -> argparse.Namespace:
    """Return the options of a line. Raises ValueError."""
    words, told = shlex.split(line) or [""], io.StringIO()
    if words[0].startswith("-") or words[0] in ("batch", "worker", "live"):
        raise ValueError("it begins with no verb of a job")
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            return parser.parse_args(keep_negative(words))
    except SystemExit:
        _, error, wrong = told.getvalue().rpartition("error: ")
        raise ValueError(one_line(wrong).strip() if error else "it asks for help") from None


@extensible
@dataclasses.dataclass
class _Noted:
    """What ``Job.as_data`` has of a job."""

    line: int
    command: str
    log: str
    state: Annotated[str, OneOf(_STATES)]
    started: str
    seconds: float
    says: str
    shots: list[Part]


def recall(jobs: list[Job], folder: Path) -> None:
    """Note which jobs are done, and which were stopped, when their list was last run.

    Raises:
        DamagedError: what is known of that run cannot be read.
    """
    before = _read_status(folder)
    for key, job in zip(_numbered([job.command for job in jobs]), jobs, strict=True):
        for part in job.parts:
            is_done, part.goes_on = before.get(key, {}).get(part.shot, (False, False))
            if is_done:
                part.state, part.says = DONE, DONE_BEFORE


def write_status(folder: Path, jobs: list[Job]) -> None:
    """Write what is known of all jobs."""
    data = [job.as_data() for job in jobs]
    write_bytes(folder / STATUS, (json.dumps(data, indent=1) + "\n").encode())


def _read_status(folder: Path) -> Before:
    path = folder / STATUS
    try:
        found = from_data(list[_Noted], read_json(path))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DamagedError(
            f"{path} cannot be read or is damaged, so what is done is not known; delete it, or use "
            "--again, and all jobs run."
        ) from error
    keys = _numbered([job.command for job in found])
    states = [{part.shot: _outcome(part) for part in job.shots} for job in found]
    return dict(zip(keys, states, strict=True))


def _outcome(part: Part) -> tuple[bool, bool]:
    if part.state in (WAITING, SKIPPED):
        return False, part.goes_on
    return part.state == DONE, part.state in (RUNNING, CANCELLED)  # running: it was killed


def _numbered(commands: list[str]) -> list[tuple[str, int]]:
    """Return each command with the number of times that it stands before it."""
    seen: collections.Counter[str] = collections.Counter()
    keys = []
    for command in commands:
        keys.append((command, seen[command]))
        seen[command] += 1
    return keys
