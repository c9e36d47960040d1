# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``edges``: where a painter would draw lines, told by depth, objects and normals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..frames import Frame
from ..images import FloatArray
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

    def compute(self, frame: Frame) -> FloatArray:
        """Return occlusion edges on the near side, on the far side, and creases, each 0..1."""
        assert frame.depth is not None and frame.object is not None and frame.normal is not None
        near = np.zeros(frame.depth.shape, np.float32)
        far, crease = near.copy(), near.copy()
        far_away = 4 * float(frame.depth[np.isfinite(frame.depth)].max(initial=1.0))
        depth = np.where(np.isfinite(frame.depth), frame.depth, far_away).astype(np.float32)
        for axis in (0, 1):
            step = np.diff(depth, axis=axis)
            change = np.abs(np.diff(step, axis=axis))
            side = [(0, 0), (0, 0)]
            side[axis] = (1, 0)
            before = np.pad(change, side, mode="edge")
            side[axis] = (0, 1)
            after = np.pad(change, side, mode="edge")
            least = np.minimum(_cut(depth, axis, 0), _cut(depth, axis, 1))
            jump = _soft(np.minimum(before, after) / np.maximum(least, 1e-6), JUMP)
            other = np.diff(frame.object, axis=axis) != 0
            jump = np.maximum(jump, other)
            _mark(near, np.where(step > 0, jump, 0), axis, 0)
            _mark(near, np.where(step > 0, 0, jump), axis, 1)
            _mark(far, np.where(step > 0, 0, jump), axis, 0)
            _mark(far, np.where(step > 0, jump, 0), axis, 1)
            bend = _soft(_length(np.diff(frame.normal, axis=axis)), CREASE)
            _mark(crease, bend, axis, 0)
            _mark(crease, bend, axis, 1)
        return np.stack([near, far, crease])


def _length(vectors: FloatArray) -> FloatArray:
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _soft(values: FloatArray, half: float) -> FloatArray:
    """Squash 0..infinity to 0..1 with 0.5 at ``half``, steeply."""
    square = np.square(values / half)
    return np.asarray(square / (1 + square), np.float32)


def _cut(values: npt.NDArray[np.float32], axis: int, which: int) -> FloatArray:
    return values.take(range(which, values.shape[axis] - 1 + which), axis)


def _mark(target: FloatArray, values: FloatArray, axis: int, which: int) -> None:
    """Raise pixels on one side of the steps along an axis to the values of the steps."""
    part = [slice(None), slice(None)]
    part[axis] = slice(which, target.shape[axis] - 1 + which)
    view = target[tuple(part)]
    np.maximum(view, values, out=view)
