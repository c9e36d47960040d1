# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of pictures that ignore dates, paths and other notes in the file.

Programs stamp the date, the render time or the path of the scene into a picture. Two files whose
pixels were written by the same program have the same digest, whatever else stands in them.
"""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path
from typing import BinaryIO

from ..files import MOST_DIGESTED, cached_by_state, digest_file

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"IDAT")
)
_EXR = b"\x76\x2f\x31\x01"
_EXR_MULTI_PART = 0x1000
_EXR_ATTRIBUTES = frozenset(
    (
        *(b"channels", b"compression", b"dataWindow", b"displayWindow", b"lineOrder", b"tiles"),
        *(b"pixelAspectRatio", b"chromaticities", b"adoptedNeutral", b"whiteLuminance"),
        *(b"colorInteropID", b"oiio:ColorSpace", b"name", b"type", b"view", b"multiView"),
        *(b"screenWindowCenter", b"screenWindowWidth", b"Orientation"),
    )
)
_ORIENTATION = 0x0112
_BLOCK = 1 << 20
_LONGEST = 1 << 26
"""Most bytes of a chunk of a PNG beside pixels, and of all headers of an EXR."""
_LONGEST_TABLE = 1 << 24
"""Most bytes of the table of offsets in an EXR."""
_LONGEST_CHUNK = (1 << 31) - 1
"""Most bytes of a chunk of a PNG."""


class _OtherContentError(Exception):
    """The file is not laid out as expected."""


@cached_by_state
def digest_picture(path: Path) -> str:
    """Return a digest of a picture file; see ``cached_by_state``.

    Of PNG and EXR files, only what the pixels depend on counts; other files count byte by byte.
    """
    return digest_once(path)


def digest_once(path: Path) -> str:
    """Return ``digest_picture`` of a file that is there, such as a temporary one; keep nothing."""
    with path.open("rb") as file:
        content = _content_digest(file)
    return content or digest_file(path)


def is_picture(path: Path, digest: str) -> bool:
    """Return whether a file is the picture of a digest; earlier versions counted every byte."""
    return digest != "" and (digest_picture(path) == digest or digest_file(path) == digest)


def digest_data(data: bytes) -> str:
    """Return the digest of the data of a picture file, as ``digest_picture`` of the file."""
    return _content_digest(io.BytesIO(data)) or hashlib.blake2b(data, digest_size=16).hexdigest()


def _content_digest(file: BinaryIO) -> str:
    """Return the digest of a whole PNG or EXR file, "" for any other and for very long ones."""
    if file.seek(0, 2) > MOST_DIGESTED:
        return ""
    file.seek(0)
    hasher = hashlib.blake2b(digest_size=16)
    try:
        magic = file.read(8)
        if magic == _PNG:
            _add_png(hasher, file)
        elif magic[:4] == _EXR:
            _add_exr(hasher, file, struct.unpack("<I", magic[4:])[0])
        else:
            return ""
    except (_OtherContentError, struct.error):
        return ""
    return hasher.hexdigest()


def _add_png(hasher: hashlib.blake2b, file: BinaryIO) -> None:
    hasher.update(_PNG)
    while True:
        length, kind = struct.unpack(">I4s", file.read(8))
        if length > _LONGEST_CHUNK or not kind.isalpha():
            raise _OtherContentError
        if kind == b"IEND":
            return
        if kind == b"IDAT":  # writers may cut the pixels into chunks of any length
            _add_blocks(hasher, file, length)
        elif kind in _PNG_CHUNKS:
            hasher.update(kind + struct.pack(">I", length) + _exactly(file, length))
        elif kind == b"eXIf":
            hasher.update(kind + struct.pack(">I", _exif_orientation(_exactly(file, length))))
        else:
            file.seek(length, 1)
        file.seek(4, 1)


def _add_blocks(hasher: hashlib.blake2b, file: BinaryIO, length: int) -> None:
    """Add as many bytes, block by block."""
    while length:
        block = _exactly(file, min(length, _BLOCK))
        hasher.update(block)
        length -= len(block)


def _exif_orientation(data: bytes) -> int:
    """Return the orientation in EXIF data, 1 if there is none."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", data, start + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return int(value)
    except struct.error:
        pass
    return 1


def _add_exr(hasher: hashlib.blake2b, file: BinaryIO, version: int) -> None:
    hasher.update(_EXR + struct.pack("<I", version))
    while _add_exr_header(hasher, file) and version & _EXR_MULTI_PART:
        if file.tell() > _LONGEST:
            raise _OtherContentError
    # The table of offsets depends on the length of the header; the first chunk follows it.
    begin = file.tell()
    (offset,) = struct.unpack("<Q", file.read(8))
    size = file.seek(0, 2)
    if not begin < offset < min(size, begin + _LONGEST_TABLE) or (offset - begin) % 8:
        raise _OtherContentError
    file.seek(begin)
    table = struct.unpack(f"<{(offset - begin) // 8}Q", _exactly(file, offset - begin))
    file.seek(min(other for other in (offset, *table) if other > begin))
    while block := file.read(_BLOCK):
        hasher.update(block)


def _add_exr_header(hasher: hashlib.blake2b, file: BinaryIO) -> bool:
    """Add the attributes of one part; return False at the end of all parts."""
    found = {}
    while name := _text(file):
        kind = _text(file)
        (size,) = struct.unpack("<I", file.read(4))
        if file.tell() + size > _LONGEST:
            raise _OtherContentError
        value = _exactly(file, size)
        if name in _EXR_ATTRIBUTES or name.startswith(b"cryptomatte/"):
            found[name] = kind + b"\0" + struct.pack("<I", size) + value
    for name, value in sorted(found.items()):
        hasher.update(name + b"\0" + value)
    return bool(found)


def _text(file: BinaryIO) -> bytes:
    text = b""
    while (letter := file.read(1)) != b"\0":
        if not letter or len(text) > 255:
            raise _OtherContentError
        text += letter
    return text


def _exactly(file: BinaryIO, length: int) -> bytes:
    if length > _LONGEST:
        raise _OtherContentError
    data = file.read(length)
    if len(data) != length:
        raise _OtherContentError
    return data
