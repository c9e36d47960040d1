# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a picture file says that its colours are not those that Blender takes them for.

Blender heeds a few of these notes, and drops the others when it saves the picture.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from .header_bounds import check_header
from .kinds import EXR, PNG, readable_kind
from .png_chunks import chunks_before_pixels

_SRGB_BY_NUMBER = b"\x01\x0d"
_SRGB = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971)}
_SRGB |= {b"bXYZ": (0.1431, 0.0606, 0.7141)}
"""Red, green and blue of sRGB in XYZ, with the white D50 of ICC profiles."""
_REC_709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
_CLOSE = 0.004
_LONGEST_PROFILE = 1 << 24
_HEADER = 1 << 16
_CHROMATICITIES = b"chromaticities\0chromaticities\0" + struct.pack("<I", 32)
_INTEROP_ID = b"colorInteropID\0string\0"


def has_own_colours(path: Path) -> bool:
    """Return whether a PNG is marked as other than sRGB, or an EXR as other than Rec. 709.

    Raises:
        PaintoverError: the file is missing, not a picture, or its header asks for far more than
            pictures have.
    """
    kind = readable_kind(path)
    check_header(path, kind)
    if kind == EXR:
        with path.open("rb") as file:
            return _exr_has_own(file.read(_HEADER))
    return kind == PNG and _png_has_own(path)


def _png_has_own(path: Path) -> bool:
    chunks = dict(chunks_before_pixels(path, (b"cICP", b"iCCP", b"sRGB", b"gAMA")))
    if b"cICP" in chunks:
        return chunks[b"cICP"][:2] != _SRGB_BY_NUMBER
    if b"iCCP" in chunks:
        return _profile_is_own(chunks[b"iCCP"])
    if b"sRGB" in chunks or len(chunks.get(b"gAMA", b"")) != 4:
        return False
    return abs(int.from_bytes(chunks[b"gAMA"], "big") - 45455) > 1000


def _profile_is_own(chunk: bytes) -> bool:
    """Return whether the primaries in an ICC profile are not those of sRGB, or not there."""
    try:
        packed = chunk.partition(b"\0")[2][1:]
        profile = zlib.decompressobj().decompress(packed, _LONGEST_PROFILE)
        (count,) = struct.unpack_from(">I", profile, 128)
        found = {}
        for number in range(min(count, 1000)):
            name, start, _ = struct.unpack_from(">4sII", profile, 132 + 12 * number)
            if name in _SRGB:
                found[name] = struct.unpack_from(">3i", profile, start + 8)
    except (zlib.error, struct.error):
        return True
    return set(found) != set(_SRGB) or any(
        abs(value / 65536 - wanted) > _CLOSE
        for name, values in found.items()
        for value, wanted in zip(values, _SRGB[name], strict=True)
    )


def _exr_has_own(header: bytes) -> bool:
    _, found, rest = header.partition(_CHROMATICITIES)
    if found and len(rest) >= 32:
        values = struct.unpack_from("<8f", rest)
        if any(abs(a - b) > _CLOSE for a, b in zip(values, _REC_709, strict=True)):
            return True
    _, found, rest = header.partition(_INTEROP_ID)
    if not found:
        return False
    length = int.from_bytes(rest[:4], "little")
    return rest[4 : 4 + length] not in (b"lin_rec709_scene", b"data", b"unknown", b"")
