# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading frames while those before them are painted."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar

from ..images import window
from ..images.oiio_files import decoded_where_read

_Read = TypeVar("_Read")

PIXELS_AT_ONCE = 1 << 23
"""Frames that are read at once have so many pixels together at most."""


def read_ahead(
    read: Callable[[int], _Read], frames: Sequence[int], pixels: int, *, several: bool
) -> Iterator[_Read]:
    """Yield what reading frames gives, in order, while the next ones are read.

    Args:
        read: called in threads of its own where frames are small enough.
        frames: their numbers.
        pixels: of a frame.
        several: whether several may be read at the same time, as many as there are processor
            cores.
    """
    if pixels > window.LARGE:
        yield from map(read, frames)
        return
    at_once = min(_cores(), PIXELS_AT_ONCE // pixels) if several else 1
    spare = decoded_where_read() if at_once > 1 else nullcontext()
    with spare, ThreadPoolExecutor(at_once) as readers:
        begun: deque[Future[_Read]] = deque()
        try:
            for frame in frames:
                begun.append(readers.submit(read, frame))
                if len(begun) > at_once:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for reading in begun:
                reading.cancel()


def _cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
