# SPDX-License-Identifier: GPL-3.0-or-later
"""From a keyframe pixel near by to the place between pixels that shows a surface point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .compiled import compiled, inlined
from .resampling import Located

Floats = npt.NDArray[np.float32]

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

    surface: Floats
    across: Floats
    down: Floats
    footprint: Floats
    objects: npt.NDArray[np.uint16]


class Asked(NamedTuple):
    """Surface (H, W, 3) and objects (H, W), as the keyframe numbers them; 0: not asked for."""

    surface: Floats
    objects: npt.NDArray[np.uint16]


class _Corners(NamedTuple):
    """What is known at the corners around places, (4): the upper ones first, the left ones first.

    Attributes:
        x, y, seen: as of ``Located``.
        objects: as of ``Asked``.
    """

    x: Floats
    y: Floats
    seen: npt.NDArray[np.bool_]
    objects: npt.NDArray[np.uint16]


@inlined
def settle(
    shows: Shows, asked: Asked, found: Located, at: int, to: int, row: int, column: int
) -> bool:
    """Note where a point is seen near a pixel of the keyframe; tell whether it is.

    The offset from the pixel follows from least squares; from there a neighbour may suit better.

    Args:
        shows: the keyframe.
        asked: the frame.
        found: is written to.
        at, to: row and column of the point in the frame.
        row, column: a pixel of the keyframe.
    """
    height, width = shows.objects.shape
    least, best_x, best_y = np.float32(np.inf), np.float32(0), np.float32(0)
    best_row, best_column = row, column
    one, tiny = np.float32(1), np.float32(1e-20)
    for step in range(MOST_STEPS + 1):
        xx = yy = xy = ox = oy = np.float32(0)
        for axis in range(3):
            along_x, along_y = shows.across[row, column, axis], shows.down[row, column, axis]
            offset = asked.surface[at, to, axis] - shows.surface[row, column, axis]
            xx += along_x * along_x
            yy += along_y * along_y
            xy += along_x * along_y
            ox += along_x * offset
            oy += along_y * offset
        damping = np.float32(1e-4) * (xx + yy) + tiny
        xx, yy = xx + damping, yy + damping
        determinant = xx * yy - xy * xy
        dx, dy = (yy * ox - xy * oy) / determinant, (xx * oy - xy * ox) / determinant
        off = np.float32(0)
        for axis in range(3):
            offset = asked.surface[at, to, axis] - shows.surface[row, column, axis]
            offset -= shows.across[row, column, axis] * dx + shows.down[row, column, axis] * dy
            off += offset * offset
        allowed = OFF_SURFACE * (shows.footprint[row, column] + np.float32(1e-10))
        miss = max(max(abs(dx), abs(dy)) / REACH, np.float32(np.sqrt(off)) / allowed)
        if step and not miss < least:
            break
        least, best_row, best_column = miss, row, column
        best_x, best_y = min(max(dx, -one), one), min(max(dy, -one), one)
        row = min(max(row + int(np.rint(best_y)), 0), height - 1)
        column = min(max(column + int(np.rint(best_x)), 0), width - 1)
        if row == best_row and column == best_column:
            break
        if shows.objects[row, column] != asked.objects[at, to]:
            break
    found.x[at, to] = best_column + best_x
    found.y[at, to] = best_row + best_y
    found.stretch[at, to] = shows.footprint[best_row, best_column]
    found.valid[at, to] = least <= 1
    return bool(least <= 1)


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


@inlined
def _is_missed(
    shows: Shows,
    asked: Asked,
    found: Located,
    row: int,
    column: int,
    corners: _Corners,
    across: Any,
    down: Any,
    stride: int,
) -> bool:
    """``settle`` a place between corners if these lead to it; tell whether it is to be searched.

    Args:
        across, down: where it lies between them, 0..1.
    """
    all_seen, none_seen = True, stride == 1
    x = y = np.float32(0)
    mine = asked.objects[row, column]
    for corner in range(4):
        share = (down if corner & 2 else 1 - down) * (across if corner & 1 else 1 - across)
        if share > 0:
            seen = corners.seen[corner]
            all_seen = all_seen and seen
            none_seen = none_seen and not seen and corners.objects[corner] == mine
            x += np.float32(share) * corners.x[corner]
            y += np.float32(share) * corners.y[corner]
    if not all_seen:
        return not none_seen
    height, width = shows.objects.shape
    r, c = min(max(int(np.rint(y)), 0), height - 1), min(max(int(np.rint(x)), 0), width - 1)
    return not (shows.objects[r, c] == mine and settle(shows, asked, found, row, column, r, c))


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

    Neighbours on a surface are neighbours in the keyframe, so most need no search; nor do those
    in the finest raster whose neighbours on the same object are all not seen.

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
    floats = np.zeros((2, 4), np.float32)
    corners = _Corners(floats[0], floats[1], np.zeros(4, np.bool_), np.zeros(4, np.uint16))
    count = 0
    for top in range(0, height, coarser):
        bottom = min(top + coarser, last_row)
        for left in range(0, width, coarser):
            right = min(left + coarser, last_column)
            for corner in range(4):
                r, c = bottom if corner & 2 else top, right if corner & 1 else left
                corners.x[corner], corners.y[corner] = found.x[r, c], found.y[r, c]
                corners.seen[corner] = found.valid[r, c]
                corners.objects[corner] = asked.objects[r, c]
            for row in range(top, min(top + coarser, height), stride):
                down = np.float32(row - top) / np.float32(coarser)
                for column in range(left, min(left + coarser, width), stride):
                    across = np.float32(column - left) / np.float32(coarser)
                    is_corner = across == 0 and down == 0
                    if is_corner or asked.objects[row, column] == 0:
                        continue
                    if _is_missed(shows, asked, found, row, column, corners, across, down, stride):
                        missed[count] = row * width + column
                        count += 1
    return count
