# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the frames of a shot: finds its cells, what candidates see of them, and its cuts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from ..frames.frame import MATTE, Frame, read_frame
from ..images.array_files import Arrays, checked_array
from ..images.prefetch import read_ahead
from ..images.types import BoolArray, FloatArray
from ..motion.optical_flow import NeighbourMotion, motion_between, reduced
from ..shared.coverage_records import MOTION, SURFACE
from ..shared.errors import Cancelled, PaintoverError
from ..shared.frame_lists import spread
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import has_surface
from .cells import Grid, Views
from .cuts import find_cuts, leads_on, other_camera, small_picture
from .kept import Kept
from .motion_views import MotionViews, PointTracks
from .surface_views import NEEDS, ReducedSurface, SurfaceViews, read_reduced, reduce_surface

MOST_FRAMES = 400
"""Frames that are looked at where there is a surface; of longer shots evenly spread ones."""
MOST_CANDIDATES = 100
"""Frames among which the ones to paint next are sought; of longer shots evenly spread ones."""
READING = 0.7
"""Share of the progress that ends when all frames are read."""
_Read = TypeVar("_Read")


def way_of(shot: Shot) -> str:
    """Return how cells are found again: by the surface or along the motion."""
    return SURFACE if has_surface(shot.manifest.passes) else MOTION


def views_of(shot: Shot, arrays: Arrays) -> Views:
    """Return the views of a shot from the arrays that were kept of them.

    Raises ValueError if they cannot be those of the shot.
    """
    if way_of(shot) == MOTION:
        return MotionViews.kept(arrays, Grid.of(shot, len(shot.frames)), shot.frames)
    numbers = checked_array(arrays, "numbers", np.int32, None)
    grid = Grid.of(shot, len(numbers))
    return SurfaceViews.kept(
        arrays, grid, shot.frames, lambda frame: read_reduced(shot, grid, frame)
    )


def look(shot: Shot, keys: Sequence[int], report: Reporter) -> Kept:
    """Look at the frames of a shot.

    Args:
        shot: the shot.
        keys: frames that are looked at in any case, and are among the candidates.
        report: receives the progress, and may cancel.

    Raises:
        PaintoverError: a frame cannot be read, or none shows anything to paint.
        Cancelled: the reporter asked to stop.
    """
    looking = _Looking(shot, keys, report)
    views = looking.by_surface() if way_of(shot) == SURFACE else looking.along_motion()
    if not len(views.frame):
        raise PaintoverError(
            f"No frame of {shot.folder} shows a surface that paint can stick to, such as an object "
            "inside the matte; all is transparent, sky or smoke, or outside the matte."
        )
    found = looking.seen_by_candidates(views)
    return Kept(views, found, looking.cuts())


class _Looking:
    """One look at a shot; arguments as for ``look``."""

    def __init__(self, shot: Shot, keys: Sequence[int], report: Reporter) -> None:
        self._shot, self._report = shot, report
        self._frames = shot.frames
        if way_of(shot) == SURFACE:
            self._frames = sorted({*spread(self._frames, MOST_FRAMES), *keys})
        self._candidates = sorted({*spread(self._frames, MOST_CANDIDATES), *keys})
        self._small: dict[int, FloatArray] = {}
        self._leading: dict[int, bool] = {}
        self._next_frame = dict(itertools.pairwise(shot.frames))
        self._grid = Grid.of(shot, len(self._frames))
        self._reduced: dict[int, ReducedSurface] = {}

    def by_surface(self) -> SurfaceViews:
        """Return the views by the surface pass."""

        def read(frame: int) -> tuple[ReducedSurface, Frame]:
            found = read_frame(self._shot, frame, NEEDS)
            return reduce_surface(found, self._grid), reduced(found, self._grid.shape)

        def reduced_frames() -> Iterator[tuple[int, ReducedSurface]]:
            candidates = set(self._candidates)
            before: Frame | None = None
            for frame, (found, picture) in self._each(read):
                self._connect(before, picture)
                if frame in candidates:
                    self._reduced[frame] = found
                before = picture
                yield frame, found

        def reduced_again(frame: int) -> ReducedSurface:
            return self._reduced.get(frame) or read_reduced(self._shot, self._grid, frame)

        return SurfaceViews.of(reduced_frames(), self._grid, reduced_again)

    def along_motion(self) -> MotionViews:
        """Return the views along the motion."""
        tracks = PointTracks(self._grid)
        before: Frame | None = None
        for frame, one in self._each(self._read_reduced):
            step = self._connect(before, one)
            cut = before is not None and other_camera(self._shot, before.number, frame)
            tracks.add(one, step if self._leading.get(frame) and not cut else None)
            before = one
        return MotionViews(tracks.arrays(), self._grid)

    def cuts(self) -> list[int]:
        """Return the first frames after cuts, of the frames that were looked at."""

        def check(before: int, after: int) -> bool:
            first, second = self._read_reduced(before), self._read_reduced(after)
            return leads_on(motion_between(first, second), first.image, second.image)

        return find_cuts(self._shot, self._small, self._leading, check)

    def _connect(self, before: Frame | None, frame: Frame) -> NeighbourMotion | None:
        """Return the motion from the frame before, if any, and note whether it leads on."""
        self._small[frame.number] = small_picture(frame.image)
        if before is None or self._next_frame.get(before.number) != frame.number:
            return None
        motion = motion_between(before, frame)
        self._leading[frame.number] = leads_on(motion, before.image, frame.image)
        return motion

    def seen_by_candidates(self, views: Views) -> dict[int, BoolArray]:
        """Return what each candidate sees of the cells."""
        count = len(self._candidates)
        began = time.monotonic()
        seen = {}
        for number, key in enumerate(self._candidates):
            if self._report.cancelled():
                raise Cancelled
            seen[key] = views.seen(key, None)
            left = (time.monotonic() - began) / (number + 1) * (count - number - 1)
            done = READING + (1 - READING) * (number + 1) / count
            self._report.progress("suggest", done, left, f"What frame {key} shows")
        return seen

    def _read_reduced(self, frame: int) -> Frame:
        return reduced(read_frame(self._shot, frame, {"motion", MATTE}), self._grid.shape)

    def _each(self, read: Callable[[int], _Read]) -> Iterator[tuple[int, _Read]]:
        """Yield each frame with what is read of it, and report the progress."""
        manifest = self._shot.manifest
        pixels, count = manifest.width * manifest.height, len(self._frames)
        found = read_ahead(read, self._frames, pixels, several=True)
        began = time.monotonic()
        for number, (frame, one) in enumerate(zip(self._frames, found, strict=True)):
            if self._report.cancelled():
                raise Cancelled
            yield frame, one
            left = (time.monotonic() - began) / (number + 1) * (count / READING - number - 1)
            done = READING * (number + 1) / count
            self._report.progress("suggest", done, left, f"Frame {number + 1} of {count}")
