# SPDX-License-Identifier: GPL-3.0-or-later
"""Random-looking numbers that are the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images import FloatArray


def hash_unit(values: npt.NDArray[np.uint32]) -> FloatArray:
    """Hash integers to 0..1 (the integer mixer "lowbias32" of C. Wellons' hash prospector)."""
    x = values ^ (values >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float32) / np.float32(1 << 24)
