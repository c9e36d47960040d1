# SPDX-License-Identifier: GPL-3.0-or-later
"""The sRGB curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..types import FloatArray


def encode_srgb(linear: npt.ArrayLike) -> FloatArray:
    """Apply the sRGB curve (IEC 61966-2-1) to linear values of any shape; the result is 0..1."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    result = np.asarray(12.92 * x, np.float32)
    curved = ~(x <= 0.0031308)
    result[curved] = 1 + 1.055 * (np.power(x[curved], 1 / 2.4, dtype=np.float32) - 1)  # 1 at 1
    return result


def decode_srgb(display: npt.ArrayLike) -> FloatArray:
    """Undo the sRGB curve (IEC 61966-2-1); values are clipped to 0..1 first."""
    x = np.clip(np.asarray(display, np.float32), 0, 1)
    curve = np.power((x + 0.055) / 1.055, 2.4, dtype=np.float32)
    return np.where(x <= 0.04045, x / 12.92, curve).astype(np.float32)
