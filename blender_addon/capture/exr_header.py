# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the passes in an OpenEXR file, read from its header alone.

Blender's own Python has no OpenEXR reader everywhere, so this reads the header as the OpenEXR
file layout describes it (openexr.com/en/latest/OpenEXRFileLayout.html).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ..engine.errors import PaintoverError
from ..engine.passes import split_channel

_MAGIC = 20000630
_MULTI_PART = 0x1000


def pass_names(path: Path) -> list[str]:
    """Return the names of the passes in a multilayer EXR of one part or many, sorted.

    Raises:
        PaintoverError: the file is missing or not a whole EXR header.
    """
    try:
        with path.open("rb") as file:
            channels = _channels(file)
    except (OSError, ValueError, struct.error) as error:
        raise PaintoverError(
            f"Cannot read the passes in {path} ({error}); capture again."
        ) from None
    split = [split_channel(channel) for channel in channels]
    return sorted({parts[1] for parts in split if parts})


def _channels(file: BinaryIO) -> list[str]:
    magic, version = struct.unpack("<II", file.read(8))
    if magic != _MAGIC:
        raise ValueError("not an OpenEXR file")
    channels = []
    while True:
        header = _header(file)
        channels += _channel_list(header.get("channels", b"\0"))
        # One part has one header; of many parts the last header is followed by an empty one.
        if not header or not version & _MULTI_PART:
            return channels


def _header(file: BinaryIO) -> dict[str, bytes]:
    attributes = {}
    while name := _text(file):
        _text(file)
        (size,) = struct.unpack("<i", file.read(4))
        attributes[name] = file.read(size)
        if len(attributes[name]) != size:
            raise ValueError("it is cut short")
    return attributes


def _text(file: BinaryIO) -> str:
    text = bytearray()
    while (byte := file.read(1)) != b"\0":
        if not byte:
            raise ValueError("it is cut short")
        text += byte
    return text.decode("utf-8", "replace")


def _channel_list(data: bytes) -> list[str]:
    names = []
    while (end := data.index(b"\0")) > 0:
        names.append(data[:end].decode("utf-8", "replace"))
        data = data[end + 1 + 16 :]
    return names
