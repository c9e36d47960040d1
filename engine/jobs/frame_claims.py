# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several machines paints a frame, where they stylize the same frames of a shot.

A machine claims a frame before it reads it, and gives the claim back when the frame is written.
Frames that another machine has claimed are left for later: they are done then, or that machine is
gone, and they are painted here. Nobody waits with claims in hand, so none waits for the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

from ..shared.claim_file import Holder
from ..shared.claims import Claims
from ..shared.errors import Cancelled
from ..shared.frame_lists import counted
from ..shared.places import is_file
from ..shared.reporter import Reporter
from ..shared.shot import Shot

_LOOK = 0.2
"""Seconds between two looks at frames that others paint."""


class FrameClaims:
    """The claims of one job on frames of a shot, for ``with``.

    Args:
        shot: the shot.
        style: name of the style.
        is_done: returns whether a frame was painted since the job began.
        report: hears that the job waits, and may cancel it.
        claims: takes them; None: as usual.
    """

    def __init__(
        self,
        shot: Shot,
        style: str,
        is_done: Callable[[int], bool],
        report: Reporter,
        claims: Claims | None = None,
    ) -> None:
        self._shot, self._style, self._is_done, self._report = shot, style, is_done, report
        self._claims = claims or Claims()
        self._left: list[int] = []
        self._others: dict[int, Holder] = {}

    def __enter__(self) -> FrameClaims:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give all claims back."""
        self._claims.close()

    def rounds(self, frames: list[int]) -> Iterator[list[int]]:
        """Yield frames to paint, ``turns`` of each round, until all are done by somebody.

        Raises:
            PaintoverError: a claim cannot be written or read.
            Cancelled: the reporter asked to stop.
        """
        left = frames
        while left:
            self._left = []
            yield left
            left = self._waited(self._left)

    def turns(self, frames: list[int]) -> Iterator[int]:
        """Yield those frames that are ours, each claimed when it is drawn.

        Raises:
            PaintoverError: a claim cannot be written or read.
        """
        for frame in frames:
            holder = self._claims.take(self._shot.frame_claim_path(self._style, frame))
            if holder is not None:
                self._left.append(frame)
                self._others[frame] = holder
            elif self._is_done(frame):
                self.release(frame)
            else:
                yield frame

    def release(self, frame: int) -> None:
        """Give the claim on a frame back; call it when the frame is written."""
        self._claims.release(self._shot.frame_claim_path(self._style, frame))

    def _waited(self, frames: list[int]) -> list[int]:
        """Wait until a frame of others is free, if any is left; return what is to be done."""
        while frames := [frame for frame in frames if not self._is_done(frame)]:
            for frame in frames:
                path = self._shot.frame_claim_path(self._style, frame)
                if self._claims.take(path) is None:
                    self._claims.release(path)
                    return frames
            if self._report.cancelled():
                raise Cancelled
            text = f"Waiting for {counted(len(frames), 'frame')} of {self._others[frames[0]]}"
            self._report.progress("stylize", 1.0, -1.0, text)
            time.sleep(_LOOK)
        return []


def remove_left_over(shot: Shot, style: str, frames: Iterable[int]) -> None:
    """Delete claims on frames that are done, of processes that were killed before they did so.

    Raises:
        PaintoverError: a claim cannot be deleted.
    """
    with Claims() as claims:
        for path in (shot.frame_claim_path(style, frame) for frame in frames):
            if is_file(path) and claims.take(path) is None:
                claims.release(path)
