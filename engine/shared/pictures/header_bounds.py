# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks how much a picture's header asks for, before a library that reads pictures believes it.

The libraries take as much memory as a header says, whether or not the file has it: notes of
gigabytes, millions of tiles, thousands of parts. Files may be long and yet take no room on a disk.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import PaintoverError
from ..reading import open_file
from .exr_header import LARGEST_TILE, TooMuchError, check_exr
from .kinds import BMP, EXR, JPEG, PNG, TIFF, WEBP, readable_kind

MOST_NOTES = 1 << 25
"""Most bytes of a picture beside its pixels, such as profiles, previews and notes."""
_MOST_PIECES = 1 << 14
"""Most pieces of such notes."""
_MOST_WEBP = 1 << 27
_MOST_PALETTE = 1 << 8
_INFLATED = (b"zTXt", b"iTXt")
_MOST_INFLATED = 1 << 20
"""Most bytes that are inflated at once."""
_BLOCK = 1 << 16
_MARKER = re.compile(rb"\xff[^\xff\0]", re.DOTALL)
_START_OF_SCAN = 0xDA
_ALONE = frozenset((0x01, *range(0xD0, 0xDA)))
"""Markers of JPEG without a length."""
_TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TIFF_BYTES |= {16: 8, 17: 8, 18: 8}
_WIDTH, _HEIGHT, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 277, 322, 323
_FURTHER = (34665, 34853, 40965)
"""Tags of a TIFF that lead to notes of cameras (EXIF)."""
_MOST_SAMPLES = 1 << 10
_PICTURES_READ = 2
"""Pictures of a TIFF whose headers are read."""


def check_header(path: Path, kind: str) -> None:
    """Check that a picture's header asks for no more than pictures have.

    A header that is cut short or otherwise damaged passes; whoever reads the picture tells that.

    Args:
        path: the picture.
        kind: as ``readable_kind`` returns it.

    Raises:
        PaintoverError: it asks for more.
        OSError: the file may not be read, or is none.
    """
    check = _CHECKS.get(kind)
    if check is None:
        return
    try:
        with open_file(path) as file:
            check(file)
    except TooMuchError as error:
        raise PaintoverError(
            f"{path} is damaged: it claims to hold {error}, far more than pictures do; make it "
            "again, or take it from a backup."
        ) from error
    except struct.error:
        return


def check_before_loading(path: Path) -> None:
    """Check the header of what may be a picture before Blender loads it; what is none passes.

    Raises:
        PaintoverError: it asks for more than pictures have.
    """
    try:
        kind = readable_kind(path)
    except PaintoverError:
        return
    check_header(path, kind)


class _Notes:
    """Adds up what a file holds beside its pixels."""

    def __init__(self) -> None:
        self._bytes = self._pieces = 0

    def add(self, length: int) -> None:
        self._bytes += length
        self._pieces += 1
        if self._bytes > MOST_NOTES:
            raise TooMuchError(f"{self._bytes >> 20} MB beside its pixels")
        if self._pieces > _MOST_PIECES:
            raise TooMuchError(f"more than {_MOST_PIECES} notes")


def _check_png(file: BinaryIO) -> None:
    notes = _Notes()
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            return
        if name in (b"IDAT", b"fdAT"):
            file.seek(length + 4, 1)
            continue
        notes.add(length)
        if name in _INFLATED:
            for size in _inflated(file.read(length), name):
                notes.add(size)
            file.seek(4, 1)
        else:
            file.seek(length + 4, 1)


def _inflated(data: bytes, name: bytes) -> list[int]:
    """Return the lengths of the blocks that a compressed note inflates to."""
    start = data.find(b"\0") + 2
    if name == b"iTXt":
        if data[start - 1 : start] != b"\1":
            return []
        start += 1
        for _ in range(2):  # language and translated keyword
            start = data.find(b"\0", start) + 1
    inflater = zlib.decompressobj()
    sizes: list[int] = []
    packed = data[start:]
    while packed and sum(sizes) <= MOST_NOTES:
        try:
            sizes.append(len(inflater.decompress(packed, _MOST_INFLATED)))
        except zlib.error:
            break
        packed = inflater.unconsumed_tail
    return sizes


def _check_jpeg(file: BinaryIO) -> None:
    """Check the segments before the first scan."""
    notes = _Notes()
    file.seek(2)
    while marker := _next_marker(file, notes):
        if marker == _START_OF_SCAN:
            return
        if marker not in _ALONE:
            (length,) = struct.unpack(">H", file.read(2))
            notes.add(length)
            file.seek(max(length - 2, 0), 1)


def _next_marker(file: BinaryIO, notes: _Notes) -> int:
    """Return the next marker of a JPEG, 0 at its end; bytes before it count as notes."""
    place = file.tell()
    while len(block := file.read(2)) == 2:
        if _MARKER.match(block):
            return block[1]
        block += file.read(_BLOCK)
        found = _MARKER.search(block)
        skipped = found.start() if found else len(block) - 1
        notes.add(skipped)
        place += skipped
        file.seek(place)
    return 0


def _check_tiff(file: BinaryIO) -> None:
    """Check the first pictures of a TIFF, or BigTIFF, and their notes of cameras."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"+\0", b"\0+")
    (place,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
    notes = _Notes()
    for _ in range(_PICTURES_READ):
        if not place:
            return
        tags, place = _tags(file, place, order, is_big, notes)
        samples = tags.get(_SAMPLES, 1)
        if samples > _MOST_SAMPLES:
            raise TooMuchError(f"{samples} channels")
        tile = tags.get(_TILE_WIDTH, 1) * tags.get(_TILE_HEIGHT, 1)
        area = tags.get(_WIDTH, 1) * tags.get(_HEIGHT, 1)
        if tile * samples > max(LARGEST_TILE, 4 * area * samples):
            raise TooMuchError(f"tiles of {tile} pixels")
        for further in _FURTHER:
            if further in tags:
                _tags(file, tags[further], order, is_big, notes)


def _tags(
    file: BinaryIO, place: int, order: str, is_big: bool, notes: _Notes
) -> tuple[dict[int, int], int]:
    """Return the values, of those that are one whole number, of a folder of tags, and the next."""
    if place > file.seek(0, 2):
        return {}, 0
    file.seek(place)
    count, size = ("Q", 20) if is_big else ("H", 12)
    (entries,) = struct.unpack(order + count, file.read(8 if is_big else 2))
    notes.add(size * entries)
    data = file.read(size * entries)
    word = "Q" if is_big else "I"
    found: dict[int, int] = {}
    for number in range(entries):
        tag, kind, length = struct.unpack_from(f"{order}HH{word}", data, size * number)
        notes.add(_TIFF_BYTES.get(kind, 1) * length)
        if length == 1 and kind in (3, 4, 13, 16, 18):
            value = {3: "H", 16: "Q", 18: "Q"}.get(kind, "I")
            value_at = size * number + (12 if is_big else 8)
            found[tag] = struct.unpack_from(order + value, data, value_at)[0]
    following = file.read(8 if is_big else 4)
    return found, struct.unpack(order + word, following)[0] if following else 0


def _check_bmp(file: BinaryIO) -> None:
    """Check the palette, which lies between the header and the pixels."""
    head = file.read(54)
    (pixels_at,) = struct.unpack_from("<I", head, 10)
    (size,) = struct.unpack_from("<I", head, 14)
    colours = struct.unpack_from("<I", head, 46)[0] if size >= 40 else 0
    if colours > _MOST_PALETTE or pixels_at > MOST_NOTES:
        raise TooMuchError(f"a palette of {colours} colors")


def _check_webp(file: BinaryIO) -> None:
    size = file.seek(0, 2)
    if size > _MOST_WEBP:
        raise TooMuchError(f"{size >> 20} MB")


_CHECKS: dict[str, Callable[[BinaryIO], None]] = {
    EXR: check_exr,
    PNG: _check_png,
    JPEG: _check_jpeg,
    TIFF: _check_tiff,
    WEBP: _check_webp,
    BMP: _check_bmp,
}
