# SPDX-License-Identifier: GPL-3.0-or-later
"""Which colour space a picture file says that it is in."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags

from ...shared.errors import PaintoverError
from ...shared.pictures.kinds import EXR, JPEG, PNG
from ..exif import exif_value
from .icc_profiles import IccProfile
from .png import PngColour, read_png_colour
from .spaces import (
    ADOBE_RGB,
    LINEAR,
    SRGB,
    ColourSpace,
    from_chromaticities,
    from_cicp,
    from_interop_id,
    from_png_gamma,
    gamma_curve,
    matrix_from,
)

_HDR = (16, 18)
"""Transfer functions PQ and HLG, as ITU-T H.273 numbers them."""
_UNKNOWN = 2
_UNCALIBRATED = 0xFFFF
"""Colour space in EXIF that is not sRGB."""
_NAMED = {"CMYK": "CMYK", "YCCK": "CMYK", "color separated": "CMYK"}
_PLAIN = ("", "RGB", "sRGB", "palette", "YCbCr", "JFIF", "Grayscale")


@dataclasses.dataclass(frozen=True)
class ColourNotes:
    """What a file says of its colours.

    Attributes:
        space: the colour space; None: only ``profile`` can convert it.
        profile: the embedded ICC profile, if it counts.
        is_cmyk: whether the file stores inks.
        is_told: whether the file says it itself.
    """

    space: ColourSpace | None
    profile: IccProfile | None = None
    is_cmyk: bool = False
    is_told: bool = True

    @property
    def name(self) -> str:
        """The colour space, as a user knows it."""
        return self.profile.name if self.profile else self.space.name if self.space else ""

    @property
    def is_srgb(self) -> bool:
        """Whether the stored values need no conversion."""
        return self.space is not None and self.space.is_like(SRGB)

    def is_near(self, other: ColourNotes) -> bool:
        """Return whether both files are in the same colour space, but for fine differences."""
        if self.space and other.space:
            return self.space.is_near(other.space)
        return self.name == other.name != ""


def read_colour_notes(path: Path, kind: str, header: Any) -> ColourNotes:
    """Find the colour space of a picture.

    The first of these counts: cICP of a PNG, an ICC profile, sRGB, gAMA and cHRM of a PNG, Adobe
    RGB as cameras note it; in an EXR, chromaticities, or the name of a colour space. A file that
    says nothing is in sRGB, or linear where it holds floating point.

    Args:
        path: its file.
        kind: as ``readable_kind`` returns it.
        header: its header (``ImageSpec``).

    Raises:
        PaintoverError: the colour space is one that cannot be converted, or its note is damaged.
    """
    if kind == EXR:
        return _of_exr(path, header)
    stored = header.get_string_attribute(f"{kind.lower()}:ColorSpace")
    if stored not in (*_PLAIN, *_NAMED):
        raise PaintoverError(f"{path} is in {stored} colors; save it as RGB in sRGB.")
    is_cmyk = stored in _NAMED
    profile = header.getattribute("ICCProfile")
    data = np.asarray(profile, np.uint8).tobytes() if profile is not None else None
    if kind == PNG:
        chunks = read_png_colour(path)
        data = chunks.profile or data
        notes = _of_png(path, chunks, data is not None)
        if notes:
            return notes
    if data is not None:
        return _of_profile(path, data, header, is_cmyk)
    if is_cmyk:
        raise PaintoverError(
            f"{path} is in CMYK without a color profile, so its colors are not known; save it as "
            "RGB in sRGB."
        )
    if kind == JPEG and _is_adobe_rgb(path, header):
        space = ColourSpace("Adobe RGB", (gamma_curve(563 / 256),), matrix_from(ADOBE_RGB))
        return ColourNotes(space)
    is_float = str(header.format) in ("half", "float", "double")
    return ColourNotes(LINEAR if is_float else SRGB, is_told=False)


def _of_exr(path: Path, header: Any) -> ColourNotes:
    name = header.get_string_attribute("colorInteropID")
    chromaticities = header.getattribute("chromaticities")
    if name in ("", "data", "unknown") and chromaticities is None:
        return ColourNotes(LINEAR, is_told=False)
    if chromaticities is None:
        space = from_interop_id(name)
        if space is None:
            raise PaintoverError(
                f'{path} is in the color space "{name}", which Paintover does not know; save it in '
                "linear Rec.709."
            )
    else:
        red, green, blue, white = np.asarray(chromaticities, np.float64).reshape(4, 2)
        try:
            space = from_chromaticities([*white, *red, *green, *blue])
        except ValueError:
            raise _damaged(path) from None
    return ColourNotes(LINEAR, is_told=False) if space.is_like(LINEAR) else ColourNotes(space)


def _of_png(path: Path, chunks: PngColour, has_profile: bool) -> ColourNotes | None:
    """Return what the chunks of a PNG say; None where an ICC profile or nothing else counts."""
    primaries, transfer, matrix, is_full = chunks.cicp or (_UNKNOWN, _UNKNOWN, 0, 1)
    if transfer in _HDR:
        name = "PQ" if transfer == _HDR[0] else "HLG"
        raise PaintoverError(f"{path} is an HDR picture ({name}); export it in sRGB.")
    if _UNKNOWN not in (primaries, transfer):
        space = from_cicp(primaries, transfer)
        if space and matrix == 0 and is_full == 1:
            return ColourNotes(space)
        if not has_profile:
            raise PaintoverError(
                f"{path} is in a color space that Paintover does not know (cICP "
                f"{primaries}-{transfer}-{matrix}-{is_full}); save it in sRGB."
            )
    if has_profile or chunks.is_srgb or not (chunks.gamma or chunks.chromaticities):
        return None
    try:
        return ColourNotes(from_png_gamma(chunks.gamma, chunks.chromaticities))
    except ValueError:
        raise _damaged(path) from None


def _of_profile(path: Path, data: bytes, header: Any, is_cmyk: bool) -> ColourNotes:
    profile = IccProfile(path, data)
    is_grey = header.nchannels <= 2 or header.channelnames[0] == "Y"
    fits = ("CMYK",) if is_cmyk else ("RGB", "GRAY") if is_grey else ("RGB",)
    if profile.model not in fits:
        raise PaintoverError(
            f'{path} has the color profile "{profile.name}", which is for {profile.model} and not '
            "for its colors; save it again in sRGB."
        )
    return ColourNotes(profile.space, profile, is_cmyk)


def _is_adobe_rgb(path: Path, header: Any) -> bool:
    """Return whether a camera notes Adobe RGB in the way of DCF, which needs no profile."""
    if header.get_int_attribute("Exif:ColorSpace") != _UNCALIBRATED:
        return False
    return bool(exif_value(path, 1, ExifTags.IFD.Interop) == "R03")


def _damaged(path: Path) -> PaintoverError:
    return PaintoverError(
        f"{path} has damaged notes about its colors; save it again in sRGB, or without a profile."
    )
