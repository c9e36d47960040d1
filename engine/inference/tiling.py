# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiles: rectangles that cover the wanted pixels of a frame at least cost, and their padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..images.types import BoolArray
from ..networks.base import GRID

CELL = 16
"""Sides of tiles are multiples of this many pixels, except at the frame's border."""
MIN_HALVED_SIDE = 128
"""Tiles whose longer side is shorter than this are not halved: padding would outweigh the gain."""
TILE_OVERHEAD = 8192
"""Fixed cost of a tile, in pixels: layers take time to start, more so in new sizes."""
FRAME_PADDING = 16
"""Pixels of reflection around a frame, as around keyframes in training."""

Margins = tuple[tuple[int, int], tuple[int, int]]
"""Cropped margins ((top, bottom), (left, right)) of a window in its frame, in pixels."""
NO_MARGINS: Margins = ((0, 0), (0, 0))


class TileRange(NamedTuple):
    """The rows (or the columns, likewise) of a tile and of its padding."""

    output: slice
    """The tile's own rows, in the window."""
    inner: slice
    """The rows that are read: the tile's and those around it, in the window."""
    padding: tuple[int, int]
    """Rows added before and after ``inner``."""
    replicated: tuple[bool, bool] = (False, False)
    """Whether padding repeats the outermost row, as in cropped margins, or else reflects."""

    @property
    def size(self) -> int:
        """Rows of the padded tile; a multiple of ``GRID``."""
        before, after = self.padding
        return before + int(self.inner.stop - self.inner.start) + after

    @property
    def output_in_padded(self) -> slice:
        """The tile's own rows, in the padded tile."""
        shift = self.padding[0] - self.inner.start
        return slice(self.output.start + shift, self.output.stop + shift)


class Tile(NamedTuple):
    """A rectangle of pixels; bottom and right are excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


def halves(tile: Tile) -> list[Tile]:
    """Cut a tile in two across its longer side; a tile below ``MIN_HALVED_SIDE`` stays whole."""
    height, width = tile.bottom - tile.top, tile.right - tile.left
    if max(height, width) < MIN_HALVED_SIDE:
        return [tile]
    if height >= width:
        middle = tile.top + -(-height // 2 // CELL) * CELL
        return [tile._replace(bottom=middle), tile._replace(top=middle)]
    middle = tile.left + -(-width // 2 // CELL) * CELL
    return [tile._replace(right=middle), tile._replace(left=middle)]


def tiles(wanted: BoolArray, reach: int, largest: int) -> list[Tile]:
    """Cover the wanted pixels with rectangles.

    A tile costs its pixels, those within ``reach`` around it, and ``TILE_OVERHEAD``. The bounding
    rectangle is cut in two along the line that saves most, and so are its parts, until no cut saves
    anything.

    Args:
        wanted: (H, W).
        reach: pixels around a tile that are computed with it.
        largest: side of the largest tile in pixels; at least ``CELL``.

    Returns:
        Tiles that do not overlap; none where no pixel is wanted.
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
    """Return the length of the fewest pieces of about equal length, none above ``largest``."""
    pieces = -(-count // largest)
    return -(-count // pieces)


def padded_range(
    start: int, end: int, reach: int, size: int, margins: tuple[int, int] = (0, 0)
) -> TileRange:
    """Extend a tile's rows by ``reach`` on both sides, up to the padding around the frame.

    All tiles' padded rows begin at the same position modulo ``GRID``.

    Args:
        start: the tile's first row.
        end: the row after its last.
        reach: a multiple of ``GRID``.
        size: rows of the window.
        margins: rows of the frame above the window, a multiple of ``GRID``, and below it; they
            equal the window's first, or last, row.
    """
    above, below = margins
    first = max(-above - FRAME_PADDING, (start - reach) // GRID * GRID)
    frame_end = size + below
    last = min(frame_end + FRAME_PADDING + -frame_end % GRID, -(-(end + reach) // GRID) * GRID)
    inner = slice(max(0, first), min(size, last))
    padding = inner.start - first, last - inner.stop
    return TileRange(slice(start, end), inner, padding, (above > 0, below > 0))


class Padding:
    """Padding of a tile: replication towards cropped margins, reflection at the frame's border."""

    def __init__(self, rows: TileRange, columns: TileRange) -> None:
        sizes = [*rows.padding, *columns.padding]
        replicated = [*rows.replicated, *columns.replicated]
        self._reflected = [0 if on else size for size, on in zip(sizes, replicated, strict=True)]
        self._replicated = [size if on else 0 for size, on in zip(sizes, replicated, strict=True)]

    def pad(self, values: npt.NDArray[Any], result: npt.NDArray[Any]) -> None:
        """Pad ``inner`` rows and columns.

        Args:
            values: (H, W).
            result: (rows.size, columns.size) of the same dtype, filled.
        """
        above, below, before, after = self._reflected
        if not any(self._replicated):
            cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REFLECT_101, result)
            return
        if any(self._reflected):
            values = cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REFLECT_101)
        above, below, before, after = self._replicated
        cv2.copyMakeBorder(values, above, below, before, after, cv2.BORDER_REPLICATE, result)


def _cut(cells: BoolArray, top: int, left: int, reach: float) -> list[Tile]:
    """Cut an array of cells whose first is at (top, left); all in units of cells."""
    if not cells.any():
        return []
    box = _box(cells)
    cells, top, left = cells[box], top + box[0].start, left + box[1].start
    height, width = cells.shape
    whole = (height + 2 * reach) * (width + 2 * reach)
    costs = [_costs(cells, reach), _costs(cells.T, reach)]
    axis = int(np.argmin([cost.min(initial=np.inf) for cost in costs]))
    if costs[axis].min(initial=np.inf) + TILE_OVERHEAD / CELL**2 >= whole:
        return [Tile(top, left, top + height, left + width)]
    at = int(costs[axis].argmin()) + 1
    first, second = np.split(cells, [at], axis)
    down, right = (at, 0) if axis == 0 else (0, at)
    return _cut(first, top, left, reach) + _cut(second, top + down, left + right, reach)


def _box(cells: BoolArray) -> tuple[slice, slice]:
    """Return rows and columns of the bounding rectangle; one cell at least must be set."""
    rows, columns = (np.flatnonzero(cells.any(axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _costs(cells: BoolArray, reach: float) -> npt.NDArray[np.float64]:
    """Return the cost of a cut above each row but the first; all four border lines hold a cell."""
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
    """Return the distance from the first to the last cell of each row, both included."""
    extent = rows.shape[1] - rows.argmax(1) - rows[:, ::-1].argmax(1)
    return np.asarray(extent, np.intp)
