# SPDX-License-Identifier: GPL-3.0-or-later
"""Pseudo-random numbers that are the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import compiled
from .types import FloatArray


def hash_unit(values: npt.NDArray[np.uint32]) -> FloatArray:
    """Hash an array of integers, of any shape, to float32 in 0..1; see ``hash_one``."""
    result = np.empty(values.shape, np.float32)
    _hash_all(values.reshape(-1), result.reshape(-1))
    return result


@compiled
def _hash_all(values: npt.NDArray[np.uint32], result: FloatArray) -> None:
    for number in range(len(values)):
        result[number] = hash_one(values[number])


@compiled
def hash_one(value: np.uint32) -> np.float32:
    """Hash an integer to 0..1, with the mixer "lowbias32" of C. Wellons' Hash Prospector.

    This function must never change: compiled loops in other files inline it, and Numba's cache
    would not notice.
    """
    x = np.uint32(value ^ (value >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    x = np.uint32(x ^ (x >> np.uint32(16)))
    return np.float32(x >> np.uint32(8)) / np.float32(1 << 24)
