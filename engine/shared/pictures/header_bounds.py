# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks how much a picture's header asks for, before a library that reads pictures believes it.

The libraries take as much memory as a header says, whether or not the file has it: notes of
gigabytes, millions of tiles, thousands of parts. Files may be long and yet take no room on a disk.
"""

from __future__ import annotations

import functools
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import PaintoverError
from ..files import read_by_state
from ..reading import open_file
from .exr_chunks import check_chunks
from .exr_header import LARGEST_AREA, LARGEST_TILE, CutShortError, TooMuchError, check_exr
from .kinds import BMP, EXR, JPEG, PNG, TGA, TIFF, WEBP, readable_kind

MOST_NOTES = 1 << 25
"""Most bytes of a picture beside its pixels, such as profiles, previews and notes."""
_MOST_PIECES = 1 << 14
"""Most pieces of such notes."""
_MOST_WEBP = 1 << 27
_WEBP_SIDE = (1 << 14) - 1
_MOST_OF_TGA = 5
"""Most bytes of a pixel of a TGA, packed or not."""
_MOST_PALETTE = 1 << 8
_INFLATED = (b"zTXt", b"iTXt")
_MOST_INFLATED = 1 << 20
"""Most bytes that are inflated at once."""
_BLOCK = 1 << 16
_MARKER = re.compile(rb"\xff[^\xff\0]", re.DOTALL)
_BEHIND_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)
"""Markers that may not be among the coded pixels of a JPEG."""
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_MOST_SCANS = 100
"""Progressive pictures have about ten."""
_MOST_JPEG = 1 << 29
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
_MOST_LARGER = 4
"""A picture of a shot has at most so many times as many pixels as a frame: twice its size."""
_ALWAYS_SMALL = 1 << 23
"""Pixels that are never too many: those of 3840×2160."""
_MOST_CHANNELS = 16
"""Channels that an EXR of the most pixels has at most; a smaller one has more."""


def check_header(
    path: Path, kind: str, *, also_size: bool = False, to_end: bool = True
) -> tuple[int, int]:
    """Check that a picture's header asks for no more than pictures have.

    A header that is cut short or otherwise damaged passes; whoever reads the picture tells that.

    Args:
        path: the picture.
        kind: as ``readable_kind`` returns it.
        also_size: whether its width and height count, too, for readers that do not check them.
        to_end: whether notes behind the pixels of a PNG count, too, for which all of it is read.

    Returns:
        Width and height as the header says, (0, 0) if it is cut short.

    Raises:
        PaintoverError: it asks for more.
        OSError: the file may not be read, or is none.
    """
    try:
        with open_file(path) as file:
            check = _CHECKS[kind] if to_end or kind != PNG else _check_png_head
            width, height = check(file)
        if also_size and width * height > LARGEST_AREA:
            raise TooMuchError(f"{width}×{height} pixels")
    except TooMuchError as error:
        raise PaintoverError(
            f"{path} is damaged: it claims to hold {error}, far more than pictures do; make it "
            "again, or take it from a backup."
        ) from error
    except struct.error:
        return 0, 0
    return width, height


def check_before_loading(
    path: Path, frame: tuple[int, int] | None = None, *, to_end: bool = True
) -> None:
    """Check a picture before Blender loads it, which would read it as any of the kinds it knows.

    A picture that has not changed since it was checked is not read again.

    Args:
        path: the picture.
        frame: width and height of the frames of the shot that it belongs to, if it does. A picture
            of another size is let through up to twice that size, or 3840×2160, so that it can be
            looked at; an EXR of the size of the frames may have 64 channels.
        to_end: as in ``check_header``.

    Raises:
        PaintoverError: it is none that Paintover reads, asks for more than pictures have, is far
            larger than the frames, or is an EXR that is cut short.
    """
    sentence, width, height, values = (_look_at_all if to_end else _look_at_head)(path)
    if not sentence and frame is not None:
        most = max(_MOST_LARGER * frame[0] * frame[1], _ALWAYS_SMALL)
        much = f"{width}×{height}" if width * height > most else ""
        if not much and values > _MOST_CHANNELS * most:
            much = f"{width}×{height} with {values // (width * height)} channels"
        if much:
            sentence = (
                f"{path} is {much}, far larger than the frames, which are {frame[0]}×{frame[1]}; "
                "save it in that size" + (", with fewer channels." if "with" in much else ".")
            )
    if sentence:
        raise PaintoverError(sentence)


def _look(path: Path, *, to_end: bool) -> tuple[str, int, int, int]:
    """Return why Blender must not load a picture, or "", width, height, and values of an EXR."""
    values = 0
    try:
        kind = readable_kind(path)
        width, height = check_header(path, kind, also_size=True, to_end=to_end)
        if kind == EXR:
            with open_file(path) as file:
                values = check_chunks(file)
    except PaintoverError as error:
        return str(error), 0, 0, 0
    except (CutShortError, struct.error):
        sentence = f"{path} is cut short or damaged; save it again, or take it from a backup."
        return sentence, 0, 0, 0
    except OSError as error:
        return f"{path} cannot be read ({error.strerror}); copy it to another disk.", 0, 0, 0
    return "", width, height, values


def _look_at(*, to_end: bool) -> Callable[[Path], tuple[str, int, int, int]]:
    """Return ``_look``, which looks again only at what has changed."""
    look = functools.partial(_look, to_end=to_end)
    known = read_by_state(look, None)

    def found(path: Path) -> tuple[str, int, int, int]:
        return known(path) or look(path)  # which tells why there is no such file

    return found


_look_at_all, _look_at_head = _look_at(to_end=True), _look_at(to_end=False)


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


def _check_png_head(file: BinaryIO) -> _Size:
    return _check_png(file, to_end=False)


def _check_png(file: BinaryIO, *, to_end: bool = True) -> _Size:
    notes = _Notes()
    width, height = struct.unpack(">II", file.read(24)[16:])
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND" or (name == b"IDAT" and not to_end):
            break
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
    return width, height


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


def _check_jpeg(file: BinaryIO) -> _Size:
    """Check the segments of a JPEG, before and between its scans, and how many scans it has.

    Each scan goes over the whole picture again, however few bytes it has.
    """
    size = file.seek(0, 2)
    if size > _MOST_JPEG:
        raise TooMuchError(f"{size >> 20} MB")
    notes = _Notes()
    scans = width = height = 0
    file.seek(2)
    while (marker := _next_marker(file, notes)) and marker != _END_OF_IMAGE:
        if marker in _ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        notes.add(length)
        segment = file.read(max(length - 2, 0))
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", segment, 1)
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > _MOST_SCANS:
                raise TooMuchError(f"more than {_MOST_SCANS} scans")
            _skip_scan(file)
    return width, height


def _skip_scan(file: BinaryIO) -> None:
    """Move on to the marker behind the coded pixels of a scan, or to the end of the file."""
    while len(block := file.read(_BLOCK)) > 1:
        found = _BEHIND_SCAN.search(block)
        if found:
            file.seek(found.start() - len(block), 1)
            return
        if len(block) == _BLOCK:
            file.seek(-1, 1)  # a marker may begin with the last byte


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


def _check_tiff(file: BinaryIO) -> _Size:
    """Check the first pictures of a TIFF, or BigTIFF, and their notes of cameras."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"+\0", b"\0+")
    (place,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
    notes = _Notes()
    first = (0, 0)
    for number in range(_PICTURES_READ):
        if not place:
            break
        tags, place = _tags(file, place, order, is_big, notes)
        samples = tags.get(_SAMPLES, 1)
        if samples > _MOST_SAMPLES:
            raise TooMuchError(f"{samples} channels")
        tile = tags.get(_TILE_WIDTH, 1) * tags.get(_TILE_HEIGHT, 1)
        width, height = tags.get(_WIDTH, 1), tags.get(_HEIGHT, 1)
        if number == 0:
            first = width, height
        if tile * samples > max(LARGEST_TILE, 4 * width * height * samples):
            raise TooMuchError(f"tiles of {tile} pixels")
        for further in _FURTHER:
            if further in tags:
                _tags(file, tags[further], order, is_big, notes)
    return first


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


def _check_bmp(file: BinaryIO) -> _Size:
    """Check the palette, which lies between the header and the pixels."""
    head = file.read(54)
    (pixels_at,) = struct.unpack_from("<I", head, 10)
    (size,) = struct.unpack_from("<I", head, 14)
    colours = struct.unpack_from("<I", head, 46)[0] if size >= 40 else 0
    if colours > _MOST_PALETTE or pixels_at > MOST_NOTES:
        raise TooMuchError(f"a palette of {colours} colors")
    width, height = struct.unpack_from("<ii" if size >= 40 else "<HH", head, 18)
    return abs(width), abs(height)


def _check_webp(file: BinaryIO) -> _Size:
    """Check its length; its sides have 16384 pixels at most."""
    size = file.seek(0, 2)
    if size > _MOST_WEBP:
        raise TooMuchError(f"{size >> 20} MB")
    file.seek(12)
    head = file.read(18)
    if head[:4] == b"VP8X":  # with notes or alpha
        return 1 + _whole(head[12:15]), 1 + _whole(head[15:18])
    if head[:4] == b"VP8L":  # without loss
        bits = _whole(head[9:13])
        return 1 + (bits & _WEBP_SIDE), 1 + (bits >> 14 & _WEBP_SIDE)
    return _whole(head[14:16]) & _WEBP_SIDE, _whole(head[16:18]) & _WEBP_SIDE


def _whole(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _check_tga(file: BinaryIO) -> _Size:
    """Check its size and length, which readers of other kinds may try to read before its own."""
    width, height = struct.unpack("<HH", file.read(16)[12:])
    size = file.seek(0, 2)
    if width * height > LARGEST_AREA or size > _MOST_OF_TGA * width * height + MOST_NOTES:
        raise TooMuchError(f"{width}×{height} pixels in {size >> 20} MB")
    return width, height


_Size = tuple[int, int]
"""Width and height as the header says."""
_CHECKS: dict[str, Callable[[BinaryIO], _Size]] = {
    EXR: check_exr,
    PNG: _check_png,
    JPEG: _check_jpeg,
    TIFF: _check_tiff,
    WEBP: _check_webp,
    BMP: _check_bmp,
    TGA: _check_tga,
}
