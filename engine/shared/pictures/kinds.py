# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of file a picture really is, decided by its first bytes and not by its name."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

from ..errors import PaintoverError

PNG, JPEG, TIFF, EXR, WEBP, BMP, TGA = "PNG", "JPEG", "TIFF", "EXR", "WebP", "BMP", "TGA"
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr"),
    *(".webp", ".bmp", ".tga", ".jfif"),
)
"""Suffixes of the pictures that Paintover reads."""
_RAW_SUFFIXES = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".rw2", ".orf")
OTHER_SUFFIXES = (
    *(".heic", ".heif", ".avif", ".jp2", ".jxl", ".dpx", ".cin", ".hdr", ".sgi", ".pic"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".dds", ".ico", ".pcx", ".qoi", ".iff", ".tx"),
    *(".psd", ".psb", ".kra", ".ora", ".xcf", ".clip", ".procreate", ".afphoto", ".afdesign"),
    *(".sai", ".sai2", ".mdp", ".pdn", ".svg", ".pdf", ".ai", ".eps"),
    *_RAW_SUFFIXES,
)
"""Suffixes of pictures that Paintover does not read; it says so."""
MOVIE_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".apng", ".mpg", ".mpeg", ".mxf"),
    *(".wmv", ".flv", ".ogv", ".mts", ".m2ts", ".3gp", ".y4m", ".dv", ".vob"),
)
"""Suffixes of movies, which the import reads."""

_HEAD = 64
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"\x76\x2f\x31\x01", EXR),
    *((magic, TIFF) for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"BM", BMP),
    (b"8BPS", "a Photoshop document"),
    (b"GIF8", "GIF"),
    (b"SDPX", "DPX"),
    (b"XPDS", "DPX"),
    (b"\x80\x2a\x5f\xd7", "Cineon"),
    (b"#?RADIANCE", "HDR"),
    (b"#?RGBE", "HDR"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"gimp xcf", "a GIMP document"),
    (b"CSFCHUNK", "a Clip Studio document"),
    (b"%PDF", "PDF"),
    (b"\x1a\x45\xdf\xa3", "a movie"),
)
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"heim": "HEIC"}
_BRANDS |= {b"hevc": "HEIC", b"avif": "AVIF", b"avis": "AVIF", b"crx ": "camera raw"}
_TGA_END = b"TRUEVISION-XFILE.\0"
_BROKEN = "\ufffd"
"""Stands for bytes that are no text."""
_TGA_KINDS = (1, 2, 3, 9, 10, 11)


def readable_kind(path: Path) -> str:
    """Return the kind of a picture: ``PNG``, ``JPEG``, ``TIFF``, ``EXR``, … by its content.

    Raises:
        PaintoverError: the file is missing, may not be read, or is no picture that Paintover reads.
    """
    head, tail = _ends(path)
    kind = _kind_of(path, head, tail)
    if kind in (PNG, JPEG, TIFF, EXR, WEBP, BMP, TGA):
        return kind
    raise PaintoverError(f"{path} {_reason(path, head, kind)}.")


def holds_movie(path: Path) -> bool:
    """Return whether a file is a movie by its content; same errors as ``readable_kind``."""
    return _kind_of(path, *_ends(path)) == "a movie"


def _kind_of(path: Path, head: bytes, tail: bytes) -> str:
    """Return the kind of a file by its first and last bytes, "" if it is not known."""
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if head.startswith(b"RIFF"):
        kind = WEBP if head[8:12] == b"WEBP" else "a movie"
    elif head[4:8] == b"ftyp":
        kind = _BRANDS.get(head[8:12], "a movie")
    elif not kind and (tail.endswith(_TGA_END) or _is_old_tga(path, head)):
        kind = TGA
    if kind == TIFF and path.suffix.lower() in _RAW_SUFFIXES:
        kind = "camera raw"  # a TIFF whose first picture is a thumbnail
    return kind


def _ends(path: Path) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file."""
    if path.is_dir():
        raise PaintoverError(f"{path} is a folder and no picture; rename it, or move it elsewhere.")
    if path.exists() and not path.is_file():
        raise PaintoverError(f"{path} is no file; replace it by a picture.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(max(file.seek(0, 2) - len(_TGA_END), 0))
            return head, file.read()
    except PermissionError as error:
        raise PaintoverError(
            f"{path} may not be read; allow reading it in its permissions."
        ) from error
    except OSError as error:
        if path.is_symlink():
            raise PaintoverError(
                f"{path} is a link that leads to no file; replace it by the picture itself."
            ) from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise PaintoverError(
                f"There is no picture {path}; make it again, or restore it."
            ) from error
        raise PaintoverError(
            f"{path} cannot be read ({error.strerror}); copy it to another disk."
        ) from error


def _is_old_tga(path: Path, head: bytes) -> bool:
    """Return whether a file is a TGA of the first version, which has no mark of its own."""
    return (
        path.suffix.lower() == ".tga"
        and len(head) >= 18
        and head[1] in (0, 1)
        and head[2] in _TGA_KINDS
        and head[16] in (8, 15, 16, 24, 32)
    )


def _reason(path: Path, head: bytes, kind: str) -> str:
    """Return what is wrong with a file that is none of the pictures that Paintover reads."""
    text = head.decode("utf-8", "replace")
    name = path.suffix[1:].upper() if path.suffix.lower() in OTHER_SUFFIXES else ""
    reasons = (
        (kind == "a movie", "is a movie; import the movie itself, or export its pictures as PNG"),
        (
            kind in ("DPX", "Cineon", "HDR"),
            f"is a {kind} picture, which Paintover does not read; convert it to EXR or PNG",
        ),
        (kind != "", f"is {kind}, which Paintover does not read; export it as PNG"),
        (not head, "is empty (0 bytes), as saving or copying it has failed; save it again"),
        (
            head.startswith(b"version https://git-lfs"),
            "only stands for a picture that Git LFS has not fetched; run git lfs pull",
        ),
        (
            head.startswith((b"\0\x05\x16\x07", b"\0\x05\x16\0")),
            "holds notes of macOS about a file and no picture; delete it",
        ),
        (
            head.startswith(b"PK\x03\x04"),
            "is a paint program's document or a zip file and no picture; export it as PNG",
        ),
        (name != "", f"is {name}, which Paintover does not read; export it as PNG"),
        (
            _BROKEN not in text[:-1]
            and all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text),
            "holds text and no picture; replace it by the picture",
        ),
    )
    found = [reason for applies, reason in reasons if applies]
    return found[0] if found else "is damaged or no picture; save it again as PNG"


def png_size(path: Path) -> tuple[int, int]:
    """Return the width and height in the header of a PNG file, (0, 0) if it is cut short."""
    with path.open("rb") as file:
        head = file.read(24)
    return struct.unpack(">II", head[16:24]) if len(head) == 24 else (0, 0)
