# SPDX-License-Identifier: GPL-3.0-or-later
"""Array types for annotations, one for each element type."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
IdArray = npt.NDArray[np.integer[Any]]
"""Object ids, integers of any size."""
