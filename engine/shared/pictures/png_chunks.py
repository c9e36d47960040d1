# SPDX-License-Identifier: GPL-3.0-or-later
"""Chunks of PNG files."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path

_LONGEST = 1 << 23
"""Most bytes of a chunk that is read; that of libpng."""


def chunks_before_pixels(path: Path, names: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of the chunks of these names before the pixels of a PNG file."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name in (b"IDAT", b"IEND"):
                break
            if name in names and length <= _LONGEST:
                yield name, file.read(length)
            else:
                file.seek(length, 1)
            file.seek(4, 1)
