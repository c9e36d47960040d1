# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds for each pixel of a frame the position in a keyframe that shows the same surface point.

A k-d tree over (surface, object) gives the nearest pixel of the keyframe; ``surface_lookup`` then
solves for the position between pixels. Tree searches are slow, so only a coarse grid of pixels is
searched. In finer and finer grids, each pixel starts from where its already located neighbours
lead, and only those that fail are searched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ..images.types import BoolArray, FloatArray
from .resampling import Located, Resampler
from .surface_edges import is_known, mixed, surface_steps
from .surface_lookup import (
    FrameSurface,
    KeySurface,
    locate_by_neighbours,
    number_objects,
    refine_all,
)

AT_ONCE = 1 << 20
"""Points that are searched at once, to bound the memory."""
WHOLE = 1 << 19
"""Pixels of a keyframe up to which all are indexed. At 1920×1080, a quarter of them took a quarter
of the time to index; 0.005 % of the pixels of other frames were not found any more."""
FOR_ALL_CORES = 1 << 14
"""Fewer points than this are searched by one thread."""
STRIDES = (16, 4, 1)
"""Spacings in pixels of the grids, from coarse to fine."""


class SurfaceIndex:
    """The visible surface points of one keyframe, indexed for searching.

    Args:
        surface: (H, W, 3) float32 rest positions, NaN where unknown.
        objects: (H, W) int32 ids; pixels of 0 (background) and −1 (several objects) are ignored.
    """

    def __init__(self, surface: FloatArray, objects: npt.NDArray[np.int32]) -> None:
        known = (objects > 0) & is_known(surface)
        self._ids = np.unique(objects[known])
        dense = np.where(known, self._dense(objects), 0)
        known &= ~mixed(surface, dense)
        clean = np.where(known[..., None], surface, 0).astype(np.float32, copy=False)
        numbers = np.where(known, dense, 0).astype(np.uint16)
        across, down = (surface_steps(clean, numbers, axis) for axis in (1, 0))
        square = np.einsum("ijk,ijk->ij", across, across)
        square += np.einsum("ijk,ijk->ij", down, down)
        self._key = KeySurface(clean, across, down, np.sqrt(square / 2), numbers)
        self.resampler = Resampler(numbers)
        self._pixels = np.flatnonzero(self._indexed(known))
        points = clean.reshape(-1, 3)[self._pixels].astype(np.float64)
        self._apart = 4 * float(np.ptp(points, axis=0).max()) + 1 if len(points) else 1.0
        usual = np.quantile(self._key.footprint[known], 0.99) if len(points) else 0.0
        self._farthest = 2 * float(usual)
        flat_objects = numbers.reshape(-1)[self._pixels]
        self._tree = cKDTree(self._features(points, flat_objects), balanced_tree=False)

    def _indexed(self, known: BoolArray) -> BoolArray:
        """Return the pixels to index (H, W): all; of a larger picture a quarter and thin parts."""
        if known.size <= WHOLE:
            return known
        some = ~self.resampler.inside
        some[::2, ::2] = True
        return known & some

    def locate(
        self, surface: FloatArray, objects: npt.NDArray[np.int32], blended: BoolArray
    ) -> Located:
        """Find the surface points of a frame in this keyframe.

        Args:
            surface, objects: (H, W, 3) and (H, W) of a frame of any size, as in the constructor.
            blended: (H, W) bool, pixels to leave out (see ``surface_edges.mixed``).

        Returns:
            Positions in the keyframe for all pixels of the frame. Not valid are the background,
            unknown surface, and points that the keyframe does not show.
        """
        shape = objects.shape
        numbers = np.zeros(shape, np.uint16)
        number_objects(surface, objects, blended, self._ids, numbers)
        found = Located(
            x=np.zeros(shape, np.float32),
            y=np.zeros(shape, np.float32),
            valid=np.zeros(shape, bool),
            stretch=np.zeros(shape, np.float32),
        )
        if not len(self._pixels):
            return found
        frame = FrameSurface(np.ascontiguousarray(surface), numbers)
        first = np.zeros(shape, bool)
        first[:: STRIDES[0], :: STRIDES[0]] = numbers[:: STRIDES[0], :: STRIDES[0]] > 0
        self._look_up(frame, found, np.flatnonzero(first))
        missed = np.empty(np.count_nonzero(numbers), np.intp)
        for coarser, stride in itertools.pairwise(STRIDES):
            count = locate_by_neighbours(self._key, frame, found, stride, coarser, missed)
            self._look_up(frame, found, missed[:count])
        return found

    def _look_up(self, frame: FrameSurface, found: Located, places: npt.NDArray[np.intp]) -> None:
        """Search the whole keyframe for the points of these pixels (flat indices)."""
        surface, objects = frame.surface.reshape(-1, 3), frame.objects.reshape(-1)
        for part in _parts(places):
            features = self._features(surface[part].astype(np.float64), objects[part])
            threads = -1 if len(part) >= FOR_ALL_CORES else 1
            _, nearest = self._tree.query(
                features, distance_upper_bound=self._farthest, workers=threads
            )
            near = nearest < len(self._pixels)
            refine_all(self._key, frame, found, part[near], self._pixels[nearest[near]])

    def _features(self, points: npt.NDArray[Any], ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return (N, 4) coordinates for the tree, in which other objects are too far to match."""
        return np.concatenate([points, ids[:, None] * self._apart], axis=1)

    def _dense(self, objects: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Number this keyframe's objects 1, 2, 3 …; ids of other objects give a wrong number."""
        return (np.searchsorted(self._ids, objects) + 1).astype(np.int32)


def _parts(places: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(places), AT_ONCE):
        yield places[start : start + AT_ONCE]
