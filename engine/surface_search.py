# SPDX-License-Identifier: GPL-3.0-or-later
"""From a keyframe pixel near by to the place between pixels that shows a surface point."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .compiled import compiled
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


@compiled
def settle(shows: Shows, asked: Asked, found: Located, place: int, pixel: int) -> bool:
    """Note where a point is seen near a pixel of the keyframe; tell whether it is.

    The offset from the pixel follows from least squares; from there a neighbour may suit better.

    Args:
        shows: the keyframe.
        asked: the frame.
        found: is written to.
        place: number of the point's pixel in the frame, row by row.
        pixel: number of a pixel of the keyframe.
    """
    height, width = shows.objects.shape
    row, column = divmod(pixel, width)
    at, to = divmod(place, asked.objects.shape[1])
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
    """``settle`` (N) points."""
    for number in range(len(places)):
        settle(shows, asked, found, places[number], pixels[number])


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
    key_height, key_width = shows.objects.shape
    last_row, last_column = (height - 1) // coarser * coarser, (width - 1) // coarser * coarser
    count = 0
    for row in range(0, height, stride):
        for column in range(0, width, stride):
            is_coarse = row % coarser == 0 and column % coarser == 0
            if asked.objects[row, column] == 0 or is_coarse:
                continue
            top, left = row // coarser * coarser, column // coarser * coarser
            bottom, right = min(top + coarser, last_row), min(left + coarser, last_column)
            down = np.float32(row - top) / np.float32(coarser)
            across = np.float32(column - left) / np.float32(coarser)
            x = y = np.float32(0)
            seen = True
            unseen = stride == 1
            for corner in range(4):
                r, part = (bottom, down) if corner & 2 else (top, 1 - down)
                c, share = (right, across) if corner & 1 else (left, 1 - across)
                if part * share > 0:
                    seen = seen and found.valid[r, c]
                    same = asked.objects[r, c] == asked.objects[row, column]
                    unseen = unseen and same and not found.valid[r, c]
                    x += np.float32(part * share) * found.x[r, c]
                    y += np.float32(part * share) * found.y[r, c]
            if seen:
                key_row = min(max(int(np.rint(y)), 0), key_height - 1)
                key_column = min(max(int(np.rint(x)), 0), key_width - 1)
                seen = shows.objects[key_row, key_column] == asked.objects[row, column] and settle(
                    shows, asked, found, row * width + column, key_row * key_width + key_column
                )
            if not seen and not unseen:
                missed[count] = row * width + column
                count += 1
    return count
