# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures whose headers ask for gigabytes, most of them as holes in small files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image

_SIDE = 32
_MEGABYTE = 1 << 20
_SPARSE = 1 << 34
_TILED, _MULTI_PART = 0x200, 0x1000
_UNDER_CHUNK_LIMIT = 7_900_000
"""Bytes of a chunk that libpng still takes."""


def png_head(width: int = _SIDE, height: int = _SIDE, bits: int = 8, colours: int = 2) -> bytes:
    """Return the beginning of a PNG, with its header."""
    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def _attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value


def _exr_part(
    right: int = _SIDE - 1,
    bottom: int = _SIDE - 1,
    channels: int = 3,
    tiles: tuple[int, int, int] | None = None,
    more: bytes = b"",
) -> bytes:
    """Return the header of a part of an EXR, without its end."""
    names = [b"B", b"G", b"R", *(b"x%d" % number for number in range(channels - 3))]
    one = struct.pack("<IIII", 1, 0, 1, 1)
    listed = b"".join(name + b"\0" + one for name in sorted(names)) + b"\0"
    box = struct.pack("<4i", 0, 0, right, bottom)
    attributes = [
        _attribute(b"channels", b"chlist", listed),
        _attribute(b"compression", b"compression", b"\0"),
        _attribute(b"dataWindow", b"box2i", box),
        _attribute(b"displayWindow", b"box2i", box),
        _attribute(b"lineOrder", b"lineOrder", b"\0"),
        _attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1)),
        _attribute(b"screenWindowCenter", b"v2f", bytes(8)),
        _attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)),
    ]
    if tiles:
        attributes.append(_attribute(b"tiles", b"tiledesc", struct.pack("<IIB", *tiles)))
    return b"".join(attributes) + more


def _exr(path: Path, parts: Iterable[bytes], flags: int = 0) -> None:
    with path.open("wb") as file:
        file.write(b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | flags))
        for part in parts:
            file.write(part + b"\0")
        if flags & _MULTI_PART:
            file.write(b"\0")
        file.truncate(_SPARSE)


def _named(number: int, more: bytes = b"") -> bytes:
    """Return what a part of many has besides."""
    return (
        _attribute(b"name", b"string", b"part%d" % number)
        + _attribute(b"type", b"string", b"scanlineimage")
        + (more or _attribute(b"chunkCount", b"int", struct.pack("<I", _SIDE)))
    )


def _long_attributes(path: Path) -> None:
    """Write 60 attributes of 64 MiB each, all of which count in digests, as holes."""
    with path.open("wb") as file:
        file.write(b"\x76\x2f\x31\x01" + struct.pack("<I", 2) + _exr_part())
        for number in range(60):
            name = b"cryptomatte/%d\0string\0" % number
            file.write(name + struct.pack("<I", 1 << 26))
            file.seek(1 << 26, 1)
        file.write(b"\0")
        file.truncate(_SPARSE)


def _many_attributes(path: Path) -> None:
    more = b"".join(_attribute(b"a%d" % number, b"int", bytes(4)) for number in range(200_000))
    _exr(path, [_exr_part(more=more)])


def _many_parts(path: Path) -> None:
    _exr(path, [_exr_part(more=_named(number)) for number in range(5000)], _MULTI_PART)


def _many_chunks(path: Path) -> None:
    count = _attribute(b"chunkCount", b"int", struct.pack("<I", (1 << 31) - 1))
    _exr(path, [_exr_part(more=_named(number, count)) for number in range(2)], _MULTI_PART)


def _png_notes(path: Path) -> None:
    """Write 60 notes of nearly 8 MB, as holes, with right checks."""
    check = zlib.crc32(b"tEXt" + b"a" + bytes(_UNDER_CHUNK_LIMIT - 1))
    with path.open("wb") as file:
        file.write(png_head())
        for _ in range(60):
            file.write(struct.pack(">I", _UNDER_CHUNK_LIMIT) + b"tEXta")
            file.seek(_UNDER_CHUNK_LIMIT - 1, 1)
            file.write(struct.pack(">I", check))
        _png_pixels(file)


def _png_packed_notes(name: bytes, head: bytes) -> Callable[[Path], None]:
    """Return what writes 200 notes that inflate to nearly 8 MB each."""

    def write(path: Path) -> None:
        note = png_chunk(name, head + zlib.compress(bytes(_UNDER_CHUNK_LIMIT), 9))
        with path.open("wb") as file:
            file.write(png_head() + note * 200)
            _png_pixels(file)

    return write


def _png_pixels(file: BinaryIO) -> None:
    file.write(png_chunk(b"IDAT", zlib.compress(bytes(_SIDE * (1 + 3 * _SIDE)))))
    file.write(png_chunk(b"IEND", b""))


def _jpeg_notes(path: Path) -> None:
    """Write 60,000 notes of 64 KiB, as holes."""
    with path.open("wb") as file:
        file.write(b"\xff\xd8")
        for _ in range(60_000):
            file.write(b"\xff\xe1\xff\xff")
            file.seek(0xFFFF - 2, 1)
        file.write(b"\xff\xd9")


def _jpeg_filler(path: Path) -> None:
    """Write 16 GiB between two markers."""
    with path.open("wb") as file:
        file.write(b"\xff\xd8\xff\xe1\0\x04ab")
        file.truncate(_SPARSE)


def _jpeg(size: int = _SIDE) -> tuple[bytes, bytes]:
    """Return a progressive JPEG up to its last scan, and that scan; ``size`` is in its header."""
    packed = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), "red").save(packed, "JPEG", progressive=True)
    data = packed.getvalue()[:-2]
    frame = data.index(b"\xff\xc2") + 5
    data = data[:frame] + struct.pack(">HH", size, size) + data[frame + 4 :]
    last = data.rindex(b"\xff\xda")
    return data[:last], data[last:]


def _jpeg_scans(path: Path) -> None:
    """Write a JPEG of 16384² with 50,000 scans of some bytes."""
    head, scan = _jpeg(1 << 14)
    path.write_bytes(head + scan * 50_000 + b"\xff\xd9")


def _jpeg_notes_behind(path: Path) -> None:
    """Write 60,000 notes of 64 KiB behind a scan, as holes."""
    head, scan = _jpeg()
    with path.open("wb") as file:
        file.write(head + scan)
        for _ in range(60_000):
            file.write(b"\xff\xe1\xff\xff")
            file.seek(0xFFFF - 2, 1)
        file.write(b"\xff\xd9")


def _jpeg_pixels(path: Path) -> None:
    """Write a JPEG of 65500², whose coded pixels take 16 GiB."""
    with path.open("wb") as file:
        file.write(b"".join(_jpeg(65500)))
        file.truncate(_SPARSE)


def _tga(path: Path) -> None:
    """Write a TGA of 65535², with packed rows."""
    with path.open("wb") as file:
        file.write(struct.pack("<BBB9xHHBB", 0, 0, 10, 65535, 65535, 32, 8))
        file.truncate(_SPARSE)
        file.seek(0, 2)
        file.write(bytes(8) + b"TRUEVISION-XFILE.\0")


def _tiff(path: Path, tags: Sequence[tuple[int, int, int, int]]) -> None:
    """Write a TIFF of 32×32 RGB pixels with other tags: tag, type, count and value."""
    plain = {256: (3, 1, _SIDE), 257: (3, 1, _SIDE), 258: (3, 1, 8), 259: (3, 1, 1)}
    plain |= {262: (3, 1, 2), 273: (4, 1, 4096), 277: (3, 1, 3), 278: (3, 1, _SIDE)}
    plain |= {279: (4, 1, 3 * _SIDE * _SIDE), 284: (3, 1, 1)}
    plain |= {tag: (kind, count, value) for tag, kind, count, value in tags}
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<IH", 8, len(plain)))
        for tag, (kind, count, value) in sorted(plain.items()):
            file.write(struct.pack("<HHII", tag, kind, count, value))
        file.write(bytes(4))
        file.truncate(_SPARSE)


def _with_tags(*tags: tuple[int, int, int, int]) -> Callable[[Path], None]:
    return lambda path: _tiff(path, tags)


def _webp(path: Path) -> None:
    """Write a WebP whose pixels take 3 GB."""
    size = 3 << 30
    head = struct.pack("<IIB", size - 8, 10, 0)
    with path.open("wb") as file:
        file.write(b"RIFF" + head[:4] + b"WEBPVP8L" + struct.pack("<I", size - 20) + b"\x2f")
        file.truncate(size)


def _bmp(path: Path) -> None:
    """Write a BMP with a palette of 4 GB."""
    with path.open("wb") as file:
        file.write(b"BM" + struct.pack("<IHHI", (1 << 32) - 1, 0, 0, (1 << 32) - 1))
        file.write(struct.pack("<IiiHHIIiiII", 40, _SIDE, _SIDE, 1, 8, 0, 0, 0, 0, 1 << 30, 0))
        file.truncate(_SPARSE)


LONG_HEADERS: dict[str, Callable[[Path], object]] = {
    "EXR attributes of 4 GB": _long_attributes,
    "200,000 EXR attributes": _many_attributes,
    "100,000 EXR channels": lambda path: _exr(path, [_exr_part(channels=100_000)]),
    "5,000 EXR parts": _many_parts,
    "4 billion EXR chunks": _many_chunks,
    "2 billion EXR rows": lambda path: _exr(path, [_exr_part(bottom=(1 << 31) - 2)]),
    "2 billion EXR columns": lambda path: _exr(path, [_exr_part(right=(1 << 31) - 2)]),
    "EXR tiles of a pixel": lambda path: _exr(
        path, [_exr_part(16383, 16383, tiles=(1, 1, 2))], _TILED
    ),
    "EXR tiles of 32768²": lambda path: _exr(
        path, [_exr_part(tiles=(1 << 15, 1 << 15, 0))], _TILED
    ),
    "60 PNG notes of 8 MB": _png_notes,
    "200 packed PNG notes": _png_packed_notes(b"zTXt", b"a\0\0"),
    "200 packed PNG texts": _png_packed_notes(b"iTXt", b"a\0\1\0\0\0"),
    "4 GB of JPEG notes": _jpeg_notes,
    "16 GiB in a JPEG": _jpeg_filler,
    "4 GB of JPEG notes behind a scan": _jpeg_notes_behind,
    "50,000 JPEG scans": _jpeg_scans,
    "a JPEG of 65500²": _jpeg_pixels,
    "a TGA of 65535²": _tga,
    "a PNG of 60000²": lambda path: path.write_bytes(png_head(60_000, 60_000)),
    "a TIFF profile of 2 GB": _with_tags((34675, 7, (1 << 31) - 1, 4096)),
    "2 billion TIFF strips": _with_tags((273, 4, 1 << 29, 4096), (279, 4, 1 << 29, 4096)),
    "60,000 TIFF channels": _with_tags((277, 3, 1, 60_000), (279, 4, 1, 60_000 * _SIDE**2)),
    "a TIFF strip of 2 GB": _with_tags((259, 3, 1, 8), (279, 4, 1, (1 << 31) - 1)),
    "TIFF tiles of 4 GB": _with_tags(
        *((322, 4, 1, 1 << 16), (323, 4, 1, 1 << 16), (324, 4, 1, 4096), (325, 4, 1, 1 << 31))
    ),
    "TIFF notes of a camera of 2 GB": _with_tags((34665, 4, 1, 1 << 33 >> 2)),
    "a WebP of 3 GB": _webp,
    "a BMP palette of 4 GB": _bmp,
}
"""What a picture's header asks for → what writes such a file."""
