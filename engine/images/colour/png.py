# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PNG file says of its colours, in chunks that OpenImageIO does not show."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from pathlib import Path

from ...shared.errors import PaintoverError
from ...shared.pictures.png_chunks import chunks_before_pixels

_LARGEST_PROFILE = 64 << 20
_NAMES = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"acTL")


@dataclasses.dataclass
class PngColour:
    """What the chunks of a PNG file say of its colours; None where there is no such chunk.

    Attributes:
        cicp: colour primaries, transfer function, matrix and range, as ITU-T H.273 numbers them.
        profile: the ICC profile.
        is_srgb: whether the file is marked as sRGB.
        gamma: exponent by which the linear values were encoded, such as 1/2.2.
        chromaticities: x and y of white, red, green and blue.
        is_animated: whether the file holds further pictures.
    """

    cicp: tuple[int, int, int, int] | None = None
    profile: bytes | None = None
    is_srgb: bool = False
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    is_animated: bool = False


def read_png_colour(path: Path) -> PngColour:
    """Read the chunks before the pixels of a PNG file.

    Raises:
        PaintoverError: the ICC profile is damaged.
    """
    found = PngColour()
    for name, data in chunks_before_pixels(path, _NAMES):
        _take(path, found, name, data)
    return found


def _take(path: Path, found: PngColour, kind: bytes, data: bytes) -> None:
    if kind == b"cICP" and len(data) == 4:
        found.cicp = (data[0], data[1], data[2], data[3])
    elif kind == b"iCCP":
        found.profile = _inflated(path, data)
    elif kind == b"sRGB":
        found.is_srgb = True
    elif kind == b"acTL":
        found.is_animated = True
    elif kind == b"gAMA" and len(data) == 4 and any(data):
        found.gamma = float(struct.unpack(">I", data)[0]) / 100000
    elif kind == b"cHRM" and len(data) == 32:
        found.chromaticities = tuple(value / 100000 for value in struct.unpack(">8I", data))


def _inflated(path: Path, data: bytes) -> bytes:
    _, _, packed = data.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], _LARGEST_PROFILE)
    except zlib.error:
        profile = b""
    if not profile or not inflater.eof:
        raise PaintoverError(
            f"{path} has a damaged color profile; save it again in sRGB, or without a profile."
        )
    return profile
