# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames are to be made, and writing them while the next one is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..shared.errors import Cancelled, PaintoverError
from ..shared.frame_lists import format_frames
from ..shared.reporter import Reporter
from ..shared.shot import Shot

_Picture = TypeVar("_Picture")


def check_format(name: str, depth: int) -> None:
    """Raise PaintoverError for a file format, or bits a channel of PNG, that cannot be written."""
    if name not in ("png", "exr") or depth not in (8, 16):
        raise PaintoverError("Frames can be written as PNG with 8 or 16 bits, or as EXR.")


def wanted_frames(shot: Shot, frames: list[int]) -> list[int]:
    """Return the frames of a request, each once; none means all of the shot.

    Raises:
        PaintoverError: the shot has not all of them.
    """
    wanted = list(dict.fromkeys(frames)) or shot.frames
    unknown = set(wanted) - set(shot.frames)
    if unknown:
        raise PaintoverError(
            f"{shot.folder} has no frame {format_frames(unknown)}, only "
            f"{format_frames(shot.frames)}; capture it, or leave it out."
        )
    return wanted


def write_all(
    pictures: Iterator[tuple[int, _Picture]],
    write: Callable[[int, _Picture], Path],
    count: int,
    step: str,
    report: Reporter,
    *,
    meanwhile: bool = True,
) -> None:
    """Write pictures while the next is made, and report each that is in its place.

    Args:
        pictures: frame and what is to be written.
        write: called in a thread of its own, in order, with these two; returns the path.
        count: how many pictures there are.
        step: of the progress.
        report: hears of it.
        meanwhile: False: write each before the next is made, to bound the memory.

    Raises:
        Cancelled: the reporter asked to stop; what was begun is written.
    """
    began = time.monotonic()
    done = 0

    def finished(frame: int, path: Path) -> None:
        nonlocal done
        done += 1
        report.frame_done(frame, path)
        left = (time.monotonic() - began) / done * (count - done)
        report.progress(step, done / count, left, f"Frame {done} of {count}")

    with ThreadPoolExecutor(1) as writer:
        pending: tuple[int, Future[Path]] | None = None
        try:
            for frame, picture in pictures:
                before, pending = pending, (frame, writer.submit(write, frame, picture))
                del picture
                if not meanwhile:
                    pending[1].result()
                if before:
                    finished(before[0], before[1].result())
                if report.cancelled():
                    raise Cancelled
        finally:
            if pending:
                finished(pending[0], pending[1].result())
