# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures flicker while frames are stylized, and writes it beside their records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from ..images.types import FloatArray
from ..shared.errors import Cancelled, PaintoverError
from ..shared.flicker_records import Flicker, read_flickers, write_flicker
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .flicker_meter import FlickerInput, FlickerMeter, MeasuredFrame

MOST_KEPT = 1 << 25
"""Bytes of a picture up to which the first frame of a job is kept to its end: the frame before it
is often painted meanwhile, by another machine."""
MOST_MISSED = 8
"""Frames of a job, other than those it has written, that are measured at its end: some that runs
have written that were killed. More cannot be measured at all."""


class FlickerWatch:
    """Measures the flicker of frames as they are written, in any order.

    Frames that cannot be measured are left out without an error.

    Args:
        shot: the shot.
        style: the style's name.
    """

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._meter = FlickerMeter(shot, style)
        self._first: tuple[int, MeasuredFrame] | None = None
        self.measured: dict[int, Flicker] = {}
        """Frame → flicker, of the frames measured so far."""

    def wrote(self, frame: int, source: FlickerInput | None, result: FloatArray) -> None:
        """Measure a written frame if the one before it is still kept, and keep it for the next.

        Args:
            frame: its number.
            source: the frame; None: read it.
            result: (H, W, 3) float32, 0..1, the written colours, of the window of ``source``;
                ignored without ``source``.
        """
        with suppress(PaintoverError):
            if source:
                measured = MeasuredFrame(source, source.fitting(result))
                self._meter.keep(frame, measured)
                follows = frame - 1 in self._shot.manifest.frames
                if follows and self._first is None and result.nbytes <= MOST_KEPT:
                    self._first = frame, measured
            if self._meter.knows(frame - 1):
                self._measure(frame)
            else:
                self._meter.read(frame)

    def finish(
        self,
        written: Iterable[int],
        frames: Iterable[int],
        is_up_to_date: Callable[[int], bool],
        report: Reporter,
    ) -> None:
        """Measure what is not measured yet: written frames, their neighbours, and a few others.

        Those others were written by runs that were killed before they measured them.

        Args:
            written: the written frames.
            frames: the frames of the job.
            is_up_to_date: returns whether a frame's picture is what would be made now.
            report: may cancel.

        Raises:
            Cancelled: the reporter asked to stop.
        """
        known = self._shot.manifest.frames
        near = {frame + step for frame in written for step in (-1, 0, 1)}
        others = {frame for frame in frames if frame - 1 in known} - near
        measured = read_flickers(self._shot, self._style, near | others).keys()
        missed = others - measured
        missing = near - measured | (missed if len(missed) <= MOST_MISSED else set())
        for frame in sorted(missing, key=lambda one: (not self._meter.knows(one - 1), one)):
            if report.cancelled():
                raise Cancelled
            if not all(n in known and is_up_to_date(n) for n in (frame - 1, frame)):
                continue
            if self._first and frame == self._first[0]:
                self._meter.keep(*self._first)
            with suppress(PaintoverError):
                self._measure(frame)

    def _measure(self, frame: int) -> None:
        flicker = self._meter.flicker(frame)
        if flicker is not None:
            write_flicker(self._shot, self._style, frame, flicker)
            self.measured[frame] = flicker
