# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``edges``: where a painter would draw lines, told by depth, objects and normals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.jit import compiled
from ..images.types import FloatArray
from .base import Guide

JUMP = 0.03
"""A jump in depth, relative to the depth, that half counts as an occlusion edge."""
CREASE = 0.35
"""Change of the normal, as length of the difference, that half counts as a crease."""


class Edges(Guide):
    """Occlusion edges seen from the near side and from the far side, and creases.

    A silhouette is where depth jumps (not where it slopes: a jump differs from the steps on both
    of its sides) or where the object changes; the classical definition of "Comprehensible
    Rendering of 3-D Shapes" (Saito and Takahashi, SIGGRAPH 1990).
    """

    name = "edges"
    needs = ("depth", "object", "normal")
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write occlusion edges on the near side, on the far side, and creases, each 0..1."""
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
    """Raise pixels on both sides of the steps down, or right, to what the steps tell.

    Args:
        depth: (H, W), finite.
        objects: (H, W).
        normals: (H, W, 3).
        down, right: 1 and 0, or 0 and 1.
        result: (3, H, W), the channels of the guide.
    """
    height, width = depth.shape
    for row in range(height - down):
        for column in range(width - right):
            r, c = row + down, column + right
            here, there = depth[row, column], depth[r, c]
            step = there - here
            # At the picture's border there is a step on one side alone.
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
    """Squash 0..infinity to 0..1 with 0.5 at ``half``, steeply."""
    share = value / np.float32(half)
    square = share * share
    return square / (np.float32(1) + square)
