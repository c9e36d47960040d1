# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks how much the headers of an OpenEXR file ask for."""

from __future__ import annotations

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
_MULTI_PART = 0x1000
_LONGEST_NAME = 255
_CHANNEL_BYTES = 16
"""Bytes of a channel beside its name."""
_LEVELS = (1, 2, 4)
"""At most so many times as many tiles as without smaller copies; by mode: none, MIP map, RIP map"""


class TooMuchError(Exception):
    """A header asks for more than pictures have; the text says for what."""


class _CutShortError(Exception):
    """The header ends too early, or a text in it has no end."""


def check_exr(file: BinaryIO) -> None:
    """Check the headers of an EXR file; one that is cut short passes.

    Raises:
        TooMuchError: they ask for more than pictures have.
        struct.error: a value is cut short.
    """
    _, version = struct.unpack("<4sI", file.read(8))
    try:
        chunks = attributes = channels = 0
        for _ in range(_MOST_PARTS):
            values, count = _attributes(file, _MOST_ATTRIBUTES - attributes)
            if not count:
                return
            attributes += count
            own = _channels(values.get(b"channels", b""))
            channels += own
            chunks += max(_chunks(values, own), _whole(values.get(b"chunkCount", b"")))
            for found, most, what in (
                (channels, _MOST_CHANNELS, "channels"),
                (chunks, _MOST_CHUNKS, "tiles or strips"),
            ):
                if found > most:
                    raise TooMuchError(f"more than {most} {what}")
            if not version & _MULTI_PART:
                return
        raise TooMuchError(f"more than {_MOST_PARTS} parts")
    except _CutShortError:
        return


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
        if name in _READ:
            found[name] = file.read(size)
        else:
            file.seek(size, 1)
    return found, count


_READ = (b"channels", b"chunkCount", b"dataWindow", b"tiles")


def _text(file: BinaryIO) -> bytes:
    place = file.tell()
    text, end, _ = file.read(_LONGEST_NAME + 1).partition(b"\0")
    if not end:
        raise _CutShortError
    file.seek(place + len(text) + 1)
    return text


def _channels(value: bytes) -> int:
    """Return how many channels a list of channels has."""
    count = place = 0
    while (end := value.find(b"\0", place)) > place and count <= _MOST_CHANNELS:
        place = end + 1 + _CHANNEL_BYTES
        count += 1
    return count


def _whole(value: bytes) -> int:
    return int.from_bytes(value, "little") if len(value) == 4 else 0


def _chunks(values: dict[bytes, bytes], channels: int) -> int:
    """Return how many tiles or rows a part of so many channels has at most."""
    if len(values.get(b"dataWindow", b"")) != 16:
        return 0
    left, top, right, bottom = struct.unpack("<4i", values[b"dataWindow"])
    width, height = int(right - left + 1), int(bottom - top + 1)
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
