# SPDX-License-Identifier: GPL-3.0-or-later
"""Which side of a stored picture is up, as cameras and phones note it (EXIF)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..shared.picture_kinds import WEBP
from .types import FloatArray

_TAG = 0x0112
_TURNED = range(2, 9)


def orientation(path: Path, kind: str, header: Any) -> int:
    """Return the orientation of a picture, 1..8; 1: it is stored upright.

    Args:
        path: its file.
        kind: as ``readable_kind`` returns it.
        header: its header (``ImageSpec``).
    """
    if kind == WEBP:  # OpenImageIO does not read it there
        with Image.open(path) as picture:
            value = int(picture.getexif().get(_TAG, 1))
    else:
        value = int(header.get_int_attribute("Orientation", 1))
    return value if value in _TURNED else 1


def upright_size(width: int, height: int, value: int) -> tuple[int, int]:
    """Return width and height after ``upright``."""
    return (height, width) if value >= 5 else (width, height)


def upright(pixels: FloatArray, value: int) -> FloatArray:
    """Turn and mirror a stored picture (H, W, C), so that its top is up."""
    if value in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if value in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if value in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
