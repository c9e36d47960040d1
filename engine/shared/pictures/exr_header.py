# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks how much the headers of an OpenEXR file ask for."""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import BinaryIO

_MOST_BYTES = 1 << 25
"""Most bytes of all headers; those of Cryptomatte with ten thousands of names are below 4 MB."""
_MOST_ATTRIBUTES, _MOST_PARTS, _MOST_CHANNELS = 1 << 14, 1 << 10, 1 << 12
_MOST_CHUNKS = 1 << 21
"""Most chunks of all parts: the tables of their places take 8 bytes a chunk."""
LARGEST_AREA = 1 << 28
LARGEST_TILE = 1 << 24
"""Most values of a tile that is far larger than its picture."""
MULTI_PART = 0x1000
_LONGEST_NAME = 255
_BOX = 16
"""Bytes of a window."""
_CHANNEL_BYTES = 16
"""Bytes of a channel beside its name."""
_LEVELS = (1, 2, 4)
"""At most so many times as many tiles as without smaller copies; by mode: none, MIP map, RIP map"""


class TooMuchError(Exception):
    """A header asks for more than pictures have; the text says for what."""


class CutShortError(Exception):
    """The file ends too early, or what lies in it is damaged."""


@dataclasses.dataclass(frozen=True)
class Headers:
    """The headers of all parts of a file.

    Attributes:
        version: the version, with its flags.
        parts: the attributes of each part that matter here.
    """

    version: int
    parts: list[dict[bytes, bytes]]

    def size(self) -> tuple[int, int]:
        """Return the largest width and height of all windows."""
        boxes = [
            box_size(part[name])
            for part in self.parts
            for name in (b"dataWindow", b"displayWindow")
            if len(part.get(name, b"")) == _BOX
        ]
        widths, heights = zip(*boxes, strict=True) if boxes else ((0,), (0,))
        return max(widths), max(heights)

    def values(self) -> int:
        """Return how many values the pixels of all parts have."""
        return sum(
            math.prod(box_size(part[b"dataWindow"])) * count_channels(part.get(b"channels", b""))
            for part in self.parts
            if len(part.get(b"dataWindow", b"")) == _BOX
        )


def box_size(value: bytes) -> tuple[int, int]:
    """Return width and height of a window."""
    left, top, right, bottom = struct.unpack("<4i", value)
    return right - left + 1, bottom - top + 1


def check_exr(file: BinaryIO) -> tuple[int, int]:
    """Check the headers of an EXR file; one that is cut short passes.

    Returns:
        The largest width and height of its windows.

    Raises:
        TooMuchError: they ask for more than pictures have.
        struct.error: a value is cut short.
    """
    try:
        return read_headers(file).size()
    except CutShortError:
        return 0, 0


def read_headers(file: BinaryIO) -> Headers:
    """Read and check the headers of an EXR file, up to the places of its chunks.

    Raises:
        TooMuchError: they ask for more than pictures have.
        CutShortError: they end too early.
        struct.error: a value is cut short.
    """
    _, version = struct.unpack("<4sI", file.read(8))
    parts: list[dict[bytes, bytes]] = []
    chunks = attributes = channels = 0
    for _ in range(_MOST_PARTS):
        values, count = _attributes(file, _MOST_ATTRIBUTES - attributes)
        if not count:
            return Headers(version, parts)
        parts.append(values)
        attributes += count
        own = count_channels(values.get(b"channels", b""))
        channels += own
        chunks += max(_chunks(values, own), whole(values.get(b"chunkCount", b"")))
        for found, most, what in (
            (channels, _MOST_CHANNELS, "channels"),
            (chunks, _MOST_CHUNKS, "tiles or strips"),
        ):
            if found > most:
                raise TooMuchError(f"more than {most} {what}")
        if not version & MULTI_PART:
            return Headers(version, parts)
    raise TooMuchError(f"more than {_MOST_PARTS} parts")


def _attributes(file: BinaryIO, most: int) -> tuple[dict[bytes, bytes], int]:
    """Return the attributes of a part that matter here, and how many it has."""
    found: dict[bytes, bytes] = {}
    count = 0
    while name := _text(file):
        _text(file)
        (size,) = struct.unpack("<I", file.read(4))
        if file.tell() + size > _MOST_BYTES:
            raise TooMuchError(f"a header of {(file.tell() + size) >> 20} MB")
        count += 1
        if count > most:
            raise TooMuchError(f"more than {_MOST_ATTRIBUTES} notes")
        if name in found:  # which of them a library takes is not known
            raise CutShortError
        if name in _READ:
            found[name] = file.read(size)
        else:
            file.seek(size, 1)
    return found, count


_READ = frozenset(
    (b"channels", b"chunkCount", b"compression", b"dataWindow", b"displayWindow", b"tiles", b"type")
)


def _text(file: BinaryIO) -> bytes:
    place = file.tell()
    text, end, _ = file.read(_LONGEST_NAME + 1).partition(b"\0")
    if not end:
        raise CutShortError
    file.seek(place + len(text) + 1)
    return text


def count_channels(value: bytes) -> int:
    """Return how many channels a list of channels has."""
    count = place = 0
    while (end := value.find(b"\0", place)) > place and count <= _MOST_CHANNELS:
        place = end + 1 + _CHANNEL_BYTES
        count += 1
    return count


def whole(value: bytes) -> int:
    """Return a whole number, 0 if it is none."""
    return int.from_bytes(value, "little") if len(value) == 4 else 0


def _chunks(values: dict[bytes, bytes], channels: int) -> int:
    """Return how many tiles or rows a part of so many channels has at most."""
    if len(values.get(b"dataWindow", b"")) != _BOX:
        return 0
    width, height = box_size(values[b"dataWindow"])
    if min(width, height) > 0 and width * height > LARGEST_AREA:
        raise TooMuchError(f"{width}×{height} pixels")
    if len(values.get(b"tiles", b"")) != 9:
        return height
    across, down, mode = struct.unpack("<IIB", values[b"tiles"])
    if not across or not down:
        raise TooMuchError("tiles without pixels")
    if across * down * channels > max(LARGEST_TILE, 4 * width * height * channels):
        raise TooMuchError(f"tiles of {across}×{down} pixels")
    tiles = int(-(-width // across) + 1) * int(-(-height // down) + 1)
    return tiles * _LEVELS[min(mode & 15, 2)]
