# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks how much the header of an MP4 or QuickTime movie asks for, before FFmpeg believes it.

FFmpeg keeps dozens of bytes for each sample (a frame, or a piece of sound), and a header of 30
bytes can say that there are a hundred million.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ..shared.errors import PaintoverError
from ..shared.reading import open_file

_MOST_SAMPLES = 1 << 21
"""Most samples of all tracks: a day of pictures, or twelve hours with sound."""
_MOST_PLAIN = 1 << 31
"""Most samples of uncompressed sound in a track, of which FFmpeg keeps one in 1024."""
_MOST_TABLES = 1 << 25
"""Most bytes of all tables of samples."""
_MOST_BOXES = 1 << 17
_TRACK, _HANDLER, _SOUND = b"trak", b"hdlr", b"soun"
_HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")
_FIRST = (b"ftyp", b"moov", b"moof", b"free", b"skip", b"wide", b"mdat", b"pnot", b"styp", b"sidx")
_TABLES = (
    *(b"stsz", b"stz2", b"stts", b"ctts", b"stsc", b"stco", b"co64", b"stss", b"stps", b"trun"),
    *(b"sbgp", b"sgpd", b"sdtp", b"saiz", b"saio", b"senc", b"sidx", b"tfra"),
)


class _TooManyError(Exception):
    """The header asks for more than movies have."""


def check_movie(path: Path) -> None:
    """Check that an MP4 or QuickTime movie asks for no more than movies have; others pass.

    Raises:
        PaintoverError: it asks for more.
        OSError: the file may not be read, or is none.
    """
    try:
        with open_file(path) as file:
            if file.read(8)[4:] in _FIRST:
                _Boxes(file).check(0, file.seek(0, 2))
    except _TooManyError as error:
        raise PaintoverError(
            f"{path} claims to hold far more pictures or sounds than movies do, so it is damaged; "
            "export it again."
        ) from error
    except struct.error:
        return  # cut short, which FFmpeg tells


class _Boxes:
    """Walks through the boxes of a movie, and adds up what they ask for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._samples = self._bytes = self._boxes = 0
        self._begin_track()

    def check(self, place: int, end: int) -> None:
        """Check the boxes between two places."""
        while place + 8 <= end:
            self._file.seek(place)
            size, name = struct.unpack(">I4s", self._file.read(8))
            start = place + 8
            if size == 1:
                (size,) = struct.unpack(">Q", self._file.read(8))
                start += 8
            following = min(place + size if size else end, end)
            self._boxes += 1
            if following < start or self._boxes > _MOST_BOXES:
                raise _TooManyError
            if name in _HOLDERS:
                self.check(start, following)
            elif name == _HANDLER:
                self._handlers.add(self._file.read(12)[8:])
            elif name in _TABLES:
                self._read_table(name, start, following - start)
            if name == _TRACK:
                self._add_track()
            if self._samples > _MOST_SAMPLES or self._bytes > _MOST_TABLES:
                raise _TooManyError
            place = following

    def _read_table(self, name: bytes, start: int, length: int) -> None:
        self._bytes += length
        self._tables[name] = struct.unpack(">4I", self._file.read(16).ljust(16, b"\0"))
        if name == b"trun":
            self._samples += self._tables[name][1]
        if name == b"stsc" and length <= _MOST_TABLES:
            self._longest = _longest_chunk(self._file, start, self._tables[name][1])

    def _add_track(self) -> None:
        """Add the samples of the track whose boxes have been read."""
        tables, none = self._tables, (0,) * 4
        lengths, times = tables.get(b"stsz", none), tables.get(b"stts", none)
        is_plain = self._handlers == {_SOUND} and times[1] == 1 and times[3] == 1
        if is_plain:  # FFmpeg counts these by their chunks
            chunks = tables.get(b"stco", tables.get(b"co64", none))[1]
            if chunks * self._longest > _MOST_PLAIN:
                raise _TooManyError
        if not (is_plain and lengths[1]):
            self._samples += max(lengths[2], tables.get(b"stz2", none)[2])
        self._begin_track()

    def _begin_track(self) -> None:
        self._tables: dict[bytes, tuple[int, ...]] = {}
        self._handlers: set[bytes] = set()
        self._longest = 0


def _longest_chunk(file: BinaryIO, start: int, count: int) -> int:
    """Return the most samples in a chunk, of a table with so many rows."""
    file.seek(start + 8)
    data = file.read(min(12 * count, _MOST_TABLES))
    return max((samples for _, samples, _ in struct.iter_unpack(">3I", data)), default=0)
