# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads frames and builds the network's input from them, with the temporal filter if wanted."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..frames.frame import Frame, read_frame
from ..images.types import FloatArray
from ..images.window import Window
from ..motion.frame_chain import FrameChain, prepare_together
from ..motion.temporal_filter import FilterSettings, TemporalFilter
from ..motion.track_cache import TrackCache
from ..projection.surface_projector import outline_reach
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import COVERAGE, GAUSSIANS, PROJECTION, has_surface
from . import registry as guides
from .gaussians import MovingGaussians

GUIDES_REACH = 8
"""Pixels around a pixel that guides look at; raise it for a guide that looks farther."""
AROUND_OUTLINE = 4
"""Pixels that the projection looks at beyond the reach of outlines."""
AROUND_MOTION = 24
"""Pixels around a pixel that a projection along motion looks at."""


def guides_reach(width: int) -> int:
    """Return how many pixels around a pixel the guides depend on, for frames of this width."""
    return max(GUIDES_REACH, math.ceil(outline_reach(width)) + AROUND_OUTLINE)


class Inputs:
    """Reads frames and builds the network's input from them, in any order.

    Args:
        shot: the shot.
        names: names of the guides, in channel order.
        keys: frame numbers of the keyframes; moving Gaussians start at the first, tracks at each.
        radius: radius of the temporal filter in frames; 0 turns it off.
        report: receives the progress of ``prepare`` and may cancel the work.
    """

    def __init__(
        self,
        shot: Shot,
        names: Sequence[str],
        keys: Collection[int],
        radius: int,
        report: Reporter,
    ) -> None:
        self._shot, self._names, self._report = shot, list(names), report
        self._wanted = guides.needs(names)
        self._filter: TemporalFilter | None = None
        self._gaussians: MovingGaussians | None = None
        if radius:
            self._filter = TemporalFilter(shot, FilterSettings(radius), report)
        if GAUSSIANS in names:
            first = min(shot.frames, key=lambda frame: abs(frame - min(keys)))
            self._gaussians = MovingGaussians(shot, first, report=report)
        self._chains: list[FrameChain[Any]] = [self._gaussians.chain] if self._gaussians else []
        if self._along_motion:
            self._chains += [TrackCache(shot, key, report) for key in keys]

    def follow(self, frame: int) -> None:
        """From now on ``prepare`` follows the motion from this frame, too."""
        if self._along_motion:
            self._chains.append(TrackCache(self._shot, frame, self._report))

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Follow the motion to some frames, for moving Gaussians and for the projection.

        Args:
            step: name of the job's step in the progress, such as ``train``.
            frames: frames of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop; what was followed stays in the cache.
        """
        prepare_together(self._chains, step, frames)

    @property
    def filters(self) -> bool:
        """Whether the temporal filter is on."""
        return self._filter is not None

    @property
    def local(self) -> bool:
        """Whether each pixel of the input depends only on nearby pixels of the same frame."""
        return not (self._filter or self._gaussians or self._along_motion)

    @property
    def has_parts(self) -> bool:
        """Whether parts of a frame can be computed, given what is known of the other frames."""
        return self._filter is None

    @property
    def _along_motion(self) -> bool:
        """Whether keyframes are projected along the motion."""
        return PROJECTION in self._names and not has_surface(self._shot.manifest.passes)

    @property
    def reach(self) -> int:
        """How many pixels around a pixel of the same frame the input depends on."""
        if self._along_motion:
            return max(GUIDES_REACH, AROUND_MOTION)
        return guides_reach(self._shot.manifest.width)

    def read(
        self,
        frame: int,
        also: Collection[str] = (),
        around: int | None = None,
        part: Window | None = None,
        only: Collection[str] | None = None,
    ) -> Frame:
        """Read a frame with the passes that the guides need.

        Args:
            frame: its number.
            also: further passes and extra guides to read.
            around, part: as for ``read_frame``; only if ``has_parts``.
            only: passes to read instead of those that the guides need.

        Raises:
            PaintoverError: the frame, or a neighbour that the filter needs, cannot be read.
            Cancelled: the reporter asked to stop.
        """
        wanted = self._wanted if only is None else set(only)
        read = read_frame(self._shot, frame, wanted.union(also), around, part)
        if self._filter:
            read.unfiltered, read.image = read.image, self._filter.picture(frame)
        return read

    def build(self, frame: Frame, carried: FloatArray | None = None) -> FloatArray:
        """Compute the network's input for a frame.

        Args:
            frame: a frame (H, W) from ``read``.
            carried: (7 or 8, H, W), the channels of the guides ``projection`` and ``coverage``;
                None leaves both out.

        Returns:
            (C, H, W) float32 in −1..1.
        """
        left_out = () if carried is not None else (COVERAGE, PROJECTION)
        names = [name for name in self._names if name not in left_out]
        return guides.build(names, frame, carried, self._gaussians)
