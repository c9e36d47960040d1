# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass names in an OpenEXR file, and a check that the file is complete, without decoding pixels.

Not every Blender comes with an OpenEXR reader for Python, and Blender reports success even if the
disk was full. Source: OpenEXR file layout (openexr.com/en/latest/OpenEXRFileLayout.html).
"""

from __future__ import annotations

import dataclasses
import errno
import struct
from pathlib import Path
from typing import BinaryIO

from ..engine.shared.passes import split_channel

_MAGIC = 20000630
_MULTI_PART = 0x1000
_ROWS_PER_CHUNK = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}


@dataclasses.dataclass(frozen=True)
class _Part:
    channels: list[str]
    chunks: int


def pass_names(path: Path) -> list[str]:
    """Return the pass names of a multilayer EXR with one or more parts, sorted.

    Raises:
        OSError: the file is missing, damaged or truncated.
    """
    try:
        with path.open("rb") as file:
            parts = _read_parts(file, path.stat().st_size)
    except (ValueError, KeyError, struct.error) as error:
        raise OSError(errno.EIO, f"the file is incomplete ({error})") from error
    split = [split_channel(channel) for part in parts for channel in part.channels]
    return sorted({names[1] for names in split if names})


def _read_parts(file: BinaryIO, size: int) -> list[_Part]:
    magic, version = struct.unpack("<II", file.read(8))
    if magic != _MAGIC:
        raise ValueError("not an OpenEXR file")
    multi_part = bool(version & _MULTI_PART)
    parts = []
    while header := _header(file):
        parts.append(_part(header))
        # A single-part file has one header; in multi-part files an empty header ends the list.
        if not multi_part:
            break
    count = sum(part.chunks for part in parts)
    offsets = struct.unpack(f"<{count}Q", file.read(8 * count))
    for offset in offsets:
        file.seek(offset + 4 * multi_part)
        _, length = struct.unpack("<ii", file.read(8))
        if offset < 8 or file.tell() + length > size:
            raise ValueError("truncated")
    return parts


def _part(header: dict[str, bytes]) -> _Part:
    _, bottom, _, top = struct.unpack("<4i", header["dataWindow"])
    rows = _ROWS_PER_CHUNK[header["compression"][0]]
    return _Part(_channels(header["channels"]), -(-(top - bottom + 1) // rows))


def _header(file: BinaryIO) -> dict[str, bytes]:
    attributes = {}
    while name := _text(file):
        _text(file)
        (size,) = struct.unpack("<i", file.read(4))
        attributes[name] = file.read(size)
    return attributes


def _text(file: BinaryIO) -> str:
    text = bytearray()
    while (byte := file.read(1)) != b"\0":
        if not byte:
            raise ValueError("truncated")
        text += byte
    return text.decode("utf-8", "replace")


def _channels(data: bytes) -> list[str]:
    names = []
    while (end := data.index(b"\0")) > 0:
        names.append(data[:end].decode("utf-8", "replace"))
        data = data[end + 1 + 16 :]
    return names
