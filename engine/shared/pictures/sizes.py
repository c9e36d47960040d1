# SPDX-License-Identifier: GPL-3.0-or-later
"""Width and height of a painting, read from its file without the pixels.

Source: OpenEXR file layout (openexr.com/en/latest/OpenEXRFileLayout.html).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import PaintoverError
from ..files import read_by_state
from .exr_chunks import check_chunks
from .exr_header import CutShortError, TooMuchError
from .kinds import EXR, PNG, png_size, readable_kind

_LONGEST = 1 << 24
"""Most bytes of an attribute of an EXR."""


DAMAGED = (0, 0)


def _read(path: Path) -> tuple[int, int] | None:
    try:
        kind = readable_kind(path)
        if kind == PNG:
            return png_size(path)
        if kind == EXR:
            with path.open("rb") as file:
                check_chunks(file)
                return _exr_size(file)
    except (OSError, PaintoverError, struct.error, ValueError, CutShortError, TooMuchError):
        return DAMAGED
    return None


painting_size: Callable[[Path], tuple[int, int] | None] = read_by_state(_read, DAMAGED)
"""Return (width, height) of a PNG or EXR in pixels; None for a picture of another kind.

``DAMAGED`` if the file is missing, no picture, or an EXR that is cut short. It is read again only
when it has changed.
"""


def _exr_size(file: BinaryIO) -> tuple[int, int]:
    """Return the size of the display window, into which Paintover lays the pixels."""
    file.seek(8)
    while name := _text(file):
        _text(file)
        (length,) = struct.unpack("<I", file.read(4))
        if length > _LONGEST:
            raise ValueError("no EXR")
        value = file.read(length)
        if name == b"displayWindow":
            left, top, right, bottom = struct.unpack("<4i", value)
            return right - left + 1, bottom - top + 1
    raise ValueError("no EXR")


def _text(file: BinaryIO) -> bytes:
    text = b""
    while (letter := file.read(1)) != b"\0":
        if not letter or len(text) > 255:
            raise ValueError("no EXR")
        text += letter
    return text
