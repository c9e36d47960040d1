# SPDX-License-Identifier: GPL-3.0-or-later
"""The files through which pixels go in a live session: canvases in, pictures out.

Both are memory-mapped. The add-on makes them with ``make`` and deletes them. One side writes, the
other reads; a sequence number, odd while the writer writes, tells the reader whether what it has
read is whole.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from .files import cannot_write
from .live_protocol import KINDS, LivePictures

_HEADER = struct.Struct("<IiIIIQ")
HEADER_BYTES = 64
"""Bytes before the pixels of a canvas or of a picture; the rest of the header is 0."""
_LAYERS = 4
_BLOCK = 1 << 20


class Header(NamedTuple):
    """What stands before the pixels.

    Attributes:
        sequence: odd while the pixels are written; increases by 2 with each picture.
        frame: its number.
        width, height: in pixels.
        kind: index into ``live_protocol.KINDS``; 0 in canvases.
        change: the last change of the paint that a picture shows; of a canvas that of its
            ``LivePaint``.
    """

    sequence: int
    frame: int
    width: int
    height: int
    kind: int
    change: int

    @property
    def kind_name(self) -> str:
        """``carried``, ``network`` or ``final``."""
        return KINDS[min(self.kind, len(KINDS) - 1)]


class _Pixels:
    """One header with its pixels, in a memory-mapped file."""

    def __init__(self, buffer: memoryview) -> None:
        self.buffer = buffer
        self.pixels = buffer[HEADER_BYTES:]

    def header(self) -> Header:
        return Header(*_HEADER.unpack_from(self.buffer))

    @contextmanager
    def writing(self, frame: int, width: int, height: int, kind: int, change: int) -> Iterator[int]:
        """Yield the sequence number that the pixels will have when they are written."""
        odd = (self.header().sequence | 1) & 0xFFFFFFFF
        _HEADER.pack_into(self.buffer, 0, odd, frame, width, height, kind, change)
        even = (odd + 1) & 0xFFFFFFFF
        yield even
        _HEADER.pack_into(self.buffer, 0, even, frame, width, height, kind, change)


class Canvas:
    """The pixels of a keyframe, or of the viewport: float32 RGBA, bottom row first.

    ``pixels`` is a buffer of float32 that Blender's ``Image.pixels.foreach_get`` fills:

        with canvas.writing(frame, change):
            image.pixels.foreach_get(canvas.pixels)

    Args:
        path: the file, as ``make`` made it.
        width, height: of the pixels.

    Raises:
        OSError: the file does not exist or cannot be opened.
        ValueError: it is smaller than that.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._map = _mapped(path, self.file_size(width, height))
        self._view = memoryview(self._map)
        self._part = _Pixels(self._view)
        self.pixels = self._part.pixels.cast("f")

    @staticmethod
    def file_size(width: int, height: int) -> int:
        """Return the size of the file in bytes."""
        return HEADER_BYTES + width * height * _LAYERS * 4

    @staticmethod
    def size_of(path: Path) -> tuple[int, int]:
        """Return the width and height that the file's header tells, (0, 0) before it is written."""
        with path.open("rb") as file:
            header = Header(*_HEADER.unpack(file.read(_HEADER.size)))
        return header.width, header.height

    @classmethod
    def make(cls, path: Path, width: int, height: int) -> Canvas:
        """Make the file, full of zeros, and open it. Raises PaintoverError if it has no room."""
        _make(path, cls.file_size(width, height))
        return cls(path, width, height)

    @contextmanager
    def writing(self, frame: int = 0, change: int = 0) -> Iterator[None]:
        """Mark the pixels as not whole within the ``with`` block."""
        with self._part.writing(frame, self.width, self.height, 0, change):
            yield

    def header(self) -> Header:
        """Return the header as it is now; compare its sequence before and after reading."""
        return self._part.header()

    def close(self) -> None:
        """Close the file; ``pixels`` must no longer be in use."""
        for view in (self.pixels, self._part.pixels, self._view):
            view.release()
        self._map.close()


class PictureSlots:
    """The pictures that a session shows, each in a slot.

    Args:
        place: path, size and format, as in ``Live``.

    Raises:
        OSError: the file does not exist or cannot be opened.
        ValueError: it is smaller than ``place`` says.
    """

    def __init__(self, place: LivePictures) -> None:
        self.place = place
        self._map = _mapped(Path(place.path), self.file_size(place))
        self._view = memoryview(self._map)
        size = self.slot_size(place)
        self._slots = [
            _Pixels(self._view[number * size : (number + 1) * size])
            for number in range(place.slots)
        ]

    @staticmethod
    def slot_size(place: LivePictures) -> int:
        """Return the bytes of a slot, its header included: a multiple of 64."""
        pixels = place.width * place.height * _LAYERS * (4 if place.floats else 1)
        return HEADER_BYTES + -(-pixels // HEADER_BYTES) * HEADER_BYTES

    @classmethod
    def file_size(cls, place: LivePictures) -> int:
        """Return the size of the file in bytes."""
        return cls.slot_size(place) * place.slots

    @classmethod
    def make(cls, place: LivePictures) -> PictureSlots:
        """Make the file, full of zeros, and open it. Raises PaintoverError if it has no room."""
        _make(Path(place.path), cls.file_size(place))
        return cls(place)

    def header(self, slot: int) -> Header:
        """Return the header of a slot as it is now; sequence 0: nothing was written yet."""
        return self._slots[slot].header()

    def pixels(self, slot: int) -> memoryview[Any]:
        """Return the pixels (height × width × 4) of a slot, as float32 or uint8, without a copy.

        They may change while they are read: compare ``header`` before and after.
        """
        place = self.place
        size = place.width * place.height * _LAYERS * (4 if place.floats else 1)
        part = self._slots[slot].pixels[:size]
        return part.cast("f") if place.floats else part

    def read(self, slot: int, frame: int) -> tuple[Header, bytes] | None:
        """Return a copy of a picture and its header.

        Returns:
            None if the slot holds another frame, none yet, or one that is being written.
        """
        before = self.header(slot)
        if before.sequence % 2 or not before.sequence or before.frame != frame:
            return None
        data = self.pixels(slot).tobytes()
        return (before, data) if self.header(slot) == before else None

    @contextmanager
    def writing(self, slot: int, frame: int, kind: str, change: int) -> Iterator[int]:
        """Mark a slot as not whole within the ``with`` block; yields its next sequence number."""
        place, number = self.place, KINDS.index(kind)
        with self._slots[slot].writing(frame, place.width, place.height, number, change) as even:
            yield even

    def close(self) -> None:
        """Close the file; no ``pixels`` may be in use any more."""
        for slot in self._slots:
            slot.pixels.release()
            slot.buffer.release()
        self._view.release()
        self._map.close()


def _make(path: Path, size: int) -> None:
    """Make a file of zeros that has its room on the disk.

    A file with holes would do, but writing to it through memory ends the process, Blender too, once
    the disk is full.
    """
    try:
        with path.open("wb") as file:
            _allocate(file, size)
    except OSError as error:
        raise cannot_write(path, error) from error


def _allocate(file: BinaryIO, size: int) -> None:
    if sys.platform == "win32":  # which leaves no holes in files
        file.truncate(size)
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        for place in range(0, size, _BLOCK):  # macOS, and file systems that cannot do it
            file.write(bytes(min(_BLOCK, size - place)))


def _mapped(path: Path, size: int) -> mmap.mmap:
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), size)
