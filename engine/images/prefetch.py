# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads frames ahead, while earlier ones are worked on."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar

from . import window
from .oiio_files import decoded_where_read

_Read = TypeVar("_Read")

PIXELS_AT_ONCE = 1 << 23
"""Largest total of pixels of the frames that are read at the same time."""


def read_ahead(
    read: Callable[[int], _Read], frames: Iterable[int], pixels: int, *, several: bool
) -> Iterator[_Read]:
    """Yield the results of reading frames, in order, while the next ones are being read.

    Args:
        read: reads a frame; called in separate threads where frames are not large.
        frames: numbers of the frames, each drawn when its reading begins.
        pixels: pixels of one frame.
        several: whether several frames may be read at the same time, up to one per CPU core.
    """
    if pixels > window.LARGE:
        yield from map(read, frames)
        return
    at_once = min(_cores(), PIXELS_AT_ONCE // pixels) if several else 1
    decoding = decoded_where_read() if at_once > 1 else nullcontext()
    with decoding, ThreadPoolExecutor(at_once) as readers:
        pending: deque[Future[_Read]] = deque()
        try:
            for frame in frames:
                pending.append(readers.submit(read, frame))
                if len(pending) > at_once:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for reading in pending:
                reading.cancel()


def _cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
