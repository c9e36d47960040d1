# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour spaces of pictures, and their conversion to sRGB in floating point."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..types import FloatArray
from .srgb import encode_srgb

Curve = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""From stored values to linear light."""
Matrix = npt.NDArray[np.float64]

REC_709 = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""x and y of white, red, green and blue of sRGB."""
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_SAME = 1.5 / 255
_NEAR = 0.02
_BRIGHTEST = 65504
_D65 = (0.3127, 0.329)
_PRIMARIES = {
    1: ("Rec.709", REC_709),
    9: ("Rec.2020", (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)),
    11: ("DCI-P3", (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)),
    12: ("Display P3", (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)),
}
"""Names and chromaticities by their number in ITU-T H.273."""
ACES = {
    "ACEScg": (0.32168, 0.33767, 0.713, 0.293, 0.165, 0.83, 0.128, 0.044),
    "ACES2065-1": (0.32168, 0.33767, 0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077),
}
"""Chromaticities of the colour spaces of ACES."""
ADOBE_RGB = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_INTEROP = {
    "rec709": _PRIMARIES[1],
    "rec2020": _PRIMARIES[9],
    "p3d65": _PRIMARIES[12],
    "ap1": ("ACEScg", ACES["ACEScg"]),
    "ap0": ("ACES2065-1", ACES["ACES2065-1"]),
    "adobergb": ("Adobe RGB", ADOBE_RGB),
}
"""Names and chromaticities by their name in a ``colorInteropID``."""


@dataclasses.dataclass(frozen=True)
class ColourSpace:
    """How colours are stored.

    Attributes:
        name: as a user knows it.
        curves: three curves, or one for all channels.
        matrix: (3, 3), from linear values to linear sRGB.
    """

    name: str
    curves: Sequence[Curve]
    matrix: Matrix

    def to_srgb(self, values: npt.NDArray[Any]) -> FloatArray:
        """Convert colours to sRGB.

        Args:
            values: (..., 3), floating point or unsigned integers; 1 or the largest integer is full.

        Returns:
            (..., 3) float32, display-referred, 0..1; what sRGB cannot show is clipped.
        """
        linear = np.empty(values.shape, np.float32)
        for channel in range(3):
            curve = self.curves[channel % len(self.curves)]
            linear[..., channel] = _curved(curve, values[..., channel])
        if not np.array_equal(self.matrix, np.eye(3)):
            matrix = self.matrix.T.astype(np.float32)
            linear = np.clip(linear, -_BRIGHTEST, _BRIGHTEST) @ matrix
        return encode_srgb(linear)

    def is_like(self, other: ColourSpace) -> bool:
        """Return whether both give the same colours, within 1.5 of 255 steps."""
        if self is other:
            return True
        steps = np.linspace(0, 1, 18)
        grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
        greys = np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1)
        values = np.concatenate([grid, greys])
        return bool(np.abs(self.to_srgb(values) - other.to_srgb(values)).max() <= _SAME)

    def is_near(self, other: ColourSpace) -> bool:
        """Return whether both have the same primaries, and curves that differ in the shadows."""
        middle = np.array([0.5])
        same = [
            abs(float(one(middle)[0] - two(middle)[0])) < _NEAR
            for one, two in zip(self.curves, other.curves, strict=False)
        ]
        return all(same) and bool(np.abs(self.matrix - other.matrix).max() < _NEAR)


def _curved(curve: Curve, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if not np.issubdtype(values.dtype, np.integer):
        return curve(values.astype(np.float64)).astype(np.float32)
    most = int(np.iinfo(values.dtype).max)
    if most > 65535:
        return curve(values.astype(np.float64) / most).astype(np.float32)
    table = curve(np.arange(most + 1) / most).astype(np.float32)
    result: npt.NDArray[np.float32] = table[values]
    return result


def gamma_curve(exponent: float) -> Curve:
    """Return the curve of a power function; values below 0 become 0."""
    return lambda values: np.maximum(values, 0) ** exponent


def srgb_curve(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Undo the sRGB curve, in double precision; values are clipped to 0..1."""
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def linear_curve(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values, which are linear already."""
    return values


def matrix_from(chromaticities: Sequence[float]) -> Matrix:
    """Return the matrix from linear values to linear sRGB, adapted to its white (Bradford).

    Args:
        chromaticities: x and y of white, red, green and blue.

    Raises:
        ValueError: no colour space has these.
    """
    return matrix_from_d50(_to_d50(chromaticities))


def matrix_from_d50(to_xyz: Matrix) -> Matrix:
    """Return the matrix to linear sRGB, given that to XYZ with the white D50."""
    result: Matrix = np.linalg.inv(_to_d50(REC_709)) @ to_xyz
    return result


def _to_d50(chromaticities: Sequence[float]) -> Matrix:
    points = np.array(chromaticities, np.float64).reshape(4, 2)
    if (points[:, 1] == 0).any() or not np.isfinite(points).all():
        raise ValueError("not chromaticities")
    xyz = np.column_stack([points[:, 0], points[:, 1], 1 - points.sum(1)]) / points[:, 1:]
    white, primaries = xyz[0], xyz[1:].T
    try:
        to_xyz = primaries * np.linalg.solve(primaries, white)
    except np.linalg.LinAlgError as error:
        raise ValueError("not chromaticities") from error
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    result: Matrix = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD @ to_xyz
    return result


SRGB = ColourSpace("sRGB", (srgb_curve,), np.eye(3))
LINEAR = ColourSpace("linear sRGB", (linear_curve,), np.eye(3))


def from_cicp(primaries: int, transfer: int) -> ColourSpace | None:
    """Return the colour space that code points of ITU-T H.273 name; None: none that we know."""
    name, chromaticities = _PRIMARIES.get(primaries, ("", REC_709))
    curves = {8: linear_curve, 13: srgb_curve, 4: gamma_curve(2.2), 5: gamma_curve(2.8)}
    curves |= dict.fromkeys((1, 6, 14, 15), gamma_curve(2.4))
    if not name or transfer not in curves:
        return None
    return ColourSpace(name, (curves[transfer],), matrix_from(chromaticities))


def from_png_gamma(gamma: float | None, chromaticities: Sequence[float] | None) -> ColourSpace:
    """Return the colour space of the PNG chunks gAMA and cHRM; None stands for that of sRGB.

    Gammas close to 1/2.2 mean the curve of sRGB, which such files have in fact.

    Raises:
        ValueError: no colour space has these chromaticities.
    """
    curve = srgb_curve if gamma is None or abs(gamma - 1 / 2.2) < 0.01 else gamma_curve(1 / gamma)
    name = "a color space of its own (PNG gamma)"
    if gamma is not None and abs(gamma - 1) < 0.01:
        curve, name = linear_curve, "linear light (PNG gamma 1)"
    return ColourSpace(name, (curve,), matrix_from(chromaticities or REC_709))


def from_interop_id(name: str) -> ColourSpace | None:
    """Return the colour space that an EXR names in ``colorInteropID``; None if we do not know it.

    Such a name is a curve, primaries, and what the picture refers to, as in ``lin_ap1_scene``.
    """
    curve, _, rest = name.partition("_")
    primaries = rest.rpartition("_")[0]
    curves = {"lin": linear_curve, "srgb": srgb_curve, "g22": gamma_curve(2.2)}
    if curve not in curves or primaries not in _INTEROP:
        return None
    shown, chromaticities = _INTEROP[primaries]
    return ColourSpace(shown, (curves[curve],), matrix_from(chromaticities))


def from_chromaticities(chromaticities: Sequence[float]) -> ColourSpace:
    """Return the linear colour space with these chromaticities, of white, red, green and blue.

    Raises:
        ValueError: no colour space has these.
    """
    known = {**{f"linear {name}": points for name, points in _PRIMARIES.values()}, **ACES}
    for name, points in known.items():
        if np.allclose(chromaticities, points, atol=2e-3):
            return ColourSpace(name, (linear_curve,), matrix_from(points))
    matrix = matrix_from(chromaticities)
    return ColourSpace("linear light with primaries of its own", (linear_curve,), matrix)
