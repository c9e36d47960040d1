# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cells a frame sees by the surface pass: what the projection could carry from it.

The surface point of each cell is looked up in the reduced frame, by the search that projects paint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..frames.frame import MATTE, Frame, read_frame
from ..images.array_files import Arrays, checked_array
from ..images.types import BoolArray, FloatArray
from ..projection.surface_edges import SurfaceEdges, is_known
from ..projection.surface_index import STRIDES, SurfaceIndex
from ..shared.checked import WrongDataError
from ..shared.shot import Shot
from ..shared.style_header import SURFACE_NEEDS
from .cells import Grid, Views

NEEDS = (*SURFACE_NEEDS, MATTE)


class ReducedSurface(NamedTuple):
    """The surface of a reduced frame.

    Attributes:
        surface: (h, w, 3) float32, 0 where there is no object.
        objects: (h, w) int32, 0 where the surface is unknown or mixed, or outside the matte.
        counts: (h, w) bool, where an object covers the pixel.
    """

    surface: FloatArray
    objects: npt.NDArray[np.int32]
    counts: BoolArray


def reduce_surface(frame: Frame, grid: Grid) -> ReducedSurface:
    """Return the surface of a frame read with ``NEEDS`` at every ``grid.step``-th pixel."""
    assert frame.surface is not None and frame.object is not None
    known = (frame.object > 0) & is_known(frame.surface) & ~SurfaceEdges.of(frame).mixed
    if frame.matte is not None:
        known &= frame.matte > 0.5
    known = grid.picked(known)
    surface = np.where(known[..., None], grid.picked(frame.surface), 0).astype(np.float32)
    objects = np.where(known, grid.picked(frame.object), 0).astype(np.int32)
    return ReducedSurface(surface, objects, known & grid.picked(frame.subject))


class SurfaceViews(Views):
    """Views by the surface pass.

    Args:
        surface: (H, w, 3) float32, the points of the cells of all frames, one above the other, each
            frame in the same number of rows.
        objects: (H, w) int32, their objects; 0 where there is no cell.
        numbers: (F,) int32, the frames.
        grid: where the cells lie.
        reduced: returns the reduced surface of a frame.
    """

    def __init__(
        self,
        surface: FloatArray,
        objects: npt.NDArray[np.int32],
        numbers: npt.NDArray[np.int32],
        grid: Grid,
        reduced: Callable[[int], ReducedSurface],
    ) -> None:
        self._surface, self._objects, self._numbers = surface, objects, numbers
        self.grid, self._reduced = grid, reduced
        self._places = np.flatnonzero(objects)
        rows, columns = np.divmod(self._places, objects.shape[1])
        frame, row = np.divmod(rows, len(objects) // max(len(numbers), 1))
        self.row, self.column = row * grid.cell, columns * grid.cell
        self.frame = numbers[frame]
        self.weight = np.ones(len(self._places), np.float32)

    @classmethod
    def of(
        cls,
        frames: Iterable[tuple[int, ReducedSurface]],
        grid: Grid,
        reduced: Callable[[int], ReducedSurface],
    ) -> SurfaceViews:
        """Return the views of reduced frames; of these nothing but the cells is kept."""
        rows, columns = grid.cells
        room = _room(rows)
        inside = slice(None, None, grid.cell), slice(None, None, grid.cell)
        numbers, surfaces, objects = [], [], []
        for number, one in frames:
            surface = np.zeros((room, columns, 3), np.float32)
            surface[:rows] = one.surface[inside]
            ids = np.zeros((room, columns), np.int32)
            ids[:rows] = np.where(one.counts, one.objects, 0)[inside]
            numbers.append(number)
            surfaces.append(surface)
            objects.append(ids)
        counted = np.array(numbers, np.int32)
        return cls(np.concatenate(surfaces), np.concatenate(objects), counted, grid, reduced)

    @classmethod
    def kept(
        cls,
        arrays: Arrays,
        grid: Grid,
        frames: Sequence[int],
        reduced: Callable[[int], ReducedSurface],
    ) -> SurfaceViews:
        """Return the views from arrays that were kept.

        Args:
            arrays: as they were read.
            grid: where the cells lie.
            frames: those of the shot.
            reduced: returns the reduced surface of a frame.

        Raises:
            ValueError: the arrays are damaged.
        """
        rows, columns = grid.cells
        numbers = checked_array(arrays, "numbers", np.int32, None)
        height = len(numbers) * _room(rows)
        objects = checked_array(arrays, "objects", np.int32, height, columns)
        surface = checked_array(arrays, "surface", np.float32, height, columns, 3)
        is_whole = (
            objects.any()
            and (objects >= 0).all()
            and not objects.reshape(len(numbers), -1, columns)[:, rows:].any()
            and np.isfinite(surface).all()
            and np.isin(numbers, frames).all()
        )
        if not is_whole:
            raise WrongDataError("the surface is damaged")
        return cls(surface, objects, numbers, grid, reduced)

    def seen(self, key: int, mask: BoolArray | None) -> BoolArray:
        """See ``Views.seen``."""
        reduced = self._reduced(key)
        shown = np.ones(reduced.objects.shape, bool) if mask is None else mask
        index = SurfaceIndex(reduced.surface, np.where(shown, reduced.objects, 0).astype(np.int32))
        nothing = np.zeros(self._objects.shape, bool)
        valid = index.locate(self._surface, self._objects, nothing).valid.take(self._places)
        own = self.frame == key
        valid[own] |= shown[self.row[own], self.column[own]]
        return np.asarray(valid)

    def arrays(self) -> Arrays:
        """See ``Views.arrays``."""
        return {"surface": self._surface, "objects": self._objects, "numbers": self._numbers}


def read_reduced(shot: Shot, grid: Grid, frame: int) -> ReducedSurface:
    """Read and reduce a frame. Raises PaintoverError as ``read_frame``."""
    return reduce_surface(read_frame(shot, frame, NEEDS), grid)


def _room(rows: int) -> int:
    """Return the rows that a frame gets for its own, so that the search never sees two frames."""
    return -(-(rows + 1) // STRIDES[0]) * STRIDES[0]
