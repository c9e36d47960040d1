# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a surface is known, how it changes over the picture, and where it breaks off."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .compiled import compiled, inlined
from .frames import Frame

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.integer[Any]]

SEAM = 2.5
"""A step between neighbours this many times the step on the other side is an occlusion edge."""
LARGEST = 1e12
"""Surface coordinates beyond this are a renderer's fault, and their squares would overflow."""


def edge_distance(surface: Floats, objects: Ids) -> Floats:
    """Return each pixel's distance, in pixels, to the nearest occlusion edge.

    Edges are where the object changes, and where the surface jumps within one.

    Args:
        surface: (H, W, 3), NaN where not known.
        objects: (H, W) ids.
    """
    known = (objects > 0) & is_known(surface)
    clean = np.where(known[..., None], surface, 0)
    edge = mixed(clean, np.where(known, objects, 0))
    for axis in (0, 1):
        ahead = _lengths(clean, objects, axis)
        usual = _usual(np.minimum(ahead, _before(ahead, axis)))
        jump = (ahead > 2 * SEAM * usual) | np.isinf(ahead)
        jump[_last(axis)] = False
        edge |= jump
        edge[_but_first(axis)] |= jump[_but_last(axis)]
    if not edge.any():
        return np.full(objects.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 3))


def frame_edge_distance(frame: Frame) -> Floats:
    """Return ``edge_distance`` of a frame with ``surface`` and ``object``, computed once."""
    if frame.edge_distance is None:
        assert frame.surface is not None and frame.object is not None
        frame.edge_distance = edge_distance(frame.surface, frame.object)
    return frame.edge_distance


def is_known(surface: Floats) -> Bools:
    """Tell (H, W) where surface coordinates (H, W, 3) are numbers of a possible size."""
    known: Bools = np.abs(surface[..., 0]) <= LARGEST
    for component in (1, 2):
        known &= np.abs(surface[..., component]) <= LARGEST
    return known


def mixed(surface: Floats, objects: Ids) -> Bools:
    """Mark pixels whose surface coordinates an antialiased edge has mixed from two places.

    Such a pixel steps far to both of its neighbours, along a row or a column, beside pixels that
    do not.

    Args:
        surface: (H, W, 3), finite.
        objects: (H, W) ids, 0 where there is nothing to look at.
    """
    found = np.zeros(objects.shape, bool)
    for axis in (0, 1):
        ahead = _lengths(surface, objects, axis)
        nearest = np.minimum(ahead, _before(ahead, axis))
        found |= np.isfinite(nearest) & (nearest > SEAM * _usual(nearest))
    return found


def surface_steps(surface: Floats, objects: Ids, axis: int) -> Floats:
    """Return how the surface changes from pixel to pixel, taken on the side without an edge.

    Args:
        surface: (H, W, 3), NaN where not known.
        objects: (H, W) ids.
        axis: 0 for down, 1 for across.

    Returns:
        (H, W, 3) in surface units a pixel, 0 where not known.
    """
    result = np.zeros(surface.shape, np.float32)
    _find_steps(surface, objects, 1 - axis, axis, result)
    return result


@compiled
def _find_steps(surface: Floats, objects: Ids, down: int, right: int, result: Floats) -> None:
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


def pixel_spans(surface: Floats, objects: Ids) -> Floats:
    """Return how much surface a pixel spans: the larger one of its steps across and down.

    Args:
        surface: (H, W, 3), NaN where not known.
        objects: (H, W) ids, 0 where there is nothing to look at.

    Returns:
        (H, W) in surface units, 0 where not known.
    """
    result = np.zeros(objects.shape, np.float32)
    _find_spans(surface, objects, result)
    return result


@compiled
def _find_spans(surface: Floats, objects: Ids, result: Floats) -> None:
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


def _lengths(surface: Floats, objects: Ids, axis: int) -> Floats:
    """Return (H, W) how far the surface steps to the next pixel; infinite to another object."""
    result = np.full(objects.shape, np.inf, np.float32)
    _find_lengths(surface, objects, 1 - axis, axis, result)
    return result


@compiled
def _find_lengths(surface: Floats, objects: Ids, down: int, right: int, result: Floats) -> None:
    height, width = objects.shape
    for row in range(height - down):
        for column in range(width - right):
            result[row, column] = _length(surface, objects, row, column, row + down, column + right)


@inlined
def _length(
    surface: Floats, objects: Ids, row: int, column: int, next_row: int, next_column: int
) -> np.float32:
    if objects[row, column] != objects[next_row, next_column]:
        return np.float32(np.inf)
    x = surface[next_row, next_column, 0] - surface[row, column, 0]
    y = surface[next_row, next_column, 1] - surface[row, column, 1]
    z = surface[next_row, next_column, 2] - surface[row, column, 2]
    length = np.float32(np.sqrt(x * x + y * y + z * z))
    return np.float32(np.inf) if np.isnan(length) else length


def _before(lengths: Floats, axis: int) -> Floats:
    """Return (H, W) how far the surface steps from the last pixel."""
    result = np.full(lengths.shape, np.inf, np.float32)
    result[_but_first(axis)] = lengths[_but_last(axis)]
    return result


def _but_first(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(1, None),)


def _but_last(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(None, -1),)


def _last(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(-1, None),)


def _usual(lengths: Floats) -> Floats:
    """Return the smallest length among each pixel and its eight neighbours."""
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(lengths, square, borderType=cv2.BORDER_REPLICATE))
