# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise that is anchored to the surface, so that the network can tell places of it apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..frames import Frame
from ..images import FloatArray
from .base import Guide
from .hashing import hash_unit

WAVES = (0.5, 0.25, 0.125)
"""Size of the noise's cells in the surface's own units, a channel each."""


class SurfaceNoise(Guide):
    """Smooth value noise of the surface coordinates, another one on every object."""

    name = "noise"
    needs = ("surface", "object")
    channels = len(WAVES)

    def compute(self, frame: Frame) -> FloatArray:
        """Return noise of three sizes, −1..1, 0 where the surface is not known."""
        height, width = frame.image.shape[:2]
        result = np.zeros((self.channels, height, width), np.float32)
        if frame.surface is None or frame.object is None:
            return result
        known = np.isfinite(frame.surface).all(axis=2) & (frame.object > 0)
        points = frame.surface[known].astype(np.float64)
        salt = frame.object[known].astype(np.uint32)
        for channel, wave in enumerate(WAVES):
            result[channel][known] = value_noise(points / wave, salt + np.uint32(channel)) * 2 - 1
        return result


def value_noise(points: npt.NDArray[np.float64], salt: npt.NDArray[np.uint32]) -> FloatArray:
    """Return value noise (random values at lattice points, smoothly interpolated) in 0..1.

    Args:
        points: (N, 3) in cells of the lattice.
        salt: (N,), another noise for each.
    """
    floor = np.floor(points)
    part = (points - floor).astype(np.float32)
    part = part * part * (3 - 2 * part)
    corner = floor.astype(np.int64).astype(np.uint32)
    total = np.zeros(len(points), np.float32)
    for x in (0, 1):
        for y in (0, 1):
            for z in (0, 1):
                at = corner + np.array([x, y, z], np.uint32)
                mixed = at[:, 0] * np.uint32(0x8DA6B343) ^ at[:, 1] * np.uint32(0xD8163841)
                mixed = mixed ^ at[:, 2] * np.uint32(0xCB1AB31F) ^ salt * np.uint32(0x165667B1)
                share = np.ones(len(points), np.float32)
                for axis, side in enumerate((x, y, z)):
                    share = share * (part[:, axis] if side else 1 - part[:, axis])
                total += share * hash_unit(mixed)
    return total
