# SPDX-License-Identifier: GPL-3.0-or-later
"""Three-dimensional noise and stripes, to draw on surfaces."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

DoubleArray = npt.NDArray[np.float64]
LATTICE = 64
"""The noise repeats after this many cells."""
FINEST_STRIPE = 0.45
"""Stripes with more cycles per pixel than this are drawn as their mean."""


def fractal(points: DoubleArray, seed: int, octaves: int = 3) -> DoubleArray:
    """Sum octaves of smooth value noise, each twice as fine and half as strong as the last.

    Args:
        points: (H, W, 3) in cells of the coarsest octave.
        seed: another seed gives other noise.

    Returns:
        (H, W), 0..1.
    """
    total = sum(value(points * 2**k, seed + k) * 0.5**k for k in range(octaves))
    return np.asarray(total / sum(0.5**k for k in range(octaves)))


def value(points: DoubleArray, seed: int) -> DoubleArray:
    """Return (H, W) random values of lattice points, smoothly interpolated, 0..1."""
    floor = np.floor(points)
    part = points - floor
    at = np.mod(floor + seed * np.array([11, 23, 37]), LATTICE) + part * part * (3 - 2 * part)
    return np.asarray(
        map_coordinates(_lattice(), np.moveaxis(at, -1, 0), order=1, mode="grid-wrap")
    )


@functools.cache
def _lattice() -> DoubleArray:
    return np.random.default_rng(20).random((LATTICE,) * 3)


def stripes(phase: DoubleArray, width: DoubleArray, things: npt.NDArray[np.int32]) -> DoubleArray:
    """Draw parallel lines without aliasing.

    Args:
        phase: (H, W), grows by 1 from line to line.
        width: (H, W), share of the area that the lines cover, 0..1.
        things: (H, W), object ids; the phase is not differentiated across objects.

    Returns:
        Coverage (H, W), 0..1; the mean where lines are too fine for the pixels.
    """
    cycles = np.clip(_slope(phase, things), 1e-6, None)
    distance = np.abs(np.mod(phase, 1) - 0.5)
    soft = np.clip(cycles, 1e-3, 0.5)
    cover = np.clip((width / 2 - distance) / soft + 0.5, 0, 1)
    cover *= np.clip(width / 0.05, 0, 1)
    fade = np.clip((cycles / FINEST_STRIPE - 0.5) / 0.5, 0, 1)
    return np.asarray(cover * (1 - fade) + width * fade)


def _slope(phase: DoubleArray, things: npt.NDArray[np.int32]) -> DoubleArray:
    """Return the phase gradient per pixel (H, W), the smaller of both sides in x and in y."""
    slopes = []
    for axis in (0, 1):
        step = np.abs(np.diff(phase, axis=axis))
        step[np.diff(things, axis=axis) != 0] = np.inf
        after, before = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        after[axis], before[axis] = (0, 1), (1, 0)
        sides = [np.pad(step, pad, constant_values=np.inf) for pad in (after, before)]
        flatter = np.minimum(*sides)
        slopes.append(np.where(np.isfinite(flatter), flatter, 0))
    return np.asarray(np.hypot(*slopes))
