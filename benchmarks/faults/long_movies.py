# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies whose headers ask for gigabytes, most of them as holes in small files."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

_SPARSE = 1 << 34
_MANY = 80_000_000
_SIDE = 32


def _box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + name + data


def _full(name: bytes, *parts: bytes) -> bytes:
    return _box(name, bytes(4), *parts)


def _moov(
    samples: bytes, durations: bytes = struct.pack(">III", 1, 1, 1), chunks: bytes = b""
) -> bytes:
    """Return the header of an MP4 with one track of pictures.

    Args:
        samples: the box of the samples' lengths, without its head.
        durations: that of their durations.
        chunks: that of how many are in a chunk.
    """
    entry = _box(
        b"mp4v", bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">HH", _SIDE, _SIDE),
        struct.pack(">II", 72 << 16, 72 << 16), bytes(4), struct.pack(">H", 1), bytes(32),
        struct.pack(">Hh", 24, -1),
    )  # fmt: skip
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", durations),
        _full(b"stsc", chunks or struct.pack(">IIII", 1, 1, _MANY, 1)),
        _full(b"stsz", samples),
        _full(b"stco", struct.pack(">II", 1, 64)),
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 24, 24, 0x55C4, 0)),
        _full(b"hdlr", bytes(4), b"vide", bytes(13)),
        _box(b"minf", _full(b"vmhd", bytes(8)), table),
    )
    head = struct.pack(">IIII", 0, 0, 24, 24)
    return _box(
        b"moov",
        _full(b"mvhd", head, bytes(80)),
        _box(b"trak", _full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 24), bytes(60)), media),
    )


def movie_head() -> bytes:
    """Return the beginning of an MP4 with three samples."""
    times, chunks = struct.pack(">III", 1, 3, 1), struct.pack(">IIII", 1, 1, 3, 1)
    return _box(b"ftyp", b"isom", bytes(4), b"isom") + _moov(
        struct.pack(">II", 9, 3), times, chunks
    )


def _mp4(path: Path, moov: bytes) -> None:
    with path.open("wb") as file:
        file.write(_box(b"ftyp", b"isom", bytes(4), b"isom") + moov)
        file.truncate(_SPARSE)


def _long_table(path: Path) -> None:
    """Write an MP4 whose table of lengths takes 2 GB, as a hole."""
    count = 60_000_000
    moov = _moov(struct.pack(">II", 0, count))
    at = moov.index(b"stsz") + 16
    grown = 4 * count
    head = moov[:at]
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz"):
        place = head.rindex(name) - 4
        (size,) = struct.unpack_from(">I", head, place)
        head = head[:place] + struct.pack(">I", size + grown) + head[place + 4 :]
    with path.open("wb") as file:
        file.write(_box(b"ftyp", b"isom", bytes(4), b"isom") + head)
        file.seek(grown, 1)
        file.write(moov[at:])
        file.truncate(_SPARSE)


def _fragment(path: Path) -> None:
    """Write an MP4 with a fragment of 80 million samples, all with the same length."""
    track = _full(b"trex", struct.pack(">IIIII", 1, 1, 1, 1, 0))
    moov = _moov(bytes(8), bytes(4), bytes(4))
    moov = struct.pack(">I", len(moov) + 8 + len(track)) + moov[4:] + _box(b"mvex", track)
    run = _box(
        b"traf",
        _full(b"tfhd", struct.pack(">I", 1)),
        _full(b"trun", struct.pack(">I", _MANY)),
    )
    _mp4(path, moov + _box(b"moof", _full(b"mfhd", bytes(4)), run))


def _element(name: bytes, data: bytes, length: int = 0) -> bytes:
    """Return an element of Matroska; ``length``: bytes that it says to have, if others."""
    return name + struct.pack(">Q", (1 << 56) | (length or len(data))) + data


def _mkv_attachments(path: Path) -> None:
    """Write a Matroska movie with 16 attachments of 200 MB each, as holes."""
    size = 200 << 20
    header = _element(b"\x1a\x45\xdf\xa3", _element(b"\x42\x82", b"matroska"))
    video = _element(b"\xe0", _element(b"\xb0", b"\x20") + _element(b"\xba", b"\x20"))
    codec = _element(b"\x86", b"V_MPEG4/ISO/ASP")
    track = _element(b"\xae", _element(b"\xd7", b"\1") + _element(b"\x83", b"\1") + codec + video)
    one = _element(b"\x46\x6e", b"a.ttf") + _element(b"\x46\x60", b"font/ttf")
    one += _element(b"\x46\xae", b"\1")
    with path.open("wb") as file:
        file.write(header + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7)
        file.write(_element(b"\x16\x54\xae\x6b", track))
        inner = len(one) + 10 + size
        file.write(b"\x19\x41\xa4\x69" + struct.pack(">Q", (1 << 56) | (16 * (10 + inner))))
        for _ in range(16):
            file.write(b"\x61\xa7" + struct.pack(">Q", (1 << 56) | inner) + one)
            file.write(b"\x46\x5c" + struct.pack(">Q", (1 << 56) | size))
            file.seek(size, 1)
        file.truncate(_SPARSE)


LONG_MOVIES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "an MP4 of 80 million samples": (
        ".mp4",
        lambda path: _mp4(
            path, _moov(struct.pack(">II", 1, _MANY), struct.pack(">III", 1, _MANY, 1))
        ),
    ),
    "an MP4 table of 2 GB": (".mp4", _long_table),
    "an MP4 sample of 2 GB": (
        ".mp4",
        lambda path: _mp4(
            path,
            _moov(struct.pack(">II", (1 << 31) - 1, 1), chunks=struct.pack(">IIII", 1, 1, 1, 1)),
        ),
    ),
    "an MP4 fragment of 80 million samples": (".mp4", _fragment),
    "3 GB of attachments in a Matroska": (".mkv", _mkv_attachments),
}
"""What a movie's header asks for → its suffix, and what writes such a file."""
