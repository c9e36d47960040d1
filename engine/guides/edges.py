# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``edges``: silhouettes and creases, from depth, objects and normals.

These are the lines that painters draw; Saito and Takahashi, "Comprehensible Rendering of 3-D
Shapes" (SIGGRAPH 1990), find them from the same passes. Depth jumps at a silhouette. Where a
surface merely slopes, the depth changes by similar steps from pixel to pixel, so a jump is measured
as the difference between a step and the steps next to it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.jit import compiled
from ..images.types import FloatArray
from .base import Guide

JUMP = 0.03
"""Jump in depth, relative to the depth, that gives a strength of 0.5."""
CREASE = 0.35
"""Length of the difference of two normals that gives a strength of 0.5."""


class Edges(Guide):
    """Three channels, 0..1: silhouettes on the near side, on the far side, and creases.

    A silhouette is where depth jumps or the object changes; a crease is where the normal changes.
    """

    name = "edges"
    needs = ("depth", "object", "normal")
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the strengths, 0..1; the frame has ``depth``, ``object`` and ``normal``."""
        assert frame.depth is not None and frame.object is not None and frame.normal is not None
        far_away = 4 * float(frame.depth[np.isfinite(frame.depth)].max(initial=1.0))
        depth = np.where(np.isfinite(frame.depth), frame.depth, far_away).astype(np.float32)
        result[:] = 0
        for axis in (0, 1):
            _mark(depth, frame.object, frame.normal, 1 - axis, axis, result)


@compiled
def _mark(
    depth: FloatArray,
    objects: npt.NDArray[np.int32],
    normals: FloatArray,
    down: int,
    right: int,
    result: FloatArray,
) -> None:
    """Raise the strength of the pixels on both sides of each step in one direction.

    Args:
        depth: (H, W), finite.
        objects: (H, W) ids.
        normals: (H, W, 3).
        down, right: direction of the steps: 1 and 0, or 0 and 1.
        result: (3, H, W), the guide's channels, changed in place.
    """
    height, width = depth.shape
    for row in range(height - down):
        for column in range(width - right):
            r, c = row + down, column + right
            here, there = depth[row, column], depth[r, c]
            step = there - here
            # At the picture's border only one of the adjacent steps exists.
            before = after = np.float32(np.inf)
            if row >= down and column >= right:
                before = abs(step - (here - depth[row - down, column - right]))
            if r + down < height and c + right < width:
                after = abs(depth[r + down, c + right] - there - step)
            change = min(before, after)
            jump = np.float32(1)
            if objects[row, column] == objects[r, c]:
                jump = np.float32(0)
                if change < np.inf:
                    nearest = max(min(here, there), np.float32(1e-6))
                    jump = _soft(change / nearest, JUMP)
            if jump > 0:
                near, far = (0, 1) if step > 0 else (1, 0)
                result[near, row, column] = max(result[near, row, column], jump)
                result[far, r, c] = max(result[far, r, c], jump)
            square = np.float32(0)
            for axis in range(3):
                bend = normals[r, c, axis] - normals[row, column, axis]
                square += bend * bend
            if square > 0:
                crease = _soft(np.float32(np.sqrt(square)), CREASE)
                result[2, row, column] = max(result[2, row, column], crease)
                result[2, r, c] = max(result[2, r, c], crease)


@compiled
def _soft(value: np.float32, half: float) -> np.float32:
    """Map 0..infinity to 0..1 by x² / (1 + x²), where x is ``value / half``."""
    share = value / np.float32(half)
    square = share * share
    return square / (np.float32(1) + square)
