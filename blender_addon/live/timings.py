# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the live session keeps Blender's main thread busy, each time that it is called."""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_MOST = 20_000
"""Durations that are kept of each function; older ones are dropped."""
_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")
_seconds: dict[str, deque[float]] = {}


def measured(name: str) -> Callable[[Callable[_Given, _Returned]], Callable[_Given, _Returned]]:
    """Note under a name how long each call of a function takes."""

    def decorate(function: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
        @functools.wraps(function)
        def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                note(name, time.perf_counter() - began)

        return call

    return decorate


def note(name: str, seconds: float) -> None:
    """Note that something took so long."""
    _seconds.setdefault(name, deque(maxlen=_MOST)).append(seconds)


def seconds() -> dict[str, list[float]]:
    """Return the durations by name, in seconds, the oldest first."""
    return {name: list(values) for name, values in _seconds.items()}


def clear() -> None:
    """Forget all durations."""
    _seconds.clear()
