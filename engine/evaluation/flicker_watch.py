# SPDX-License-Identifier: GPL-3.0-or-later
"""The flicker of frames, measured and noted while they are stylized."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from ..images.types import FloatArray
from ..shared.errors import Cancelled, PaintoverError
from ..shared.flicker_records import Flicker, write_flicker
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .flicker_meter import FlickerInput, FlickerMeter, MeasuredFrame


class FlickerWatch:
    """Measures flicker while frames are stylized, in any order, and notes it beside them.

    A frame that cannot be measured is left out, since stylizing goes on without.

    Args:
        shot: the shot.
        style: the style.
    """

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._meter = FlickerMeter(shot, style)
        self.found: dict[int, Flicker] = {}
        """What was measured so far."""

    def wrote(self, frame: int, source: FlickerInput | None, result: FloatArray) -> None:
        """Look at a frame that is in its place; measure it if the last was the one before.

        Args:
            frame: its number.
            source: what the frame shows; None: it is read.
            result: (H, W, 3), what was written, of the window of ``source`` if that is given.
        """
        with suppress(PaintoverError):
            if source:
                self._meter.keep(frame, MeasuredFrame(source, source.fitting(result)))
            if self._meter.knows(frame - 1):
                self._measure(frame)
            else:
                self._meter.read(frame)

    def finish(
        self, frames: Iterable[int], is_up_to_date: Callable[[int], bool], report: Reporter
    ) -> None:
        """Measure the frames on both sides of those that were written, as far as it is not done.

        Args:
            frames: that were written.
            is_up_to_date: tells whether a frame's picture is what would be made now.
            report: may cancel.

        Raises:
            Cancelled: the reporter says so.
        """
        wanted = {after for frame in frames for after in (frame, frame + 1)}
        for frame in sorted(wanted - set(self.found)):
            if report.cancelled():
                raise Cancelled
            if not all(n in self._shot.frames and is_up_to_date(n) for n in (frame - 1, frame)):
                continue
            with suppress(PaintoverError):
                self._measure(frame)

    def _measure(self, frame: int) -> None:
        flicker = self._meter.flicker(frame)
        if flicker is not None:
            write_flicker(self._shot, self._style, frame, flicker)
            self.found[frame] = flicker
