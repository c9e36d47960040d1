# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes of cameras and phones (EXIF), above all which side of a stored picture is up."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..shared.pictures.kinds import WEBP
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
        value = exif_value(path, _TAG)
    else:
        value = int(header.get_int_attribute("Orientation", 1))
    return int(value) if value in _TURNED else 1


def exif_value(path: Path, tag: int, folder: int = 0) -> Any:
    """Return the value of a tag in the EXIF data of a picture; None: none, or they are damaged.

    Args:
        path: its file.
        tag: number of the tag.
        folder: number of the folder of tags that it is in; 0: the first.
    """
    try:
        with Image.open(path) as picture:
            found = picture.getexif()
            return (found.get_ifd(folder) if folder else found).get(tag)
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return None


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
