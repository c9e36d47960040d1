# SPDX-License-Identifier: GPL-3.0-or-later
"""From a keyframe pixel near by to the place between pixels that shows a surface point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray
from .resampling import Located
from .surface_edges import LARGEST

_Four = tuple[Any, Any, Any, Any]

REACH = np.float32(0.9)
"""How far from a keyframe pixel, in pixels, a surface point may lie to count as seen there."""
OFF_SURFACE = np.float32(0.5)
"""How far off the keyframe's surface a point may lie, in footprints of its pixel."""
MOST_STEPS = 2
"""How often a neighbour that suits better may be tried."""


class Shows(NamedTuple):
    """What a keyframe shows: (H, W, 3) and (H, W), 0 where that is not known.

    Attributes:
        surface: coordinates.
        across, down: how they change from pixel to pixel.
        footprint: how large a pixel is, in surface units.
        objects: numbers of the objects, uint16.
    """

    surface: FloatArray
    across: FloatArray
    down: FloatArray
    footprint: FloatArray
    objects: npt.NDArray[np.uint16]


class Asked(NamedTuple):
    """Surface (H, W, 3) and objects (H, W), as the keyframe numbers them; 0: not asked for."""

    surface: FloatArray
    objects: npt.NDArray[np.uint16]


@inlined
def settle(
    shows: Shows, asked: Asked, found: Located, at: int, to: int, row: int, column: int
) -> bool:
    """Note where a point is seen near a pixel of the keyframe; tell whether it is.

    The offset from the pixel follows from least squares; from there a neighbour may suit better.
    Vectors are written out, since loops over three axes take three times as long.

    Args:
        shows: the keyframe.
        asked: the frame.
        found: is written to.
        at, to: row and column of the point in the frame.
        row, column: a pixel of the keyframe.
    """
    height, width = shows.objects.shape
    one, tiny = np.float32(1), np.float32(1e-20)
    mine = asked.objects[at, to]
    x, y, z = asked.surface[at, to, 0], asked.surface[at, to, 1], asked.surface[at, to, 2]
    least, best_x, best_y = np.float32(np.inf), np.float32(0), np.float32(0)
    best_row, best_column = row, column
    for step in range(MOST_STEPS + 1):
        ax, ay, az = _vector(shows.across, row, column)
        bx, by, bz = _vector(shows.down, row, column)
        px, py, pz = _vector(shows.surface, row, column)
        px, py, pz = x - px, y - py, z - pz
        xx, yy = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz
        xy = ax * bx + ay * by + az * bz
        ox, oy = ax * px + ay * py + az * pz, bx * px + by * py + bz * pz
        damping = np.float32(1e-4) * (xx + yy) + tiny
        xx, yy = xx + damping, yy + damping
        determinant = xx * yy - xy * xy
        dx, dy = (yy * ox - xy * oy) / determinant, (xx * oy - xy * ox) / determinant
        px, py, pz = px - (ax * dx + bx * dy), py - (ay * dx + by * dy), pz - (az * dx + bz * dy)
        off = np.float32(np.sqrt(px * px + py * py + pz * pz))
        allowed = OFF_SURFACE * (shows.footprint[row, column] + np.float32(1e-10))
        miss = max(max(abs(dx), abs(dy)) / REACH, off / allowed)
        if step and not miss < least:
            break
        least, best_row, best_column = miss, row, column
        best_x, best_y = min(max(dx, -one), one), min(max(dy, -one), one)
        row = min(max(row + int(np.rint(best_y)), 0), height - 1)
        column = min(max(column + int(np.rint(best_x)), 0), width - 1)
        if row == best_row and column == best_column:
            break
        if shows.objects[row, column] != mine:
            break
    found.x[at, to] = np.float32(best_column) + best_x
    found.y[at, to] = np.float32(best_row) + best_y
    found.stretch[at, to] = shows.footprint[best_row, best_column]
    found.valid[at, to] = least <= 1
    return bool(least <= 1)


@inlined
def _vector(values: FloatArray, row: int, column: int) -> tuple[np.float32, np.float32, np.float32]:
    return values[row, column, 0], values[row, column, 1], values[row, column, 2]


@compiled
def number_objects(
    surface: FloatArray,
    objects: npt.NDArray[np.int32],
    left_out: BoolArray,
    ids: npt.NDArray[np.int32],
    numbers: npt.NDArray[np.uint16],
) -> None:
    """Number the objects of a frame (H, W) as a keyframe does, from 1; what has none stays 0.

    Args:
        surface: (H, W, 3); objects count where it is known.
        objects: (H, W) ids.
        left_out: (H, W), pixels that get no number.
        ids: the keyframe's objects, sorted.
        numbers: takes the numbers, (H, W).
    """
    height, width = objects.shape
    last, number = 0, 0
    for row in range(height):
        for column in range(width):
            mine = objects[row, column]
            if mine <= 0 or left_out[row, column]:
                continue
            x, y, z = _vector(surface, row, column)
            if not (abs(x) <= LARGEST and abs(y) <= LARGEST and abs(z) <= LARGEST):
                continue
            if mine != last:
                place = np.searchsorted(ids, mine)
                is_there = place < len(ids) and ids[place] == mine
                last, number = mine, place + 1 if is_there else 0
            numbers[row, column] = number


@compiled
def settle_all(
    shows: Shows,
    asked: Asked,
    found: Located,
    places: npt.NDArray[np.intp],
    pixels: npt.NDArray[np.intp],
) -> None:
    """``settle`` (N) points.

    Args:
        shows, asked, found: see there.
        places: numbers of the points' pixels in the frame, row by row.
        pixels: numbers of pixels of the keyframe, likewise.
    """
    width, key_width = asked.objects.shape[1], shows.objects.shape[1]
    for number in range(len(places)):
        at, to = divmod(places[number], width)
        row, column = divmod(pixels[number], key_width)
        settle(shows, asked, found, at, to, row, column)


@compiled
def follow(
    shows: Shows,
    asked: Asked,
    found: Located,
    stride: int,
    coarser: int,
    missed: npt.NDArray[np.intp],
) -> int:
    """Look where the places of a coarse raster around each place of a finer one lead to.

    Neighbours on a surface are neighbours in the keyframe, so most need no search, in the finest
    raster often not even where only some of them are seen; nor do those there whose neighbours on
    the same object are all not seen.

    Args:
        shows, asked, found: as of ``settle``.
        stride: pixels from place to place.
        coarser: the same of the raster whose places were looked for before.
        missed: (N), takes the places that are not found in this way.

    Returns:
        How many these are.
    """
    height, width = asked.objects.shape
    last_row, last_column = (height - 1) // coarser * coarser, (width - 1) // coarser * coarser
    part, count = np.float32(1) / np.float32(coarser), 0
    for top in range(0, height, coarser):
        bottom = min(top + coarser, last_row)
        for left in range(0, width, coarser):
            around = top, bottom, left, min(left + coarser, last_column)
            x, y = _corners(found.x, around), _corners(found.y, around)
            seen, objects = _corners(found.valid, around), _corners(asked.objects, around)
            for row in range(top, min(top + coarser, height), stride):
                down, is_below = np.float32(row - top) * part, row > top
                for column in range(left, min(left + coarser, width), stride):
                    mine, is_right = asked.objects[row, column], column > left
                    if mine == 0 or not (is_below or is_right):
                        continue
                    if _all(seen, is_right, is_below):
                        across = np.float32(column - left) * part
                        r = _nearest(_between(y, across, down), shows.objects.shape[0])
                        c = _nearest(_between(x, across, down), shows.objects.shape[1])
                        is_same = shows.objects[r, c] == mine
                        if is_same and settle(shows, asked, found, row, column, r, c):
                            continue
                    elif stride == 1:
                        is_lost = _all(_lost(seen, objects, mine), is_right, is_below)
                        if is_lost or _leads(shows, asked, found, row, column, around):
                            continue
                    missed[count] = row * width + column
                    count += 1
    return count


@inlined
def _leads(
    shows: Shows,
    asked: Asked,
    found: Located,
    row: int,
    column: int,
    around: tuple[int, int, int, int],
) -> bool:
    """``settle`` a place by one of the corners around it alone; tell whether it is seen."""
    top, bottom, left, right = around
    height, width = shows.objects.shape
    mine = asked.objects[row, column]
    for corner in range(4):
        at, to = bottom if corner & 2 else top, right if corner & 1 else left
        if found.valid[at, to] and asked.objects[at, to] == mine:
            r = _nearest(found.y[at, to] + np.float32(row - at), height)
            c = _nearest(found.x[at, to] + np.float32(column - to), width)
            is_same = shows.objects[r, c] == mine
            if is_same and settle(shows, asked, found, row, column, r, c):
                return True
    return False


@inlined
def _corners(values: npt.NDArray[Any], around: tuple[int, int, int, int]) -> _Four:
    """Return the values at the upper left, upper right, lower left and lower right corner."""
    top, bottom, left, right = around
    return values[top, left], values[top, right], values[bottom, left], values[bottom, right]


@inlined
def _all(corners: _Four, is_right: bool, is_below: bool) -> bool:
    """Tell whether all corners are true that count for a place right of and below the first."""
    above = corners[0] and (corners[1] or not is_right)
    return above and (not is_below or (corners[2] and (corners[3] or not is_right)))


@inlined
def _lost(seen: _Four, objects: _Four, mine: int) -> _Four:
    """Tell of each corner whether it is of the object and not seen."""
    return (
        not seen[0] and objects[0] == mine,
        not seen[1] and objects[1] == mine,
        not seen[2] and objects[2] == mine,
        not seen[3] and objects[3] == mine,
    )


@inlined
def _between(corners: _Four, across: np.float32, down: np.float32) -> np.float32:
    above = corners[0] + (corners[1] - corners[0]) * across
    below = corners[2] + (corners[3] - corners[2]) * across
    between: np.float32 = above + (below - above) * down
    return between


@inlined
def _nearest(place: np.float32, size: int) -> int:
    return min(max(int(np.rint(place)), 0), size - 1)
