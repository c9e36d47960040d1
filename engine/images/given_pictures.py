# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads pictures that any program made, heeding or refusing what the file says of itself.

Pictures that Paintover itself wrote or captured are read by ``read_picture``, which is faster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..shared.errors import PaintoverError
from ..shared.pictures.kinds import EXR, PNG, TGA, TIFF, readable_kind
from .colour.exr import ExrColours, find_colours, find_mask
from .colour.notes import ColourNotes, read_colour_notes
from .colour.png import read_png_colour
from .colour.spaces import SRGB
from .exif import orientation, upright, upright_size
from .oiio_files import opened, parts, read_channels, to_display_window
from .pictures import Picture, colour_channels, from_codes
from .types import FloatArray
from .window import Window

LARGEST_SIDE = 16384
"""Largest width or height of a picture, in pixels."""
_SHARE_TOLD = 0.001
"""Share of pixels brighter than white from which it is told."""
_PREMULTIPLIED = 4
"""Type of the alpha of a TGA."""


@dataclasses.dataclass(frozen=True)
class GivenPicture:
    """A picture that any program made.

    Attributes:
        picture: upright, in sRGB, with straight alpha.
        kind: as ``readable_kind`` returns it.
        is_as_stored: whether ``read_picture`` returns the same.
        notes: what was converted or left out, as ends of sentences about the file.
    """

    picture: Picture
    kind: str
    is_as_stored: bool
    notes: tuple[str, ...]


def given_size(path: Path) -> tuple[int, int]:
    """Read the width and height of a picture, turned upright, from its header.

    Raises:
        PaintoverError: the file is missing, or not a picture that can be read.
    """
    kind = readable_kind(path)
    with opened(path) as file:
        header = file.spec()
        width, height = header.width, header.height
        if kind == EXR:
            width, height = header.full_width, header.full_height
        return upright_size(width, height, orientation(path, kind, header))


def check_size(path: Path, width: int, height: int) -> None:
    """Raise PaintoverError if the pictures of a file are larger than those of a shot may be."""
    if max(width, height) > LARGEST_SIDE:
        raise PaintoverError(
            f"{path} is {width}×{height}; a side may have {LARGEST_SIDE} pixels at most, so "
            "scale the pictures down."
        )


def why_not_plain(path: Path) -> str:
    """Return why ``read_picture`` does not show a picture as the file says, "" if it does.

    Raises:
        PaintoverError: the file is missing, or of a kind or in colours that Paintover does not
            read.
    """
    kind = readable_kind(path)
    with opened(path) as file:
        header = file.spec()
        colours = read_colour_notes(path, kind, header)
        if orientation(path, kind, header) != 1:
            return "is stored turned or mirrored"
    if colours.is_srgb or (kind == EXR and not colours.is_told):
        return ""
    return f"is in {colours.name}" if colours.is_told else "holds linear light"


def read_given(path: Path, beside: Path | None = None) -> GivenPicture:
    """Read a picture as the program that made it shows it.

    Args:
        path: the file.
        beside: a picture whose colours are taken as they are stored; one in the same colour space
            is not converted.

    Raises:
        PaintoverError: the file is missing, damaged, of a kind or in colours that Paintover does
            not read, contains NaN, or is in another colour space than ``beside``, which is not
            in sRGB.
    """
    kind, header, stored, notes = _read(path)
    colours = read_colour_notes(path, kind, header)
    is_as_stored = True
    if beside and colours.is_told and kind != EXR and not colours.is_srgb:
        colours = _as_beside(path, colours, beside)
    bits = 8 if stored.dtype == np.uint8 or colours.is_cmyk else 16
    channels = stored.shape[2]
    alpha = np.clip(_values(stored[..., -1:]), 0, 1) if channels in (2, 4) else None
    rgb = stored[..., :3] if channels > 2 else np.repeat(stored[..., :1], 3, axis=2)
    if alpha is not None and _is_associated(kind, header):
        rgb, is_as_stored = _values(rgb) / np.where(alpha > 0, alpha, 1), kind == EXR
    if np.issubdtype(rgb.dtype, np.floating):
        _check_numbers(path, rgb)
        if float((rgb > 1).any(axis=2).mean()) > _SHARE_TOLD:
            notes.append("has colors brighter than white, which become white")
    if colours.is_srgb:
        rgb = np.clip(_values(rgb), 0, 1)
    else:
        rgb = _converted(path, rgb, colours)
        is_plain = kind == EXR and not colours.is_told
        is_as_stored &= is_plain
        if not is_plain:
            notes.append(_conversion(colours, bits == 16 and colours.space is None))
    pixels = rgb if alpha is None else np.concatenate([rgb, alpha], axis=2)
    turned = orientation(path, kind, header)
    if turned != 1:
        pixels, is_as_stored = upright(pixels, turned), False
        notes.append("is stored turned or mirrored, and is turned upright")
    height, width = pixels.shape[:2]
    window = Window.whole(height, width)
    picture = Picture(np.ascontiguousarray(pixels), bits, window, (width, height))
    return GivenPicture(picture, kind, is_as_stored, tuple(notes))


def read_given_mask(path: Path) -> FloatArray:
    """Read a mask: the brightest of its channels as stored, times its alpha.

    Returns:
        (H, W) float32, 0..1, upright.

    Raises:
        PaintoverError: the file is missing, damaged, or of a kind that Paintover does not read.
    """
    kind, header, stored, _ = _read(path, find_mask)
    values = upright(_values(stored), orientation(path, kind, header))
    _check_numbers(path, values)
    has_alpha = values.shape[2] in (2, 4)
    shown = values[..., : values.shape[2] - has_alpha].max(axis=2)
    if has_alpha and not _is_associated(kind, header):
        shown = shown * values[..., -1]
    return np.asarray(np.clip(shown, 0, 1), np.float32)


def told_once(notes: Iterable[tuple[Path, Sequence[str]]]) -> list[str]:
    """Return sentences for the notes about many files, each note once, with its first file."""
    paths: dict[str, list[Path]] = {}
    for path, ends in notes:
        for end in ends:
            paths.setdefault(end, []).append(path)
    return [
        f"{found[0]} {end}" + (f" ({len(found) - 1} more alike)." if len(found) > 1 else ".")
        for end, found in paths.items()
    ]


def _read(
    path: Path, find: Callable[[Path, Sequence[Any]], ExrColours] = find_colours
) -> tuple[str, Any, npt.NDArray[Any], list[str]]:
    """Return kind, header, stored values (Y, YA, RGB or RGBA), and notes.

    Args:
        path: the file.
        find: chooses the channels of an EXR.
    """
    kind = readable_kind(path)
    with opened(path) as file:
        notes: list[str] = []
        if kind == EXR:
            found = find(path, [header for _, header in parts(file)])
            number, header, wanted = found.part, found.header, found.indices
            notes += found.notes
        else:
            number, header, wanted = colour_channels(path, file)
        stored = read_channels(path, file, number, header, wanted)
        if kind == EXR:
            stored = to_display_window(stored, header)
        elif file.seek_subimage(1, 0) or (kind == PNG and read_png_colour(path).is_animated):
            notes.append("holds several pictures; only the first is used")
    if any(name.startswith("channel") for name in header.channelnames) and kind == TIFF:
        notes.append("has a channel beside its colors that is not marked as alpha; it is left out")
    aspect = float(header.get_float_attribute("PixelAspectRatio", 1.0))
    if abs(aspect - 1) > 0.01:
        notes.append(f"has pixels that are not square ({aspect:.3g}); they are taken as square")
    return kind, header, stored, notes


def _values(stored: npt.NDArray[Any]) -> FloatArray:
    if np.issubdtype(stored.dtype, np.integer):
        return from_codes(stored)
    return stored.astype(np.float32, copy=False)


def _check_numbers(path: Path, values: npt.NDArray[Any]) -> None:
    if np.isnan(values).any():
        raise PaintoverError(f"{path} holds NaN (not a number) pixels; save it again without.")


def _is_associated(kind: str, header: Any) -> bool:
    """Return whether the colours were multiplied by alpha."""
    if kind == TGA:
        return bool(header.get_int_attribute("targa:alpha_type", 0) == _PREMULTIPLIED)
    return kind == EXR or (kind == TIFF and not header.get_int_attribute("oiio:UnassociatedAlpha"))


def _as_beside(path: Path, colours: ColourNotes, beside: Path) -> ColourNotes:
    """Return the colour space to convert from, given that the frame's own values are kept."""
    with opened(beside) as file:
        own = read_colour_notes(beside, PNG, file.spec())
    if own.is_srgb:
        return colours
    if not own.is_near(colours):
        raise PaintoverError(
            f"{path} is in {colours.name}, but its frame is in {own.name}; save the painting in "
            f"{own.name}."
        )
    return ColourNotes(SRGB)


def _converted(path: Path, rgb: npt.NDArray[Any], colours: ColourNotes) -> FloatArray:
    if colours.space is not None:
        return colours.space.to_srgb(rgb)
    assert colours.profile is not None
    if colours.is_cmyk:
        try:
            with Image.open(path) as picture:
                codes = np.asarray(picture.convert("CMYK"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise PaintoverError(
                f"{path} is in CMYK with more than its four inks, or damaged; save it as RGB in "
                "sRGB."
            ) from error
    else:
        codes = np.rint(np.clip(_values(rgb), 0, 1) * 255).astype(np.uint8)
    return colours.profile.to_srgb(codes)


def _conversion(colours: ColourNotes, loses_bits: bool) -> str:
    if not colours.is_told:
        return "holds floating-point values without a profile, which are taken as linear light"
    told = f'has the color profile "{colours.name}"' if colours.profile else f"is in {colours.name}"
    return f"{told}; its colors are converted to sRGB" + (", with 8 bits" if loses_bits else "")
