# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of arrays, one name for each kind of number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]
IdArray = npt.NDArray[np.integer[Any]]
"""Integers of any size: ids of objects."""
