# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiled loops of ``surface_index``: positions between pixels of a keyframe.

Around a keyframe pixel the surface is nearly a plane, given by the pixel's surface point and its
derivatives across and down. The offset of a given surface point from the pixel is the least-squares
solution on that plane. If the offset leads to another pixel, the solve is repeated from there.
"""

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
"""Largest offset in pixels from the keyframe pixel at which a surface point counts as visible."""
OFF_SURFACE = np.float32(0.5)
"""Largest distance of a point from the keyframe's surface, in footprints of the pixel."""
MOST_STEPS = 2
"""How often the solve may move on to another pixel."""


class KeySurface(NamedTuple):
    """The surface that a keyframe shows; 0 where unknown.

    Attributes:
        surface: (H, W, 3) float32, coordinates.
        across, down: (H, W, 3) float32, derivatives in surface units a pixel.
        footprint: (H, W) float32, side of a pixel in surface units.
        objects: (H, W) uint16, numbers of the objects from 1.
    """

    surface: FloatArray
    across: FloatArray
    down: FloatArray
    footprint: FloatArray
    objects: npt.NDArray[np.uint16]


class FrameSurface(NamedTuple):
    """The surface of a frame to locate in a keyframe.

    Attributes:
        surface: (H, W, 3) float32, coordinates.
        objects: (H, W) uint16, the keyframe's numbers of the objects; 0 for pixels to ignore.
    """

    surface: FloatArray
    objects: npt.NDArray[np.uint16]


@inlined
def refine(
    key: KeySurface, frame: FrameSurface, found: Located, at: int, to: int, row: int, column: int
) -> bool:
    """Locate a frame's surface point, starting from a keyframe pixel; return whether it is valid.

    Vectors are written out, since loops over three axes take three times as long.

    Args:
        key: the keyframe.
        frame: the frame.
        found: receives the position.
        at, to: row and column of the point in the frame.
        row, column: the keyframe pixel to start from.
    """
    height, width = key.objects.shape
    one, tiny = np.float32(1), np.float32(1e-20)
    mine = frame.objects[at, to]
    x, y, z = frame.surface[at, to, 0], frame.surface[at, to, 1], frame.surface[at, to, 2]
    least, best_x, best_y = np.float32(np.inf), np.float32(0), np.float32(0)
    best_row, best_column = row, column
    for step in range(MOST_STEPS + 1):
        ax, ay, az = _vector(key.across, row, column)
        bx, by, bz = _vector(key.down, row, column)
        px, py, pz = _vector(key.surface, row, column)
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
        allowed = OFF_SURFACE * (key.footprint[row, column] + np.float32(1e-10))
        miss = max(max(abs(dx), abs(dy)) / REACH, off / allowed)
        if step and not miss < least:
            break
        least, best_row, best_column = miss, row, column
        best_x, best_y = min(max(dx, -one), one), min(max(dy, -one), one)
        row = min(max(row + int(np.rint(best_y)), 0), height - 1)
        column = min(max(column + int(np.rint(best_x)), 0), width - 1)
        if row == best_row and column == best_column:
            break
        if key.objects[row, column] != mine:
            break
    found.x[at, to] = np.float32(best_column) + best_x
    found.y[at, to] = np.float32(best_row) + best_y
    found.stretch[at, to] = key.footprint[best_row, best_column]
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
    """Convert a frame's object ids to a keyframe's numbers.

    Args:
        surface: (H, W, 3); pixels of unknown surface get no number.
        objects: (H, W) ids.
        left_out: (H, W), pixels that get no number.
        ids: the keyframe's ids, sorted; the first has the number 1.
        numbers: (H, W), receives the numbers; 0 at first, and where there is none.
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
def refine_all(
    key: KeySurface,
    frame: FrameSurface,
    found: Located,
    places: npt.NDArray[np.intp],
    pixels: npt.NDArray[np.intp],
) -> None:
    """Call ``refine`` for N points.

    Args:
        key, frame, found: as for ``refine``.
        places: (N), flat indices of the points' pixels in the frame.
        pixels: (N), flat indices of the keyframe pixels to start from.
    """
    width, key_width = frame.objects.shape[1], key.objects.shape[1]
    for number in range(len(places)):
        at, to = divmod(places[number], width)
        row, column = divmod(pixels[number], key_width)
        refine(key, frame, found, at, to, row, column)


@compiled
def locate_by_neighbours(
    key: KeySurface,
    frame: FrameSurface,
    found: Located,
    stride: int,
    coarser: int,
    missed: npt.NDArray[np.intp],
) -> int:
    """Locate the pixels of a grid from the corners of a coarser grid that is already located.

    Pixels that are close on the surface are close in the keyframe, too. So each pixel starts at the
    bilinear mean of the four corners' positions. At stride 1, a pixel whose corners are not all
    valid starts from a valid one; it is skipped if all of them show its object and are hidden.

    Args:
        key, frame, found: as for ``refine``.
        stride: spacing of the grid in pixels.
        coarser: spacing of the coarser grid.
        missed: receives the flat indices of pixels that could not be located and need a search.

    Returns:
        The number of these pixels.
    """
    height, width = frame.objects.shape
    last_row, last_column = (height - 1) // coarser * coarser, (width - 1) // coarser * coarser
    part, count = np.float32(1) / np.float32(coarser), 0
    for top in range(0, height, coarser):
        bottom = min(top + coarser, last_row)
        for left in range(0, width, coarser):
            around = top, bottom, left, min(left + coarser, last_column)
            x, y = _corners(found.x, around), _corners(found.y, around)
            valid, objects = _corners(found.valid, around), _corners(frame.objects, around)
            for row in range(top, min(top + coarser, height), stride):
                down, is_below = np.float32(row - top) * part, row > top
                for column in range(left, min(left + coarser, width), stride):
                    mine, is_right = frame.objects[row, column], column > left
                    if mine == 0 or not (is_below or is_right):
                        continue
                    if _all(valid, is_right, is_below):
                        across = np.float32(column - left) * part
                        r = _nearest(_between(y, across, down), key.objects.shape[0])
                        c = _nearest(_between(x, across, down), key.objects.shape[1])
                        is_same = key.objects[r, c] == mine
                        if is_same and refine(key, frame, found, row, column, r, c):
                            continue
                    elif stride == 1:
                        is_hidden = _all(_hidden(valid, objects, mine), is_right, is_below)
                        if is_hidden or _refine_from_corners(
                            key, frame, found, row, column, around
                        ):
                            continue
                    missed[count] = row * width + column
                    count += 1
    return count


@inlined
def _refine_from_corners(
    key: KeySurface,
    frame: FrameSurface,
    found: Located,
    row: int,
    column: int,
    around: tuple[int, int, int, int],
) -> bool:
    """Call ``refine`` from each valid corner of the same object until one succeeds."""
    top, bottom, left, right = around
    height, width = key.objects.shape
    mine = frame.objects[row, column]
    for corner in range(4):
        at, to = bottom if corner & 2 else top, right if corner & 1 else left
        if found.valid[at, to] and frame.objects[at, to] == mine:
            r = _nearest(found.y[at, to] + np.float32(row - at), height)
            c = _nearest(found.x[at, to] + np.float32(column - to), width)
            is_same = key.objects[r, c] == mine
            if is_same and refine(key, frame, found, row, column, r, c):
                return True
    return False


@inlined
def _corners(values: npt.NDArray[Any], around: tuple[int, int, int, int]) -> _Four:
    """Return the values at the top left, top right, bottom left and bottom right corner."""
    top, bottom, left, right = around
    return values[top, left], values[top, right], values[bottom, left], values[bottom, right]


@inlined
def _all(corners: _Four, is_right: bool, is_below: bool) -> bool:
    """Return whether all corners that have a bilinear weight above 0 are true."""
    above = corners[0] and (corners[1] or not is_right)
    return above and (not is_below or (corners[2] and (corners[3] or not is_right)))


@inlined
def _hidden(valid: _Four, objects: _Four, mine: int) -> _Four:
    """Return for each corner whether it shows the object and is not valid."""
    return (
        not valid[0] and objects[0] == mine,
        not valid[1] and objects[1] == mine,
        not valid[2] and objects[2] == mine,
        not valid[3] and objects[3] == mine,
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
