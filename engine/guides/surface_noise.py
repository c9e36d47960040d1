# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``noise``: smooth noise in surface coordinates.

It lets the network tell apart places on a surface that look alike. It is fixed to the surface, so
it moves along. Zooming would change its scale on the screen, so octaves fade in and out by the size
of their cells in pixels (compare Bénard, Bousseau, Thollot 2009, "Dynamic Solid Textures for
Real-Time Coherent Stylization").
"""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..frames.pass_cleaning import all_finite
from ..images.hashing import hash_one, hash_unit
from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray
from ..projection.surface_edges import pixel_spans
from .base import Guide

CHANNELS = 4
RATIO = 3.0
"""Ratio between the cell sizes of two consecutive octaves."""
FINEST_PIXELS = 3.0
"""Smallest cell size in pixels; smaller cells have faded out."""
FADE = 0.5
"""Width of the fade, in octaves."""
LATTICE = 64
"""Period of the noise in cells; a power of 2."""
SIDE = LATTICE + 1
"""Side of the stored lattice, which repeats its first plane at the end."""


class SurfaceNoise(Guide):
    """Four octaves of value noise of the surface coordinates, different on every object.

    Each pixel gets the four octaves whose cells are 3 to 243 pixels large there. The cell size in
    surface units decides which channel an octave uses, so zooming replaces one faded octave at a
    time and leaves the other channels as they are.
    """

    name = "noise"
    needs = ("surface", "object")
    channels = CHANNELS

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the octaves, −1..1; 0 where the surface is unknown."""
        result[:] = 0
        if frame.surface is None or frame.object is None:
            return
        known = all_finite(frame.surface) & (frame.object > 0)
        if known.any():
            size = _log_footprint(frame.surface, frame.object, known)
            _octaves(known, frame.surface, frame.object, size, _lattice(), result)


@compiled
def _octaves(
    known: BoolArray,
    surface: FloatArray,
    objects: npt.NDArray[np.int32],
    size: npt.NDArray[np.float64],
    lattice: FloatArray,
    result: FloatArray,
) -> None:
    """Compute the octaves.

    Args:
        known: (H, W), pixels to compute.
        surface: (H, W, 3) coordinates.
        objects: (H, W) ids.
        size: (H, W), logarithm of the side of a pixel in surface units.
        lattice: the values from ``_lattice``.
        result: (C, H, W), receives the octaves.
    """
    height, width = known.shape
    seed, shift_x, shift_y, shift_z = -1, 0.0, 0.0, 0.0
    octaves, scales = np.full(CHANNELS, -(1 << 30)), np.zeros(CHANNELS)
    for row in range(height):
        for column in range(width):
            if not known[row, column]:
                continue
            if seed != 3 * int(objects[row, column]):
                seed = 3 * int(objects[row, column])
                shift_x, shift_y, shift_z = _shift(seed, 0), _shift(seed, 1), _shift(seed, 2)
            x, y, z = surface[row, column]
            start = (size[row, column] + math.log(FINEST_PIXELS)) / math.log(RATIO)
            for channel in range(CHANNELS):
                rounds = math.ceil((start - channel) / CHANNELS)
                octave = channel + CHANNELS * rounds
                inside = octave - start
                fade = min(inside, CHANNELS - inside) / FADE
                if fade <= 0:
                    continue
                if octaves[channel] != octave:
                    octaves[channel], scales[channel] = octave, RATIO**-octave
                scale = scales[channel]
                noise = _noise(
                    lattice, x * scale + shift_x, y * scale + shift_y, z * scale + shift_z
                )
                result[channel, row, column] = min(fade, 1.0) * noise


@compiled
def _shift(seed: int, axis: int) -> float:
    """Return the offset of an object's noise along an axis, in whole cells."""
    return math.floor(hash_one(np.uint32(seed + axis)) * np.float32(LATTICE))


def _log_footprint(
    surface: FloatArray, objects: npt.NDArray[np.int32], known: BoolArray
) -> npt.NDArray[np.float64]:
    """Return the logarithm of the side of a pixel on the surface, averaged over 9×9 pixels.

    Args:
        surface: (H, W, 3) coordinates.
        objects: (H, W) ids; steps between two objects are ignored.
        known: (H, W) bool, where the surface is known.

    Returns:
        (H, W) float64, logarithm of surface units; undefined where the surface is unknown.
    """
    spans = pixel_spans(surface, np.where(known, objects, 0))
    usable = spans > 0
    if not usable.any():
        return np.zeros(known.shape)
    logarithm = np.log(spans, where=usable, out=np.zeros(known.shape))
    size = (9, 9)
    weight = cv2.boxFilter(usable.astype(np.float64), -1, size, normalize=False)
    total = cv2.boxFilter(logarithm, -1, size, normalize=False)
    smooth: npt.NDArray[np.float64] = total / np.maximum(weight, 0.5)
    lonely = known & (weight < 0.5)
    if lonely.any():
        smooth[lonely] = np.median(logarithm[usable])
    return smooth


@inlined
def _noise(lattice: FloatArray, x: float, y: float, z: float) -> float:
    """Return value noise, −1..1: random values at lattice points, smoothly interpolated."""
    left, top, near = math.floor(x), math.floor(y), math.floor(z)
    across, down, deep = _smooth(x - left), _smooth(y - top), _smooth(z - near)
    last = LATTICE - 1
    corner = ((int(left) & last) * SIDE + (int(top) & last)) * SIDE + (int(near) & last)
    first = _in_plane(lattice, corner, down, deep)
    return _between(first, _in_plane(lattice, corner + SIDE * SIDE, down, deep), across)


@inlined
def _in_plane(lattice: FloatArray, corner: int, down: float, deep: float) -> float:
    above = _between(lattice[corner], lattice[corner + 1], deep)
    below = _between(lattice[corner + SIDE], lattice[corner + SIDE + 1], deep)
    return _between(above, below, down)


@compiled
def _smooth(part: float) -> float:
    return part * part * (3 - 2 * part)


@compiled
def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


@functools.cache
def _lattice() -> FloatArray:
    """Return the lattice's random values, −1..1, flattened from (SIDE, SIDE, SIDE)."""
    cells = np.arange(LATTICE**3, dtype=np.uint32).reshape((LATTICE,) * 3)
    values = hash_unit(cells) * np.float32(2) - np.float32(1)
    return np.pad(values, (0, 1), mode="wrap").reshape(-1)
