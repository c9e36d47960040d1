# SPDX-License-Identifier: GPL-3.0-or-later
"""ICC profiles: colour spaces of curves and a matrix as they are, all others by LittleCMS.

LittleCMS in Pillow converts 8 bits a channel. So profiles of curves and a matrix, which paint
programs and cameras embed, are evaluated here in floating point, for pictures of any depth.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ...shared.errors import PaintoverError
from ..types import ByteArray, FloatArray
from .spaces import ColourSpace, Curve, gamma_curve, linear_curve, matrix_from_d50

_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


class IccProfile:
    """An ICC profile.

    Attributes:
        name: its description, as paint programs show it.
        model: ``RGB``, ``GRAY`` or ``CMYK``, or another, as the profile names it.
        space: the colour space, where it is of curves and a matrix; else None.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        """Read a profile; ``path`` names its picture in errors.

        Raises:
            PaintoverError: the profile is damaged.
        """
        self._path = path
        try:
            self._profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
            self.model = self._profile.profile.xcolor_space.strip()
            self.name = ImageCms.getProfileDescription(self._profile).strip() or "its profile"
            self.space = _space(self.name, self.model, _tags(data))
        except (OSError, ValueError, ImageCms.PyCMSError, struct.error) as error:
            raise self._damaged() from error

    def to_srgb(self, codes: ByteArray) -> FloatArray:
        """Convert by LittleCMS: (H, W, 3 or 4) uint8 of the profile's model to sRGB (H, W, 3).

        Raises:
            PaintoverError: the profile is damaged.
        """
        mode = {"GRAY": "L"}.get(self.model, self.model)
        picture = Image.fromarray(codes[..., 0] if mode == "L" else codes, mode)
        srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        try:
            transform = ImageCms.buildTransform(self._profile, srgb, mode, "RGB", intent, _FLAGS)
            converted = ImageCms.applyTransform(picture, transform)
        except ImageCms.PyCMSError as error:
            raise self._damaged() from error
        return np.asarray(converted, np.float32) / np.float32(255)

    def _damaged(self) -> PaintoverError:
        return PaintoverError(
            f"{self._path} has a damaged color profile; save it again in sRGB, or without a "
            "profile."
        )


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, 128)
    tags = {}
    for number in range(min(count, 1000)):
        name, start, size = struct.unpack_from(">4sII", data, 132 + 12 * number)
        tags[name] = data[start : start + size]
    return tags


def _space(name: str, model: str, tags: dict[bytes, bytes]) -> ColourSpace | None:
    """Return the colour space of a profile of curves, None for one with tables of colours."""
    if b"A2B0" in tags or b"D2B0" in tags:
        return None
    if model == "GRAY" and b"kTRC" in tags:
        return ColourSpace(name, (_curve(tags[b"kTRC"]),), np.eye(3))
    needed = [letter + kind for kind in (b"XYZ", b"TRC") for letter in (b"r", b"g", b"b")]
    if model != "RGB" or not set(needed) <= set(tags):
        return None
    columns = [np.array(struct.unpack_from(">3i", tags[key], 8)) / 65536 for key in needed[:3]]
    curves = [_curve(tags[key]) for key in needed[3:]]
    return ColourSpace(name, curves, matrix_from_d50(np.column_stack(columns)))


def _curve(tag: bytes) -> Curve:
    """Return the curve in a tag of type ``curv`` or ``para``."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return linear_curve
        if count == 1:
            return gamma_curve(struct.unpack_from(">H", tag, 12)[0] / 256)
        table = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
        places = np.linspace(0, 1, count)
        return lambda values: np.interp(values, places, table)
    if tag[:4] != b"para":
        raise ValueError("no curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind > 4:
        raise ValueError("no known curve")
    count = (1, 3, 4, 5, 7)[kind]
    return _parametric(kind, np.array(struct.unpack_from(f">{count}i", tag, 12)) / 65536)


def _parametric(kind: int, values: npt.NDArray[np.float64]) -> Curve:
    """Return a parametric curve: (a x + b)^g + e from d on, c x + f below."""
    g, a, b, c, d, e, f = 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind == 0:
        g = values[0]
    elif kind == 1:
        g, a, b = values
        d = -b / a
    elif kind == 2:
        g, a, b, e = values
        d, f = -b / a, e
    elif kind == 3:
        g, a, b, c, d = values
    else:
        g, a, b, c, d, e, f = values

    def curve(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)

    return curve
