# SPDX-License-Identifier: GPL-3.0-or-later
"""The one checker of data from files and messages: JSON data become what a type says, or nothing.

Dataclasses tell by their annotations what their JSON may be: types, and with ``Annotated`` the
marks below. Numbers are finite, and text can be written as UTF-8, in every place.

    Side = Annotated[int, Range(1, 65536)]

    @dataclass
    class Size:
        width: Side
        height: Side

    size = from_data(Size, parse_json(data))
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
import types
from collections.abc import Callable, Mapping
from typing import (
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from .frame_lists import LARGEST_FRAME

_Kind = TypeVar("_Kind")
_Check = Callable[[Any], Any]

_MOST_VALUES = 1_500_000
"""Most values of JSON data, with objects counted four times; they take up to 150 MB."""
_DEPTH = 16
"""Most levels of data that may be anything (``Any``)."""
_LARGEST = 1 << 53
"""Largest magnitude of a whole number without a range: what every reader of JSON can hold."""
_LONGEST = 1 << 20
"""Most characters of a text without a length."""
_FRAME = re.compile(r"0|-?[1-9][0-9]{0,15}")
_EXTENSIBLE: set[type] = set()


class WrongDataError(ValueError):
    """Data are not what their type says; the text tells where and why, for logs."""


class TooMuchError(WrongDataError):
    """Data are more than is read."""


class UnknownFieldError(WrongDataError):
    """An object has a field that its type does not have; ``name`` is the field's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown field {name[:80]!r}")
        self.name = name


@dataclasses.dataclass(frozen=True)
class Range:
    """Smallest and largest value of a number, both allowed."""

    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Length:
    """Least and most characters of a text, or items of a list or an object."""

    least: int
    most: int


@dataclasses.dataclass(frozen=True)
class Pattern:
    """Regular expression for all of a text."""

    text: str


@dataclasses.dataclass(frozen=True)
class OneOf:
    """The values that are allowed."""

    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Known:
    """Types of fields that an object may have besides others."""

    types: tuple[tuple[str, Any], ...]


Frame = Annotated[int, Range(-LARGEST_FRAME, LARGEST_FRAME)]
"""Number of a frame."""
Digest = Annotated[str, Pattern(r"[\w -]{0,128}")]
"""A digest as ``files`` makes it, or what stands for one, such as "" for no file."""


def parse_json(data: str | bytes) -> Any:
    """Parse JSON, within bounded memory.

    Raises:
        ValueError: it is no JSON, not UTF-8, has too many values or is nested too deeply, or holds
            NaN or Infinity.
    """
    text = data if isinstance(data, str) else data.decode("utf-8-sig")
    check_amount(text)
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise WrongDataError("nested too deeply") from None


def check_amount(text: str, times: int = 1) -> None:
    """Raise TooMuchError if JSON, or so many times it, is more than ``parse_json`` reads."""
    if times * (text.count("[") + text.count(",") + 4 * text.count("{")) > _MOST_VALUES:
        raise TooMuchError("too many values")


def from_data(kind: type[_Kind], data: Any) -> _Kind:
    """Return JSON data as a dataclass, or another type that a field of one may have.

    Args:
        kind: the type. Fields with a default may be missing.
        data: as ``parse_json`` returns it.

    Raises:
        WrongDataError: the data are not as the type and its annotations say.
    """
    annotation: Any = kind
    checked: _Kind = _check_of(annotation)(data)
    return checked


def extensible(kind: type[_Kind]) -> type[_Kind]:
    """Mark a dataclass whose objects may have fields that it does not know; they are left out.

    It is for what other programs write, or other versions of Paintover at the same time.
    """
    _EXTENSIBLE.add(kind)
    return kind


def _refuse(constant: str) -> Any:
    raise WrongDataError(f"{constant} is no number")


@functools.cache
def _check_of(kind: Any) -> _Check:
    """Return the function that checks data against a type."""
    marks: tuple[Any, ...] = ()
    if get_origin(kind) is Annotated:
        kind, *rest = get_args(kind)
        marks = tuple(rest)
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _with_marks(_object(kind), marks)
    if origin in (Union, types.UnionType):
        return _with_marks(_any_of(arguments), marks)
    if origin is list:
        return _with_marks(_list(arguments[0]), marks)
    if origin is tuple and arguments[1:] == (...,):
        items = _with_marks(_list(arguments[0]), marks)
        return lambda data: tuple(items(data))
    if origin is dict:
        return _with_marks(_dict(*arguments), marks)
    simple: dict[Any, _Check] = {bool: _bool, int: _int, float: _float, str: _str, Any: _anything}
    return _with_marks(simple[kind], marks)


def _with_marks(check: _Check, marks: tuple[Any, ...]) -> _Check:
    for mark in marks:
        check = _with_mark(check, mark)
    return check


def _with_mark(check: _Check, mark: Any) -> _Check:
    if isinstance(mark, Known):
        known = {name: _check_of(kind) for name, kind in mark.types}
        return lambda data: _known(known, check(data))
    allows = _allows(mark)

    def marked(data: Any) -> Any:
        value = check(data)
        if not allows(value):
            raise WrongDataError(f"{str(data)[:80]!r} is not allowed: {mark}")
        return value

    return marked


def _allows(mark: Any) -> Callable[[Any], bool]:
    if isinstance(mark, Range):
        low, high = mark.low, mark.high
        return lambda value: low <= value <= high
    if isinstance(mark, Length):
        least, most = mark.least, mark.most
        return lambda value: least <= len(value) <= most
    if isinstance(mark, Pattern):
        fits = re.compile(mark.text).fullmatch
        return lambda value: fits(value) is not None
    values: tuple[Any, ...] = mark.values
    return lambda value: value in values


def _known(known: Mapping[str, _Check], data: dict[str, Any]) -> dict[str, Any]:
    checked = {name: _at(name, check, data[name]) for name, check in known.items() if name in data}
    return {**data, **checked}


def _object(kind: Any) -> _Check:
    hints = get_type_hints(kind, include_extras=True)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    checks = {field.name: _check_of(hints[field.name]) for field in fields}
    needed = {
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }

    def check(data: Any) -> Any:
        if type(data) is not dict:
            raise WrongDataError("no object")
        if kind in _EXTENSIBLE:
            data = {name: value for name, value in data.items() if name in checks}
        if not data.keys() <= checks.keys():
            raise UnknownFieldError(next(name for name in data if name not in checks))
        if not needed <= data.keys():
            raise WrongDataError(f"the field {min(needed - data.keys())} is missing")
        return kind(**{name: _at(name, checks[name], value) for name, value in data.items()})

    return check


def _at(name: str, check: _Check, value: Any) -> Any:
    """Check a value; errors tell its place."""
    try:
        return check(value)
    except UnknownFieldError:
        raise
    except WrongDataError as error:
        raise WrongDataError(f"{name[:80]}: {error}") from None


def _any_of(kinds: tuple[Any, ...]) -> _Check:
    checks = [_check_of(kind) for kind in kinds if kind is not types.NoneType]
    may_be_none = types.NoneType in kinds

    def check(data: Any) -> Any:
        if data is None and may_be_none:
            return None
        for one in checks[:-1]:
            try:
                return one(data)
            except WrongDataError:
                continue
        return checks[-1](data)

    return check


def _list(kind: Any) -> _Check:
    item = _check_of(kind)

    def check(data: Any) -> list[Any]:
        if type(data) is not list:
            raise WrongDataError("no list")
        if item is _float and all(type(one) is float for one in data) and math.isfinite(sum(data)):
            return data  # as below, but quick
        return [item(one) for one in data]

    return check


def _dict(key_kind: Any, kind: Any) -> _Check:
    has_numbers = (get_args(key_kind) or (key_kind,))[0] is int
    key, value = _check_of(key_kind), _check_of(kind)

    def check(data: Any) -> dict[Any, Any]:
        if type(data) is not dict:
            raise WrongDataError("no object")
        return {
            key(_number(name) if has_numbers else name): _at(name, value, one)
            for name, one in data.items()
        }

    return check


def _number(name: str) -> int:
    """Return the number that the name of a field is; each number has one name."""
    if not _FRAME.fullmatch(name):
        raise WrongDataError(f"{name[:80]!r} is no whole number")
    return int(name)


def _bool(data: Any) -> bool:
    if type(data) is not bool:
        raise WrongDataError("neither true nor false")
    return data


def _int(data: Any) -> int:
    if type(data) is not int or not -_LARGEST <= data <= _LARGEST:
        raise WrongDataError("no whole number")
    return data


def _float(data: Any) -> float:
    if type(data) is int and -_LARGEST <= data <= _LARGEST:
        return float(data)
    if not isinstance(data, float) or not math.isfinite(data):
        raise WrongDataError("no number")
    return data


def _str(data: Any) -> str:
    if type(data) is not str or len(data) > _LONGEST:
        raise WrongDataError("no text, or too long")
    if not data.isascii():
        try:
            data.encode()
        except UnicodeEncodeError:
            raise WrongDataError("text that is not valid") from None
    if "\0" in data:
        raise WrongDataError("text with the character 0")
    return data


def _anything(data: Any, depth: int = _DEPTH) -> Any:
    """Check data that may be anything."""
    if depth == 0:
        raise WrongDataError("nested too deeply")
    if type(data) is dict:
        return {_str(name): _anything(one, depth - 1) for name, one in data.items()}
    if type(data) is list:
        return [_anything(one, depth - 1) for one in data]
    if data is None or type(data) is bool:
        return data
    if type(data) is str:
        return _str(data)
    return data if type(data) is int and _int(data) == data else _float(data)
