# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an OpenEXR file has all of its chunks: the strips or tiles that hold its pixels.

Some readers, such as that of Blender 5.0, read beyond the end of a file that is cut short.

Source: OpenEXR file layout (openexr.com/en/latest/OpenEXRFileLayout.html).
"""

from __future__ import annotations

import array
import struct
import sys
from typing import BinaryIO

from .exr_header import MULTI_PART, CutShortError, Headers, box_size, read_headers, whole

_TILED, _DEEP = 0x200, 0x800
_ROWS = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256, 256, 32)
"""Rows of a strip by compression: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A, DWAA, DWAB, HTJ2K"""
_TILES = 9
"""Bytes of the description of tiles."""
_MIP, _RIP = 1, 2
_PLACE = 8
"""Bytes of the place of a chunk."""


def check_chunks(file: BinaryIO) -> int:
    """Check that each chunk of an EXR file lies in the file, as the tables of their places tell.

    Of the pixels, only the lengths are read. A compression that is not known passes.

    Returns:
        How many values its pixels have.

    Raises:
        CutShortError: one does not.
        TooMuchError: the headers ask for more than pictures have.
        struct.error: a value is cut short.
    """
    end = file.seek(0, 2)
    file.seek(0)
    headers = read_headers(file)
    if not headers.parts:
        raise CutShortError
    kinds = [_kind(headers, part) for part in headers.parts]
    counts = [_count(headers, part, kind) for part, kind in zip(headers.parts, kinds, strict=True)]
    if None in counts:
        return headers.values()
    tables = []
    first = file.tell() + _PLACE * sum(filter(None, counts))
    for count in counts:
        data = file.read(_PLACE * count) if count and first <= end else b""
        tables.append(_places(data, count or 0))
    for kind, table in zip(kinds, tables, strict=True):
        _check_places(file, kind, table, range(first, end), headers.version)
    return headers.values()


def _kind(headers: Headers, part: dict[bytes, bytes]) -> bytes:
    """Return the kind of a part; that of a single picture without depths is a flag."""
    if headers.version & (MULTI_PART | _DEEP):
        return part.get(b"type", b"")
    return b"tiledimage" if headers.version & _TILED else b"scanlineimage"


def _count(headers: Headers, part: dict[bytes, bytes], kind: bytes) -> int | None:
    """Return how many chunks a part has, None if that is not known."""
    if len(part.get(b"dataWindow", b"")) != 16:
        raise CutShortError
    width, height = box_size(part[b"dataWindow"])
    if min(width, height) < 1:
        raise CutShortError
    if kind in (b"tiledimage", b"deeptile"):
        count = _tiles(part.get(b"tiles", b""), width, height)
    else:
        compression = part.get(b"compression", b"")
        if len(compression) != 1:
            raise CutShortError
        if compression[0] >= len(_ROWS):
            return None
        count = -(-height // _ROWS[compression[0]])
    if headers.version & MULTI_PART and whole(part.get(b"chunkCount", b"")) != count:
        raise CutShortError
    return count


def _tiles(value: bytes, width: int, height: int) -> int:
    """Return how many tiles a picture and its smaller copies have."""
    if len(value) != _TILES:
        raise CutShortError
    across, down, mode = map(int, struct.unpack("<IIB", value))
    if not across or not down or mode & 15 > _RIP:
        raise CutShortError
    is_up = bool(mode >> 4)
    if mode & 15 == _RIP:
        columns = sum(-(-side // across) for side in _sides(width, width, is_up))
        return columns * sum(-(-side // down) for side in _sides(height, height, is_up))
    longest = max(width, height) if mode & 15 == _MIP else 1
    widths, heights = _sides(width, longest, is_up), _sides(height, longest, is_up)
    return sum(
        -(-wide // across) * -(-high // down) for wide, high in zip(widths, heights, strict=True)
    )


def _sides(side: int, longest: int, is_up: bool) -> list[int]:
    """Return a side of the picture and of its copies, each half of the one before."""
    if is_up:
        levels = (longest - 1).bit_length() + 1
        return [max(1, -(-side >> level)) for level in range(levels)]
    return [max(1, side >> level) for level in range(longest.bit_length())]


def _places(data: bytes, count: int) -> array.array[int]:
    """Return the places of so many chunks."""
    if len(data) != _PLACE * count:
        raise CutShortError
    places = array.array("Q", data)
    if sys.byteorder == "big":
        places.byteswap()
    return places


def _check_places(
    file: BinaryIO, kind: bytes, places: array.array[int], room: range, version: int
) -> None:
    """Check that the chunks of a part lie between the tables and the end of the file."""
    if not places or min(places) < room.start:
        raise CutShortError
    before = 16 if kind in (b"tiledimage", b"deeptile") else 4
    before += 4 if version & MULTI_PART else 0
    lengths = struct.Struct("<QQ" if kind.startswith(b"deep") else "<I")
    head = before + lengths.size + (_PLACE if kind.startswith(b"deep") else 0)
    if max(places) + head > room.stop:
        raise CutShortError
    for place in places:
        file.seek(place + before)
        if place + head + sum(lengths.unpack(file.read(lengths.size))) > room.stop:
            raise CutShortError
