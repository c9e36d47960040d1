# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a surface is known, how it changes over the picture, and where it breaks off."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .frames import Frame
from .window import Window

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
    whole = Window.whole(*objects.shape)
    result = np.empty(surface.shape, np.float32)
    for core, band in whole.parts(1):
        steps = _steps(surface[band.inside], objects[band.inside], axis)
        result[core.inside] = steps[core.within(band)]
    return result


def _steps(surface: Floats, objects: Ids, axis: int) -> Floats:
    ahead = _lengths(surface, objects, axis)
    behind = _before(ahead, axis)
    forward = np.zeros(surface.shape, np.float32)
    np.subtract(surface[_but_first(axis)], surface[_but_last(axis)], out=forward[_but_last(axis)])
    forward[np.isinf(ahead)] = 0
    backward = np.zeros_like(forward)
    backward[_but_first(axis)] = forward[_but_last(axis)]
    smaller = np.minimum(ahead, behind)
    both = (np.maximum(ahead, behind) <= SEAM * smaller) & np.isfinite(smaller)
    one = np.where((ahead <= behind)[..., None], forward, backward)
    return np.where(both[..., None], (forward + backward) / 2, one)


def _lengths(surface: Floats, objects: Ids, axis: int) -> Floats:
    """Return (H, W) how far the surface steps to the next pixel; infinite to another object."""
    result = np.full(objects.shape, np.inf, np.float32)
    after, before = surface[_but_first(axis)], surface[_but_last(axis)]
    square = np.zeros(after.shape[:2], np.float32)
    for component in range(3):
        step = after[..., component] - before[..., component]
        square += step * step
    unknown = np.isnan(square)
    unknown |= objects[_but_first(axis)] != objects[_but_last(axis)]
    np.sqrt(square, out=square)
    square[unknown] = np.inf
    result[_but_last(axis)] = square
    return result


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
