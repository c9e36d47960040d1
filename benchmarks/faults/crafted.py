# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that someone crafted: valid ones, changed by rules, and what reading each of them does.

A crafted file is either refused by one sentence with its name and a way out, or what is read of it
is whole: finite numbers and valid text. Nothing else in the shot changes.
"""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.shared.errors import PaintoverError

from .counts import Counts, changed, contents, wrong_sentence
from .subjects import Subject, make_subjects

DEEP = 100_000
"""Levels of the data that are nested too deeply."""
_TRUNCATIONS, _FLIPS = 24, 48
_HUGE = "1" + "0" * 400
_VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "whole number": "7",
    "below zero": "-1",
    "fraction": "0.5",
    "huge": _HUGE,
    "beyond 64 bits": str(1 << 70),
    "beyond floats": "1e999",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "empty text": '""',
    "path": '"../../x"',
    "line break": r'"a\nopenjd_env: A=b"',
    "lone surrogate": r'"\ud800"',
    "zero character": r'"a\u0000b"',
    "empty list": "[]",
    "empty object": "{}",
    "nested": "[" * 50 + "]" * 50,
    "nested too deeply": "[" * DEEP + "]" * DEEP,
    "long list": "[" + "0," * 100_000 + "0]",
}
_MARK = "crafted-file-mark"


def measure(folder: Path, *, every: int = 1) -> Counts:
    """Read every crafted file of every kind.

    Args:
        folder: an empty folder to work in.
        every: reads only each so many of them.
    """
    counts = Counts()
    for subject in make_subjects(folder):
        valid = subject.path.read_bytes()
        before = _others(subject)
        for number, (rule, data) in enumerate(crafted(subject, valid)):
            if number % every == 0:
                subject.path.write_bytes(data)
                _try(subject, rule, counts)
        subject.path.write_bytes(valid)
        counts.lost += [f"{subject.kind}: {name}" for name in changed(before, _others(subject))]
    return counts


def crafted(subject: Subject, valid: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the rule and the content of every crafted file of a kind.

    Args:
        subject: the kind.
        valid: content of the valid file; the same content gives the same crafted files.
    """
    yield from _broken(valid)
    if subject.unpack and subject.pack:
        for rule, text in _of_json(subject.unpack(valid)):
            yield rule, subject.pack(valid, text)


def _broken(valid: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file that is cut short, or in which bits have flipped, or that is something else."""
    chance = random.Random(len(valid))
    for number in range(_TRUNCATIONS):
        yield "cut short", valid[: len(valid) * number // _TRUNCATIONS]
    for _ in range(_FLIPS):
        data = bytearray(valid)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield "flipped bit", bytes(data)
    for length in (1, 8, 4096):
        yield "noise", chance.randbytes(length)
        yield "zeros", bytes(length)
    yield "zeros in it", valid[: len(valid) // 3] + bytes(64) + valid[len(valid) // 3 + 64 :]
    yield "twice", valid + valid
    yield "longer", valid + b"x"
    yield "no UTF-8", b'{"a": "\xff"}'
    yield "nested too deeply", b"[" * DEEP
    yield "nested objects", b'{"a":' * DEEP
    yield "long header", struct.pack("<Q", 1 << 62) + valid


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    """Yield JSON with another value, or nothing, in each place in turn, and with other fields."""
    data = json.loads(text)
    for place in _places(data):
        for rule, value in _VALUES.items():
            yield (
                f"{rule} at {place}",
                json.dumps(_with(data, place, _MARK)).replace(f'"{_MARK}"', value),
            )
        if place:
            yield f"nothing at {place}", json.dumps(_without(data, place))
        if isinstance(_at(data, place), dict):
            for name in ("surprise", "-1x", "\ud800", "a\nb", str(1 << 60)):
                wider = {**_at(data, place), name: 1}
                yield f"more at {place}", json.dumps(_with(data, place, wider))


def _places(data: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the places of all values; of lists and of many alike fields only the first two."""
    yield place
    items: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
        if len(items) > 2 and all(str(name).lstrip("-").isdecimal() for name in data):
            items = items[:2]
    elif isinstance(data, list):
        items += list(enumerate(data))[:2]
    for name, value in items:
        yield from _places(value, (*place, name))


def _at(data: Any, place: tuple[str | int, ...]) -> Any:
    for name in place:
        data = data[name]
    return data


def _with(data: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    other = copy.deepcopy(data)
    _at(other, place[:-1])[place[-1]] = value
    return other


def _without(data: Any, place: tuple[str | int, ...]) -> Any:
    other = copy.deepcopy(data)
    del _at(other, place[:-1])[place[-1]]
    return other


def _try(subject: Subject, rule: str, counts: Counts) -> None:
    """Read a crafted file, and count what happens."""
    counts.tried += 1
    try:
        found = subject.read()
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    except PaintoverError as error:
        counts.refused += 1
        wrong = wrong_sentence(str(error), subject.path)
        if wrong:
            counts.unforeseen.append(f"{subject.kind}, {rule[:200]}: {wrong}: {error}")
    except Exception as error:  # whatever a reader lets through is what is counted here
        counts.unforeseen.append(f"{subject.kind}, {rule[:200]}: {type(error).__name__}: {error}")


def _others(subject: Subject) -> dict[str, bytes]:
    return {
        name: data for name, data in contents(subject.folder).items() if not _is_own(subject, name)
    }


def _is_own(subject: Subject, name: str) -> bool:
    return subject.folder / name == subject.path or Path(name).name in subject.rewritten
