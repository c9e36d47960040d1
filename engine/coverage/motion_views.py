# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cells a frame sees along the motion, for shots without a surface pass.

Points are followed through the shot, as in Sundaram, Brox, Keutzer 2010, "Dense Point Trajectories
by GPU-accelerated Large Displacement Optical Flow". A point ends where it is hidden, leaves the
picture or what is to be painted, or where its colour changes too much for an estimated motion. Each
cell without a point begins a new one. A frame sees a cell if it has the cell's point.

Where the camera comes nearer, a point becomes several: those that begin beside it, on what was
there before, have it as their parent, which stands for them in earlier frames. Where the camera
goes away, points that crowd into one cell end, and one of them stands for the others later on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.array_files import Arrays, checked_array, is_within
from ..images.types import BoolArray, FloatArray
from ..motion.optical_flow import NeighbourMotion, occluded
from ..shared.checked import WrongDataError
from .cells import Grid, Views

DRIFT = 0.12
"""Difference of colour (0..1 a channel) above which a point along estimated motion is lost."""
CROWD = 2
"""Most points of a cell."""
GENERATIONS = 2
"""Steps from a point to one that stands for it. What turns into sight at the edge of a thing looks
like what comes nearer, but goes on; so this is the error at such an edge, in cells."""
ABSORBED = 2
"""Points for which one point stands later on, at most; limits the error at the other edge."""
NONE = -1
_Ids = npt.NDArray[np.int32]


class MotionViews(Views):
    """Views along the motion.

    Args:
        arrays: as ``PointTracks.arrays`` returns them.
        grid: where the cells lie.
    """

    def __init__(self, arrays: Arrays, grid: Grid) -> None:
        self._arrays, self.grid = arrays, grid
        self.frame, self.weight = arrays["frame"], arrays["weight"]
        self._point, self.row, self.column = (arrays[n] for n in ("point", "row", "column"))
        self._parent, self._heir, self._order = (arrays[n] for n in ("parent", "heir", "order"))
        self._first, self._last = (arrays[name] for name in ("first", "last"))

    @classmethod
    def kept(cls, arrays: Arrays, grid: Grid, frames: Sequence[int]) -> MotionViews:
        """Return the views from arrays that were kept.

        Args:
            arrays: as they were read.
            grid: where the cells lie.
            frames: those of the shot.

        Raises:
            ValueError: the arrays are damaged.
        """
        count = len(checked_array(arrays, "frame", np.int32, None))
        points = len(checked_array(arrays, "parent", np.int32, None))
        of_cells: dict[str, type[np.generic]] = {
            "point": np.int32,
            "row": np.int16,
            "column": np.int16,
            "weight": np.float32,
        }
        of_points: dict[str, type[np.generic]] = dict.fromkeys(("first", "last", "heir"), np.int32)
        for kinds, length in ((of_cells, count), (of_points, points), ({"order": np.int32}, None)):
            for name, kind in kinds.items():
                checked_array(arrays, name, kind, length)
        height, width = grid.shape
        is_whole = (
            0 < points <= count
            and np.isin(arrays["frame"], frames).all()
            and np.array_equal(arrays["order"], frames)
            and is_within(arrays["point"], 0, points - 1)
            and is_within(arrays["parent"], NONE, points - 1)
            and is_within(arrays["heir"], NONE, points - 1)
            and is_within(arrays["row"], 0, height - 1)
            and is_within(arrays["column"], 0, width - 1)
            and is_within(arrays["weight"], 1 / CROWD, 1)
        )
        if not is_whole:
            raise WrongDataError("the points are damaged")
        return cls(arrays, grid)

    def seen(self, key: int, mask: BoolArray | None) -> BoolArray:
        """See ``Views.seen``."""
        here = self.frame == key
        if mask is not None:
            here &= mask[self.row, self.column]
        shown = np.zeros(len(self._parent), bool)
        shown[self._point[here]] = True
        for frame in self._order:  # parents come before their children
            if frame > key:
                born = np.flatnonzero((self._first == frame) & (self._parent != NONE))
                shown[born] = shown[self._parent[born]]
        for frame in self._order[::-1]:
            if frame < key:
                ended = np.flatnonzero((self._last == frame) & (self._heir != NONE))
                shown[ended] = shown[self._heir[ended]]
        return np.asarray(shown[self._point])

    def arrays(self) -> Arrays:
        """See ``Views.arrays``."""
        return self._arrays


class PointTracks:
    """Follows points through the frames of a shot, which are given in order.

    Args:
        grid: where the cells lie.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._order: list[int] = []
        self._found: dict[str, list[npt.NDArray[Any]]] = {
            name: [] for name in ("frame", "point", "row", "column", "weight")
        }
        self._parent: list[_Ids] = []
        self._first: list[_Ids] = []
        self._ends: list[tuple[int, int, int]] = []
        self._count = 0
        self._born: _Ids = np.zeros(0, np.int32)  # steps to the eldest parent, of all points
        self._merged: _Ids = np.zeros(0, np.int32)  # steps from the first point it stands for
        self._stands_for: _Ids = np.zeros(0, np.int32)  # how many points
        self._x = self._y = np.zeros(0, np.float32)
        self._id: _Ids = np.zeros(0, np.int32)
        self._seed = np.zeros((0, 3), np.float32)
        self._exact = np.zeros(0, bool)

    def add(self, frame: Frame, step: NeighbourMotion | None) -> None:
        """Follow the points into the next frame.

        Args:
            frame: in the reduced size.
            step: the motion from the frame before to this one; None: a cut, or the first frame.
        """
        before = self._at_cells()
        if step is None:
            self._keep(np.zeros(len(self._x), bool))
        else:
            self._move(frame, step)
        self._thin_out()
        self._begin(frame, step, before)
        self._order.append(frame.number)
        self._note(frame.number)

    def arrays(self) -> Arrays:
        """Return what ``MotionViews`` is made of."""
        found: dict[str, npt.NDArray[Any]] = {
            name: np.concatenate(parts) for name, parts in self._found.items()
        }
        heir, last = (np.full(self._count, NONE, np.int32) for _ in range(2))
        for point, stands_for_it, frame in self._ends:
            heir[point], last[point] = stands_for_it, frame
        order = np.array(self._order, np.int32)
        parent, first = np.concatenate(self._parent), np.concatenate(self._first)
        return found | {
            "parent": parent, "first": first, "heir": heir, "last": last, "order": order
        }  # fmt: skip

    def _pixels(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the rows and columns of the pixels that the points are in."""
        height, width = self._grid.shape
        row = np.clip(np.rint(self._y), 0, height - 1).astype(np.intp)
        return row, np.clip(np.rint(self._x), 0, width - 1).astype(np.intp)

    def _cells(self) -> npt.NDArray[np.intp]:
        """Return the cell that each point is in."""
        row, column = self._pixels()
        return row // self._grid.cell * self._grid.cells[1] + column // self._grid.cell

    def _at_cells(self) -> _Ids:
        """Return a point for each cell, ``NONE`` where there is none."""
        rows, columns = self._grid.cells
        points = np.full(rows * columns, NONE, np.int32)
        points[self._cells()[::-1]] = self._id[::-1]
        return points

    def _keep(self, which: npt.NDArray[Any]) -> None:
        self._x, self._y, self._id = self._x[which], self._y[which], self._id[which]
        self._seed, self._exact = self._seed[which], self._exact[which]

    def _move(self, frame: Frame, step: NeighbourMotion) -> None:
        """Follow the points, and drop those that are lost."""
        if not len(self._x):
            return
        row, column = self._pixels()
        offset = _sampled(step.forward, self._x, self._y)
        kept = ~occluded(step.forward, step.backward)[row, column]
        self._exact = self._exact & step.exact[row, column]
        self._x, self._y = self._x + offset[:, 0], self._y + offset[:, 1]
        height, width = self._grid.shape
        kept &= (self._x >= 0) & (self._x <= width - 1) & (self._y >= 0) & (self._y <= height - 1)
        colour = _sampled(frame.image, self._x, self._y)
        kept &= self._exact | (np.abs(colour - self._seed).mean(axis=1) <= DRIFT)
        kept &= frame.subject[self._pixels()]
        self._keep(kept)

    def _thin_out(self) -> None:
        """End points that crowd into a cell; the oldest stay."""
        cells = self._cells()
        order = np.lexsort((self._id, cells))
        if not len(order):
            return
        grouped = cells[order]
        starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
        counts = np.diff(np.r_[starts, len(grouped)])
        rank = np.arange(len(grouped)) - np.repeat(starts, counts)
        many = rank >= CROWD
        if many.any():
            heirs = self._id[order[(np.repeat(starts, counts) + rank % CROWD)[many]]]
            self._inherit(self._id[order[many]], heirs)
            self._keep(np.sort(order[~many]))

    def _inherit(self, ended: _Ids, heirs: _Ids) -> None:
        """Let points stand for others from now on, as far as the limits allow."""
        for point, heir in zip(ended.tolist(), heirs.tolist(), strict=True):
            if self._merged[point] < GENERATIONS and self._stands_for[heir] < ABSORBED:
                self._merged[heir] = max(self._merged[heir], self._merged[point] + 1)
                self._stands_for[heir] += 1
                self._ends.append((point, heir, self._order[-1]))

    def _begin(self, frame: Frame, step: NeighbourMotion | None, before: _Ids) -> None:
        """Begin a point in the middle of each cell that has none."""
        taken = np.zeros(self._grid.cells[0] * self._grid.cells[1], bool)
        taken[self._cells()] = True
        row, column = self._middles()
        free = ~taken & frame.subject[row, column]
        row, column = row[free], column[free]
        parent = np.full(len(row), NONE, np.int32)
        if step is not None:
            back = step.backward[row, column]
            followed = ~occluded(step.backward, step.forward)[row, column]
            height, width = self._grid.shape
            y = np.clip(np.rint(row + back[:, 1]), 0, height - 1).astype(np.intp)
            x = np.clip(np.rint(column + back[:, 0]), 0, width - 1).astype(np.intp)
            cell = y // self._grid.cell * self._grid.cells[1] + x // self._grid.cell
            parent = np.where(followed, before[cell], NONE).astype(np.int32)
        has_parent = parent != NONE
        born = np.zeros_like(parent)
        born[has_parent] = self._born[parent[has_parent]] + 1
        parent[born > GENERATIONS], born[born > GENERATIONS] = NONE, 0
        self._born = np.concatenate([self._born, born])
        self._merged = np.concatenate([self._merged, np.zeros_like(parent)])
        self._stands_for = np.concatenate([self._stands_for, np.zeros_like(parent)])
        ids = np.arange(self._count, self._count + len(row), dtype=np.int32)
        self._count += len(row)
        self._parent.append(parent)
        self._first.append(np.full(len(row), frame.number, np.int32))
        self._x = np.concatenate([self._x, column.astype(np.float32)])
        self._y = np.concatenate([self._y, row.astype(np.float32)])
        self._id = np.concatenate([self._id, ids])
        self._seed = np.concatenate([self._seed, frame.image[row, column]])
        self._exact = np.concatenate([self._exact, np.ones(len(row), bool)])

    def _middles(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the rows and columns of the middle pixels of all cells."""
        rows, columns = self._grid.cells
        height, width = self._grid.shape
        half = self._grid.cell // 2
        row = np.minimum(np.arange(rows) * self._grid.cell + half, height - 1)
        column = np.minimum(np.arange(columns) * self._grid.cell + half, width - 1)
        return np.repeat(row, columns), np.tile(column, rows)

    def _note(self, number: int) -> None:
        """Note where the points are in a frame; those of one cell share its weight."""
        cells = self._cells()
        row, column = self._pixels()
        share = np.bincount(cells, minlength=1)[cells] if len(cells) else np.ones(0)
        for name, values in (
            ("frame", np.full(len(cells), number, np.int32)),
            ("point", self._id),
            ("row", row.astype(np.int16)),
            ("column", column.astype(np.int16)),
            ("weight", (1 / share).astype(np.float32)),
        ):
            self._found[name].append(values)


def _sampled(values: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return (N, C) values of (H, W, C) at N places, bilinear, continued at the border."""
    found = np.empty((len(x), values.shape[2]), np.float32)
    for start in range(0, len(x), 1 << 14):  # OpenCV takes no more than 32767 rows
        part = slice(start, start + (1 << 14))
        rows = cv2.remap(
            values, x[part, None], y[part, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        found[part] = rows.reshape(-1, values.shape[2])
    return found
