# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network looks at: frames as its guides need them, filtered over time or not."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from ..frames.frame import Frame, read_frame
from ..images.types import FloatArray
from ..images.window import Window
from ..motion.temporal_filter import FilterSettings, TemporalFilter
from ..projection.surface_projector import outline_reach
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import GAUSSIANS, PROJECTION, has_surface
from . import registry as guides
from .gaussians import MovingGaussians

GUIDES_REACH = 8
"""How many pixels around a pixel guides look at at least; see ``Inputs.local``."""
AROUND_OUTLINE = 4
"""How many pixels farther than outlines reach."""


def guides_reach(width: int) -> int:
    """Return how many pixels around a pixel guides look at in frames so wide."""
    return max(GUIDES_REACH, math.ceil(outline_reach(width)) + AROUND_OUTLINE)


class Inputs:
    """Reads frames and builds the network's input of them, in any order.

    Args:
        shot: the shot.
        names: guides, in channel order.
        keys: keyframes; moving Gaussians begin at the first.
        radius: how many frames to each side the filter over time looks at, 0 for no filter.
        report: hears how far ``prepare`` is, and may cancel the work.
    """

    def __init__(
        self,
        shot: Shot,
        names: Sequence[str],
        keys: Collection[int],
        radius: int,
        report: Reporter,
    ) -> None:
        self._shot, self._names = shot, list(names)
        self._wanted = guides.needs(names)
        self._filter: TemporalFilter | None = None
        self._gaussians: MovingGaussians | None = None
        if radius:
            self._filter = TemporalFilter(shot, FilterSettings(radius), report)
        if GAUSSIANS in names:
            first = min(shot.frames, key=lambda frame: abs(frame - min(keys)))
            self._gaussians = MovingGaussians(shot, first, report=report)

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Do ahead, with progress, what leads from the keyframe to some frames.

        Args:
            step: of the progress, such as ``train``.
            frames: of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop.
        """
        if self._gaussians:
            self._gaussians.prepare(step, frames)

    @property
    def filters(self) -> bool:
        """Whether pictures are filtered over time."""
        return self._filter is not None

    @property
    def local(self) -> bool:
        """Whether what the guides tell of a pixel follows from the frame's pixels near by."""
        along_motion = PROJECTION in self._names and not has_surface(self._shot.manifest.passes)
        return not (self._filter or self._gaussians or along_motion)

    @property
    def reach(self) -> int:
        """How many pixels around a pixel guides look at, where they are ``local``."""
        return guides_reach(self._shot.manifest.width)

    def read(
        self,
        frame: int,
        also: Collection[str] = (),
        around: int | None = None,
        part: Window | None = None,
        only: Collection[str] | None = None,
    ) -> Frame:
        """Read a frame with what the guides need.

        Args:
            frame: its number.
            also: passes and extra guides to read besides.
            around, part: as of ``read_frame``; only where ``local``.
            only: what to read instead of all that the guides need.

        Raises:
            PaintoverError: it, or one that it is filtered with, cannot be read.
            Cancelled: the reporter asked to stop.
        """
        wanted = self._wanted if only is None else set(only)
        read = read_frame(self._shot, frame, wanted.union(also), around, part)
        if self._filter:
            read.image = self._filter.picture(frame)
        return read

    def build(self, frame: Frame, carried: FloatArray | None = None) -> FloatArray:
        """Compute the network's input.

        Args:
            frame: as ``read`` gave it.
            carried: the channels of the guide ``projection``; None leaves it out.

        Returns:
            (C, H, W) float32 in −1..1.
        """
        names = [name for name in self._names if carried is not None or name != PROJECTION]
        return guides.build(names, frame, carried, self._gaussians)
