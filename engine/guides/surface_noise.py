# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise that is anchored to the surface, so that the network can tell places of it apart."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from ..frames import Frame
from ..images import FloatArray
from ..pass_cleaning import all_finite
from .base import Guide
from .hashing import hash_unit

RATIO = 3.0
"""Each octave's cells are this many times those of the next finer one."""
FINEST_PIXELS = 3.0
"""Cells smaller than this on the screen have faded out."""
FADE = 0.5
"""Over how much of an octave's step noise fades in and out."""
LATTICE = 64
"""The noise repeats after this many cells; a power of 2."""
SIDE = LATTICE + 1
AT_ONCE = 1 << 16
"""Points that are computed at once, to stay in the caches."""


class SurfaceNoise(Guide):
    """Smooth value noise of the surface coordinates, another one on every object.

    Each pixel gets the four octaves whose cells are 3 to 243 pixels there, whatever the size of
    the object. An octave has its place among the channels by its cell size in surface units, so
    zooming exchanges one faded octave at a time and leaves the others as they are (compare
    Bénard, Bousseau, Thollot 2009, "Dynamic Solid Textures").
    """

    name = "noise"
    needs = ("surface", "object")
    channels = 4

    def compute(self, frame: Frame) -> FloatArray:
        """Return the octaves, −1..1, 0 where the surface is not known."""
        height, width = frame.image.shape[:2]
        result = np.zeros((self.channels, height, width), np.float32)
        if frame.surface is None or frame.object is None:
            return result
        known = all_finite(frame.surface) & (frame.object > 0)
        if not known.any():
            return result
        size = footprint(frame.surface, frame.object, known)[known]
        points, objects = frame.surface[known], frame.object[known]
        octaves = np.empty((self.channels, len(points)), np.float32)
        for first in range(0, len(points), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            octaves[:, part] = self._octaves(points[part], objects[part], size[part])
        for channel, values in zip(result, octaves, strict=True):
            channel[known] = values
        return result

    def _octaves(
        self, points: FloatArray, objects: npt.NDArray[np.int32], size: npt.NDArray[np.float64]
    ) -> FloatArray:
        """Return the octaves (4, N) of points (N, 3) of objects, seen in pixels of these sizes."""
        points = points.astype(np.float64)
        start = (np.log(size * FINEST_PIXELS) / np.log(RATIO)).astype(np.float32)
        seeds = objects.astype(np.uint32) * np.uint32(3)
        shift = np.stack([hash_unit(seeds + np.uint32(axis)) for axis in range(3)], -1)
        moved = np.floor(shift * LATTICE)
        result = np.empty((self.channels, len(points)), np.float32)
        for channel in range(self.channels):
            rounds = np.ceil((start - channel) / self.channels)
            octave = channel + self.channels * rounds
            inside = octave - start
            fade = np.clip(np.minimum(inside, self.channels - inside) / FADE, 0, 1)
            lowest = int(octave.min())
            sizes = RATIO ** np.arange(lowest, octave.max() + 1)
            cell = sizes[octave.astype(np.intp) - lowest]
            cells = points * (1 / cell)[:, None] + moved
            result[channel] = value_noise(cells) * fade
        return result


def footprint(
    surface: FloatArray, objects: npt.NDArray[np.int32], known: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return how much surface a pixel spans, (H, W) in surface units, smooth over the screen.

    Args:
        surface: (H, W, 3).
        objects: (H, W) ids; steps from one object to another do not count.
        known: (H, W), where the surface is known.
    """
    steps = np.full(known.shape, np.nan, np.float32)
    for axis in (0, 1):
        x, y, z = np.moveaxis(np.diff(surface, axis=axis), 2, 0)
        step = np.sqrt(x * x + y * y + z * z)
        step[np.diff(objects, axis=axis) != 0] = np.nan
        after, before = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        after[axis], before[axis] = (0, 1), (1, 0)
        sides = (np.pad(step, pad, constant_values=np.nan) for pad in (after, before))
        steps = np.fmax(steps, np.fmin(*sides))
    usable = known & np.isfinite(steps) & (steps > 0)
    if not usable.any():
        return np.ones(known.shape)
    logarithm = np.where(usable, np.log(np.where(usable, steps, 1)), 0).astype(np.float64)
    size = (9, 9)
    weight = cv2.boxFilter(usable.astype(np.float64), -1, size, normalize=False)
    total = cv2.boxFilter(logarithm, -1, size, normalize=False)
    usual = float(np.median(logarithm[usable]))
    smooth = np.where(weight > 0.5, total / np.maximum(weight, 0.5), usual)
    return np.asarray(np.exp(smooth), np.float64)


def value_noise(points: npt.NDArray[np.float64]) -> FloatArray:
    """Return random values at lattice points, smoothly interpolated, −1..1.

    Args:
        points: (N, 3) in cells of the lattice.
    """
    floor = np.floor(points)
    part = (points - floor).astype(np.float32)
    x, y, z = (part * part * (3 - 2 * part)).T
    cells = floor.astype(np.int64) & (LATTICE - 1)
    corner = (cells[:, 0] * SIDE + cells[:, 1]) * SIDE + cells[:, 2]
    lines = []
    for line in (0, SIDE, SIDE * SIDE, SIDE * SIDE + SIDE):
        start, end = (_lattice().take(corner + (line + step)) for step in (0, 1))
        lines.append(_between(start, end, z))
    near, far = _between(lines[0], lines[1], y), _between(lines[2], lines[3], y)
    return _between(near, far, x)


def _between(start: FloatArray, end: FloatArray, share: FloatArray) -> FloatArray:
    """Interpolate from ``start``, which is overwritten, to ``end``."""
    end -= start
    end *= share
    start += end
    return start


@functools.cache
def _lattice() -> FloatArray:
    """Return the values of the lattice in one row; its first planes follow its last again."""
    cells = np.arange(LATTICE**3, dtype=np.uint32).reshape((LATTICE,) * 3)
    values = hash_unit(cells) * np.float32(2) - np.float32(1)
    return np.pad(values, (0, 1), mode="wrap").reshape(-1)
