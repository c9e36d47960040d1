# SPDX-License-Identifier: GPL-3.0-or-later
"""Random-looking numbers that are the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..compiled import compiled
from ..images import FloatArray


def hash_unit(values: npt.NDArray[np.uint32]) -> FloatArray:
    """Hash integers to 0..1 (the integer mixer "lowbias32" of C. Wellons' hash prospector)."""
    x = values ^ (values >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)


@compiled
def hash_one(value: np.uint32) -> np.float32:
    """Hash one integer as ``hash_unit`` does; for compiled loops, which keep copies of it."""
    x = np.uint32(value ^ (value >> np.uint32(16)))
    x = np.uint32(x * np.uint32(0x7FEB352D))
    x = np.uint32(x ^ (x >> np.uint32(15)))
    x = np.uint32(x * np.uint32(0x846CA68B))
    x = np.uint32(x ^ (x >> np.uint32(16)))
    return np.float32(x >> np.uint32(8)) / np.float32(1 << 24)
