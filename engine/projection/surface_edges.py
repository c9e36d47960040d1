# SPDX-License-Identifier: GPL-3.0-or-later
"""Occlusion edges and derivatives of the surface pass.

The pass gives each pixel the rest position of the surface point that it shows. On a smooth surface
the position changes evenly from pixel to pixel. An occlusion edge is where the object changes, or
where the step between neighbours is much larger than the usual step around it. Antialiasing mixes
the positions of both sides at an edge; such a pixel lies far from both neighbours and is useless.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ..frames.frame import Frame
from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray, IdArray

SEAM = 2.5
"""A step this many times as large as the step on the other side of a pixel is a jump."""
LARGEST = 1e12
"""Larger coordinates are a renderer's error; their squares would overflow float32."""


class SurfaceEdges(NamedTuple):
    """The occlusion edges of a frame, computed once for all keyframes projected into it.

    Attributes:
        distance: (H, W) float32, pixels to the nearest occlusion edge; infinity: none.
        mixed: (H, W) bool, see the function ``mixed``.
    """

    distance: FloatArray
    mixed: BoolArray

    @classmethod
    def of(cls, frame: Frame) -> SurfaceEdges:
        """Find the edges of a frame that has ``surface`` and ``object``."""
        assert frame.surface is not None and frame.object is not None
        return cls(*_edges_and_mixed(frame.surface, frame.object))


def edge_distance(surface: FloatArray, objects: IdArray) -> FloatArray:
    """Return (H, W) float32, the distance in pixels to the nearest occlusion edge.

    Args:
        surface: (H, W, 3) float32, NaN where unknown.
        objects: (H, W) integer ids.
    """
    return _edges_and_mixed(surface, objects)[0]


def _edges_and_mixed(surface: FloatArray, objects: IdArray) -> tuple[FloatArray, BoolArray]:
    known = np.where(is_known(surface), np.maximum(objects, 0), 0)
    steps = _Steps(surface, objects, known)
    found = steps.mixed()
    edge = found.copy()
    for axis, (ahead, nearest) in enumerate(zip(steps.ahead, steps.nearest, strict=True)):
        _mark_jumps(ahead, _least_around(nearest), 1 - axis, axis, edge)
    if not edge.any():
        return np.full(objects.shape, np.inf, np.float32), found
    return np.asarray(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 3)), found


@compiled
def _mark_jumps(
    ahead: FloatArray, usual: FloatArray, down: int, right: int, edge: BoolArray
) -> None:
    """Mark the pixels on both sides of a step that is infinite or much larger than usual."""
    height, width = ahead.shape
    for row in range(height - down):
        for column in range(width - right):
            step = ahead[row, column]
            if step > np.float32(2 * SEAM) * usual[row, column] or step == np.inf:
                edge[row, column] = edge[row + down, column + right] = True


def is_known(surface: FloatArray) -> BoolArray:
    """Return (H, W) bool, True where surface coordinates (H, W, 3) are within ±``LARGEST``."""
    known: BoolArray = np.abs(surface[..., 0]) <= LARGEST
    for component in (1, 2):
        known &= np.abs(surface[..., component]) <= LARGEST
    return known


def mixed(surface: FloatArray, objects: IdArray) -> BoolArray:
    """Return (H, W) bool, True where antialiasing mixed the coordinates of two surfaces.

    Such a pixel is far from both neighbours in its row or column, while pixels around it are not.

    Args:
        surface: (H, W, 3) float32, finite where ``objects`` is not 0.
        objects: (H, W) integer ids, 0 for pixels to ignore.
    """
    return _Steps(surface, objects, objects).mixed()


class _Steps:
    """Lengths of the steps of the surface between neighbouring pixels, (2, H, W): down, across.

    Args:
        surface: (H, W, 3).
        objects: (H, W) ids; steps between two objects are infinite.
        known: (H, W), the ids where the surface is known, 0 elsewhere.

    Attributes:
        ahead: step to the next pixel.
        nearest: the smaller one of the steps to the next and to the previous pixel.
        nearest_known: the same, but steps to pixels of unknown surface are infinite, too.
    """

    def __init__(self, surface: FloatArray, objects: IdArray, known: IdArray) -> None:
        shape = (2, *objects.shape)
        self.ahead, self.nearest, self.nearest_known = (
            np.full(shape, np.inf, np.float32) for _ in range(3)
        )
        _find_nearest(surface, objects, known, self.ahead, self.nearest, self.nearest_known)

    def mixed(self) -> BoolArray:
        """See the function of this name."""
        found = np.zeros(self.ahead.shape[1:], bool)
        for nearest in self.nearest_known:
            _mark_far(nearest, _least_around(nearest), found)
        return found


def _least_around(steps: FloatArray) -> FloatArray:
    """Return the smallest step (H, W) of each pixel and its eight neighbours."""
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(steps, square, borderType=cv2.BORDER_REPLICATE), np.float32)


@compiled
def _find_nearest(
    surface: FloatArray,
    objects: IdArray,
    known: IdArray,
    ahead: FloatArray,
    nearest: FloatArray,
    nearest_known: FloatArray,
) -> None:
    """Fill the attributes of ``_Steps``, which start as infinity."""
    height, width = objects.shape
    for row in range(height):
        for column in range(width):
            mine = known[row, column]
            for axis in range(2):
                r, c = row + 1 - axis, column + axis
                if r == height or c == width:
                    continue
                theirs = known[r, c]
                step = step_known = np.float32(np.inf)
                if mine == theirs:
                    step_known = np.float32(0)
                    if mine != 0:
                        step_known = _length(surface, objects, row, column, r, c)
                if objects[row, column] == objects[r, c]:
                    step = step_known
                    if mine != theirs:  # unknown surface counts as the origin
                        r0, c0 = (row, column) if mine != 0 else (r, c)
                        x, y, z = surface[r0, c0, 0], surface[r0, c0, 1], surface[r0, c0, 2]
                        step = np.float32(np.sqrt(x * x + y * y + z * z))
                ahead[axis, row, column] = step
                nearest[axis, row, column] = min(nearest[axis, row, column], step)
                nearest[axis, r, c] = step
                before = nearest_known[axis, row, column]
                nearest_known[axis, row, column] = min(before, step_known)
                nearest_known[axis, r, c] = step_known


@compiled
def _mark_far(steps: FloatArray, usual: FloatArray, found: BoolArray) -> None:
    height, width = steps.shape
    for row in range(height):
        for column in range(width):
            step = steps[row, column]
            if step < np.inf and step > np.float32(SEAM) * usual[row, column]:
                found[row, column] = True


def surface_steps(surface: FloatArray, objects: IdArray, axis: int) -> FloatArray:
    """Return the derivative of the surface along an axis, never taken across an edge.

    It is a central difference, or a one-sided one where the other side jumps.

    Args:
        surface: (H, W, 3) float32, NaN where unknown.
        objects: (H, W) integer ids.
        axis: 0 for down, 1 for across.

    Returns:
        (H, W, 3) float32, surface units a pixel, 0 where unknown.
    """
    result = np.zeros(surface.shape, np.float32)
    _find_steps(surface, objects, 1 - axis, axis, result)
    return result


@compiled
def _find_steps(
    surface: FloatArray, objects: IdArray, down: int, right: int, result: FloatArray
) -> None:
    height, width = objects.shape
    for row in range(height):
        for column in range(width):
            ahead = behind = np.float32(np.inf)
            if row + down < height and column + right < width:
                ahead = _length(surface, objects, row, column, row + down, column + right)
            if row >= down and column >= right:
                behind = _length(surface, objects, row - down, column - right, row, column)
            nearer = min(ahead, behind)
            if not nearer < np.inf:
                continue
            # From the pixel before to the one after, or on the nearer side alone.
            both = max(ahead, behind) <= np.float32(SEAM) * nearer
            share = np.float32(0.5) if both else np.float32(1)
            last, first = int(both or ahead <= behind), int(both or ahead > behind)
            r, c = row + last * down, column + last * right
            from_r, from_c = row - first * down, column - first * right
            for axis in range(3):
                result[row, column, axis] = share * (
                    surface[r, c, axis] - surface[from_r, from_c, axis]
                )


def pixel_spans(surface: FloatArray, objects: IdArray) -> FloatArray:
    """Return the size of a pixel on the surface: the larger one of its steps across and down.

    Args:
        surface: (H, W, 3) float32, NaN where unknown.
        objects: (H, W) integer ids, 0 for pixels to ignore.

    Returns:
        (H, W) float32 in surface units, 0 where unknown.
    """
    result = np.zeros(objects.shape, np.float32)
    _find_spans(surface, objects, result)
    return result


@compiled
def _find_spans(surface: FloatArray, objects: IdArray, result: FloatArray) -> None:
    height, width = objects.shape
    for row in range(height):
        for column in range(width):
            if objects[row, column] == 0:
                continue
            for axis in range(2):
                nearer = np.float32(np.inf)
                for way in (-1, 1):
                    r, c = (row, column + way) if axis else (row + way, column)
                    if 0 <= r < height and 0 <= c < width:
                        nearer = min(nearer, _length(surface, objects, row, column, r, c))
                if nearer < np.inf:
                    result[row, column] = max(result[row, column], nearer)


@inlined
def _length(
    surface: FloatArray, objects: IdArray, row: int, column: int, next_row: int, next_column: int
) -> np.float32:
    """Return the distance of two pixels' surface points; infinity for two objects or NaN."""
    if objects[row, column] != objects[next_row, next_column]:
        return np.float32(np.inf)
    x = surface[next_row, next_column, 0] - surface[row, column, 0]
    y = surface[next_row, next_column, 1] - surface[row, column, 1]
    z = surface[next_row, next_column, 2] - surface[row, column, 2]
    length = np.float32(np.sqrt(x * x + y * y + z * z))
    return np.float32(np.inf) if np.isnan(length) else length
