# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a sweep's trials, which may come from anyone: each line is checked on its way.

It has the format of Optuna's journal: a JSON object in each line, and lines are only added.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.storages.journal import BaseJournalBackend

from ..shared.checked import Digest, Length, OneOf, Pattern, Range, from_data, parse_json
from ..shared.errors import PaintoverError
from ..shared.files import append, write_bytes
from ..shared.reading import open_file
from .space import Axis

MOST_BYTES, MOST_TRIALS = 16 << 20, 3_000
"""Most bytes and most trials of a journal."""
_MOST_LINE = 1 << 18
"""Most bytes of a line."""

_Worker = Annotated[str, Pattern("[0-9a-f-]{36}-[0-9]{1,20}")]
_Date = Annotated[str, Pattern("[0-9T:.+-]{1,40}")]
_Study = Annotated[int, OneOf((0,))]
_Trial = Annotated[int, Range(0, MOST_TRIALS - 1)]
_Word = Annotated[str, Length(0, 2000)]
_LongWord = Annotated[str, Length(0, 4096)]
_Values = dict[_Word, bool | int | float | _Word]
_Nothing = Annotated[int, OneOf(())]
_Empty = Annotated[dict[str, int], Length(0, 0)]


@dataclasses.dataclass
class _Line:
    op_code: int
    worker_id: _Worker


@dataclasses.dataclass
class _StudyBegun(_Line):
    study_name: Annotated[str, OneOf(("sweep",))]
    directions: Annotated[list[Annotated[int, OneOf((1,))]], Length(1, 1)]


@dataclasses.dataclass
class _Styles:
    styles: dict[Digest, _Trial]


@dataclasses.dataclass
class _StudyNoted(_Line):
    study_id: _Study
    user_attr: _Styles


@dataclasses.dataclass
class _TriedFirst:
    fixed_params: _Values = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _TrialBegun(_Line):
    study_id: _Study
    datetime_start: _Date | None
    state: Annotated[int, OneOf((0, 4))] = 0
    value: _Nothing | None = None
    values: _Nothing | None = None
    distributions: _Empty = dataclasses.field(default_factory=dict)
    params: _Empty = dataclasses.field(default_factory=dict)
    user_attrs: _Empty = dataclasses.field(default_factory=dict)
    system_attrs: _TriedFirst = dataclasses.field(default_factory=_TriedFirst)
    intermediate_values: _Empty = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _ValueChosen(_Line):
    trial_id: _Trial
    param_name: _Word
    param_value_internal: float
    distribution: str


@dataclasses.dataclass
class _StateReached(_Line):
    trial_id: _Trial
    state: Annotated[int, OneOf((0, 1, 2, 3))]
    values: Annotated[list[float], Length(1, 1)] | None
    datetime_start: _Date = ""
    datetime_complete: _Date = ""


@dataclasses.dataclass
class _RungReached(_Line):
    trial_id: _Trial
    step: Annotated[int, Range(0, 100)]
    intermediate_value: float


@dataclasses.dataclass
class _Scores:
    held_out: float
    strokes: float | None
    flicker: float | None


@dataclasses.dataclass
class _Notes:
    scores: _Scores | None = None
    steps: int | None = None
    seconds: float | None = None
    why: Annotated[str, Pattern(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,2000}")] = ""


@dataclasses.dataclass
class _TrialNoted(_Line):
    trial_id: _Trial
    user_attr: _Notes


@dataclasses.dataclass
class _SamplerNoted(_Line):
    trial_id: _Trial
    system_attr: dict[Annotated[str, Pattern("tpe:relative_params:[0-9]{1,2}")], _LongWord]


_KINDS: dict[int, type[_Line]] = {
    0: _StudyBegun,
    2: _StudyNoted,
    4: _TrialBegun,
    5: _ValueChosen,
    6: _StateReached,
    7: _RungReached,
    8: _TrialNoted,
    9: _SamplerNoted,
}
"""Optuna's numbers of what a line tells; a sweep has no others."""
_COMPLETE = 1


class Journal(BaseJournalBackend):
    """The journal of a sweep. What it raises tells that the file is damaged, if not said else.

    Args:
        path: of the file.
        axes: of the search, by name.
        alone: makes a block in which no other process writes.
    """

    def __init__(
        self,
        path: Path,
        axes: Mapping[str, Axis],
        alone: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._path, self._axes, self._alone = path, axes, alone
        self._kinds = {name: _distribution(axis) for name, axis in axes.items()}
        self._begins = [0]
        self._trials = 0
        self._chosen: set[tuple[int, str]] = set()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the lines from a number on, each checked, but one that is not yet written whole.

        Raises:
            OSError: the file cannot be read.
            ValueError, LookupError: it is too long, or a line is not as the search writes it.
        """
        with open_file(self._path) as file:
            if file.seek(0, os.SEEK_END) > MOST_BYTES:
                raise ValueError("too long")
            file.seek(self._begins[log_number_from])
            del self._begins[log_number_from + 1 :]
            while (line := file.readline(_MOST_LINE + 1)).endswith(b"\n"):
                self._begins.append(file.tell())
                data = self._checked(line)
                self._count(data)
                yield data
            if len(line) > _MOST_LINE:
                raise ValueError("a line is too long")

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines; one that a killed process has not written whole is dropped first.

        Raises:
            OSError: the file cannot be written.
            PaintoverError: it is full.
            Cancelled: another process writes all the time.
        """
        lines = [json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs]
        begun = sum(self._checked(line)["op_code"] == 4 for line in lines)
        with self._alone():
            length = self._drop_torn_line()
            is_full = length + sum(map(len, lines)) > MOST_BYTES
            if is_full or self._trials + begun > MOST_TRIALS or max(map(len, lines)) > _MOST_LINE:
                raise PaintoverError(
                    f"{self._path} is full; begin a sweep of another name with --style."
                )
            append(self._path, b"".join(lines))
            with self._path.open("rb+") as file:
                os.fsync(file.fileno())

    def _drop_torn_line(self) -> int:
        """Drop the last line if it has no end; return the length of the file."""
        with open_file(self._path) as file:
            length = file.seek(0, os.SEEK_END)
            if not length or length > MOST_BYTES:
                return length
            file.seek(length - 1)
            if file.read(1) == b"\n":
                return length
            file.seek(0)
            text = file.read(length)
        whole = text[: text.rfind(b"\n") + 1]
        write_bytes(self._path, whole)
        return len(whole)

    def _count(self, data: dict[str, Any]) -> None:
        """Refuse more trials and values than a search has; Optuna compares each with all before."""
        self._trials += data["op_code"] == 4
        if self._trials > MOST_TRIALS:
            raise ValueError("too many trials")
        if data["op_code"] == 5:
            choice = data["trial_id"], data["param_name"]
            if choice in self._chosen:
                raise ValueError("a value is chosen twice")
            self._chosen.add(choice)

    def _checked(self, line: bytes) -> dict[str, Any]:
        data: dict[str, Any] = parse_json(line)
        found = from_data(_KINDS[data["op_code"]], data)
        if isinstance(found, _TrialBegun):
            for name, value in found.system_attrs.fixed_params.items():
                if not self._axes[name].allows(value):
                    raise ValueError(f"{name} cannot be {value!r}")
        if isinstance(found, _ValueChosen):
            self._check_choice(found)
        if isinstance(found, _StateReached) and found.state == _COMPLETE and found.values is None:
            raise ValueError("a trial without a score")
        return data

    def _check_choice(self, found: _ValueChosen) -> None:
        kind, value = self._kinds[found.param_name], found.param_value_internal
        if _in_order(found.distribution) != _in_order(distribution_to_json(kind)):
            raise ValueError(f"{found.param_name} has another range")
        is_whole = isinstance(kind, FloatDistribution) or value == int(value)
        if isinstance(kind, CategoricalDistribution):
            is_there = 0 <= value < len(kind.choices)
        else:
            is_there = self._axes[found.param_name].allows(kind.to_external_repr(value))
        if not (is_whole and is_there):
            raise ValueError(f"{found.param_name} cannot be {value}")


def _distribution(axis: Axis) -> BaseDistribution:
    """Return an axis as Optuna writes it."""
    if axis.choices:
        return CategoricalDistribution(axis.choices)
    if axis.is_whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)


def _in_order(text: str) -> str:
    return json.dumps(parse_json(text), sort_keys=True)
