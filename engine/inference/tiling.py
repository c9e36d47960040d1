# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts of a frame are computed: rectangles that hold all that is wanted, at least cost."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..images.types import BoolArray
from ..networks.base import GRID

CELL = 16
"""Sides of rectangles are multiples of this many pixels."""


LEAST_HALVED = 128
"""Tiles of shorter sides are not halved: most of what is computed would lie around them."""
FIXED = 8192
"""Pixels that a tile costs besides its own: layers take time to begin, more in new sizes."""

BORDER = 16
"""Pixels of reflection around a frame, as around keyframes in training."""


Spare = tuple[tuple[int, int], tuple[int, int]]
"""How many rows of a frame there are above and below what is at hand, and columns beside it."""
NONE: Spare = ((0, 0), (0, 0))


class Span(NamedTuple):
    """The rows, or columns, that are computed for a tile."""

    wanted: slice
    """The tile's own, of what is at hand."""
    inner: slice
    """All that are computed, of what is at hand."""
    border: tuple[int, int]
    """How many others come before and after these."""
    goes_on: tuple[bool, bool] = (False, False)
    """Whether they repeat the last one, since the frame goes on alike, or else are reflected."""

    @property
    def size(self) -> int:
        """How many are computed; a multiple of ``GRID``."""
        before, after = self.border
        return before + int(self.inner.stop - self.inner.start) + after

    @property
    def kept(self) -> slice:
        """The tile's own, of those that are computed."""
        shift = self.border[0] - self.inner.start
        return slice(self.wanted.start + shift, self.wanted.stop + shift)


class Tile(NamedTuple):
    """A rectangle of pixels; bottom and right are excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return (self.bottom - self.top) * (self.right - self.left)


def halves(tile: Tile) -> list[Tile]:
    """Cut a tile in two across its longer side, if that is long enough."""
    high, wide = tile.bottom - tile.top, tile.right - tile.left
    if max(high, wide) < LEAST_HALVED:
        return [tile]
    if high >= wide:
        middle = tile.top + -(-high // 2 // CELL) * CELL
        return [tile._replace(bottom=middle), tile._replace(top=middle)]
    middle = tile.left + -(-wide // 2 // CELL) * CELL
    return [tile._replace(right=middle), tile._replace(left=middle)]


def tiles(wanted: BoolArray, reach: int, largest: int) -> list[Tile]:
    """Cut what is wanted into rectangles.

    A tile costs its pixels, those within ``reach`` around it, and ``FIXED``. Starting with the
    rectangle that bounds all, each is cut in two along the line that saves most, until no cut
    saves anything.

    Args:
        wanted: (H, W).
        reach: how many pixels around a tile are computed with it.
        largest: side of the largest tile in pixels; at least ``CELL``.

    Returns:
        Tiles that do not overlap; none where nothing is wanted.
    """
    height, width = wanted.shape
    padded = np.pad(wanted, ((0, -height % CELL), (0, -width % CELL)))
    rows, columns = (size // CELL for size in padded.shape)
    cells = padded.reshape(rows, CELL, columns, CELL).any((1, 3))
    if not cells.any():
        return []
    down, across = _box(cells)
    most = max(1, largest // CELL)
    high, wide = (_even_side(span.stop - span.start, most) for span in (down, across))
    found: list[Tile] = []
    for top in range(down.start, down.stop, high):
        for left in range(across.start, across.stop, wide):
            part = cells[top : min(top + high, down.stop), left : min(left + wide, across.stop)]
            found += _cut(part, top, left, reach / CELL)
    return [
        Tile(
            tile.top * CELL,
            tile.left * CELL,
            min(tile.bottom * CELL, height),
            min(tile.right * CELL, width),
        )
        for tile in found
    ]


def _even_side(count: int, largest: int) -> int:
    """Return how long pieces are, so that as few as possible are about equally long."""
    pieces = -(-count // largest)
    return -(-count // pieces)


def around(start: int, end: int, reach: int, size: int, spare: tuple[int, int] = (0, 0)) -> Span:
    """Take ``reach`` more rows on both sides of a tile, up to the border around the frame.

    The places of all computed rows are the same modulo ``GRID`` whatever the tile.

    Args:
        start: the tile's first row.
        end: the row after its last.
        reach: a multiple of ``GRID``.
        size: how many rows are at hand.
        spare: how many more the frame has above, a multiple of ``GRID``, and below; they are like
            the first, or the last, row at hand.
    """
    above, below = spare
    first = max(-above - BORDER, (start - reach) // GRID * GRID)
    end_of_all = size + below
    last = min(end_of_all + BORDER + -end_of_all % GRID, -(-(end + reach) // GRID) * GRID)
    inner = slice(max(0, first), min(size, last))
    border = inner.start - first, last - inner.stop
    return Span(slice(start, end), inner, border, (above > 0, below > 0))


class Border:
    """What is to be put around what is at hand of a tile."""

    def __init__(self, rows: Span, columns: Span) -> None:
        sizes = [*rows.border, *columns.border]
        goes_on = [*rows.goes_on, *columns.goes_on]
        self._reflected = [0 if on else size for size, on in zip(sizes, goes_on, strict=True)]
        self._repeated = [size if on else 0 for size, on in zip(sizes, goes_on, strict=True)]

    def put(self, values: npt.NDArray[Any], result: npt.NDArray[Any]) -> None:
        """Fill a picture (H, W) with a smaller one and the border around it."""
        above, below, before, after = self._reflected
        if not any(self._repeated):
            cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REFLECT_101, result)
            return
        if any(self._reflected):
            values = cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REFLECT_101)
        above, below, before, after = self._repeated
        cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REPLICATE, result)


def _cut(cells: BoolArray, top: int, left: int, reach: float) -> list[Tile]:
    """Cut cells that lie at (top, left), in units of cells."""
    if not cells.any():
        return []
    box = _box(cells)
    cells, top, left = cells[box], top + box[0].start, left + box[1].start
    height, width = cells.shape
    whole = (height + 2 * reach) * (width + 2 * reach)
    costs = [_costs(cells, reach), _costs(cells.T, reach)]
    axis = int(np.argmin([cost.min(initial=np.inf) for cost in costs]))
    if costs[axis].min(initial=np.inf) + FIXED / CELL**2 >= whole:
        return [Tile(top, left, top + height, left + width)]
    at = int(costs[axis].argmin()) + 1
    first, second = np.split(cells, [at], axis)
    down, right = (at, 0) if axis == 0 else (0, at)
    return _cut(first, top, left, reach) + _cut(second, top + down, left + right, reach)


def _box(cells: BoolArray) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest rectangle that holds all cells, at least one."""
    rows, columns = (np.flatnonzero(cells.any(axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _costs(cells: BoolArray, reach: float) -> npt.NDArray[np.float64]:
    """Return what a cut above each row but the first would cost; no border of cells is empty."""
    count, index = len(cells), np.arange(len(cells))
    full = cells.any(1)
    above = np.maximum.accumulate(np.where(full, index + 1, 0))[:-1]
    below = count - np.minimum.accumulate(np.where(full, index, count)[::-1])[::-1][1:]
    over = np.logical_or.accumulate(cells, 0)[:-1]
    under = np.logical_or.accumulate(cells[::-1], 0)[::-1][1:]
    cost = (above + 2 * reach) * (_extent(over) + 2 * reach)
    cost += (below + 2 * reach) * (_extent(under) + 2 * reach)
    return np.asarray(cost, np.float64)


def _extent(rows: BoolArray) -> npt.NDArray[np.intp]:
    """Return from the first to the last cell of each row, as a count."""
    extent = rows.shape[1] - rows.argmax(1) - rows[:, ::-1].argmax(1)
    return np.asarray(extent, np.intp)
