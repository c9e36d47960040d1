# SPDX-License-Identifier: GPL-3.0-or-later
"""Bristle brushes, and the canvas that they paint on."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

FINE = 3
"""Canvas pixels per pixel of the frame, in x and in y."""
_STAMP_LENGTH, _STAMP_WIDTH, _STAMPS = 192, 48, 12


@dataclasses.dataclass
class Strokes:
    """Brush strokes in painting order; lengths are in pixels of the frame.

    Attributes:
        at: (N, 2) centres, x and y.
        angle: (N,) direction in radians.
        bend: (N,) curvature, 1 / pixel.
        length, width: (N,) size.
        colour: (N, 3) display-referred, 0..1.
        opacity: (N,) 0..1.
        brush: (N,) integers that choose the brush, modulo the number of brushes.
        relief: thickness of the paint, 0..1.
    """

    at: npt.NDArray[Any]
    angle: npt.NDArray[Any]
    bend: npt.NDArray[Any]
    length: npt.NDArray[Any]
    width: npt.NDArray[Any]
    colour: npt.NDArray[Any]
    opacity: npt.NDArray[Any]
    brush: npt.NDArray[Any]
    relief: float = 1.0


class Canvas:
    """Paint (colour) and relief (thickness), ``FINE`` times the size of the frame."""

    def __init__(self, height: int, width: int, ground: tuple[float, float, float]) -> None:
        self.paint = np.empty((height * FINE, width * FINE, 3), np.float32)
        self.paint[:] = ground
        self.relief = np.zeros(self.paint.shape[:2], np.float32)
        self._stamps = _stamps()

    def lay(self, strokes: Strokes, mask: npt.NDArray[Any]) -> None:
        """Paint strokes in order, within a mask (canvas size, 0..1)."""
        rows, columns = self.relief.shape
        colours = strokes.colour.astype(np.float32)
        for i in range(len(strokes.angle)):
            x, y = strokes.at[i] * FINE
            half_length = strokes.length[i] * FINE / 2
            half_width = strokes.width[i] * FINE / 2
            bend = strokes.bend[i] / FINE
            cos, sin = np.cos(strokes.angle[i]), np.sin(strokes.angle[i])
            sag = abs(bend) * half_length**2 / 2 + half_width
            reach_x = abs(cos) * half_length + abs(sin) * sag + 1
            reach_y = abs(sin) * half_length + abs(cos) * sag + 1
            left, right = max(0, int(x - reach_x)), min(columns, int(x + reach_x) + 2)
            top, bottom = max(0, int(y - reach_y)), min(rows, int(y + reach_y) + 2)
            if left >= right or top >= bottom:
                continue
            dx = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - x)
            dy = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - y)
            along = dx * np.float32(cos) + dy * np.float32(sin)
            across = dy * np.float32(cos) - dx * np.float32(sin)
            across -= np.float32(bend / 2) * along * along
            along *= np.float32(_STAMP_LENGTH / 2 / half_length)
            across *= np.float32(_STAMP_WIDTH / 2 / half_width)
            along += np.float32(_STAMP_LENGTH / 2)
            across += np.float32(_STAMP_WIDTH / 2)
            stamp = self._stamps[int(strokes.brush[i]) % _STAMPS]
            mark = cv2.remap(stamp, along, across, cv2.INTER_LINEAR)
            place = np.s_[top:bottom, left:right]
            cover = mark[..., 0] * mask[place]
            cover *= np.float32(strokes.opacity[i])
            paint = self.paint[place]
            paint += cover[..., None] * (colours[i] - paint)
            relief = self.relief[place]
            relief += cover * np.float32(strokes.relief) * (mark[..., 1] - relief)

    def glaze(self, colour: npt.NDArray[Any], cover: npt.NDArray[Any]) -> None:
        """Blend one colour over the canvas by coverage (canvas size, 0..255)."""
        left, top, width, height = cv2.boundingRect(cover)
        place = np.s_[top : top + height, left : left + width]
        share = cover[place].astype(np.float32)[..., None] / 255
        self.paint[place] += share * (colour - self.paint[place])

    def finished(self, grain: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the painting at the size of the frame, (H, W, 3), 0..1, lit from the upper left.

        Args:
            grain: roughness of the canvas, canvas size, about −1..1.
        """
        surface = cv2.GaussianBlur(self.relief, (0, 0), 0.8) + 0.05 * grain
        across = cv2.Sobel(surface, cv2.CV_32F, 1, 0, ksize=3)
        slope = across + cv2.Sobel(surface, cv2.CV_32F, 0, 1, ksize=3)
        light = 1 + np.clip(0.055 * slope, -0.14, 0.14) + 0.008 * grain
        light += 0.10 * (self.relief - 0.5)
        lit = np.clip(self.paint * light[..., None], 0, 1)
        size = (lit.shape[1] // FINE, lit.shape[0] // FINE)
        return cv2.resize(lit, size, interpolation=cv2.INTER_AREA)


def soft_noise(shape: tuple[int, ...], scale: float, seed: int) -> npt.NDArray[Any]:
    """Return smooth noise of this shape, about −1..1, with features of ``scale`` pixels."""
    rng = np.random.default_rng(seed)
    coarse = (max(2, int(shape[0] / scale) + 2), max(2, int(shape[1] / scale) + 2))
    values = rng.uniform(-1, 1, coarse).astype(np.float32)
    return cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _stamps() -> list[npt.NDArray[Any]]:
    """Return brushes, each (_STAMP_WIDTH, _STAMP_LENGTH, 2): coverage and relief, 0..1.

    A brush is a row of bristles. Each bristle starts a little late, runs dry a little early, and
    leaves a ridge of paint.
    """
    stamps = []
    across = np.linspace(-1, 1, _STAMP_WIDTH)[:, None]
    along = np.linspace(0, 1, _STAMP_LENGTH)[None, :]
    for number in range(_STAMPS):
        streaks = soft_noise((_STAMP_WIDTH, _STAMP_LENGTH), 3, number)
        stretched = cv2.resize(streaks[:, :6], (_STAMP_LENGTH, _STAMP_WIDTH))
        bristle = 0.5 + 0.5 * np.clip(stretched * 1.2, -1, 1)
        begins = 0.03 + 0.09 * across**2 + 0.05 * (1 - bristle)
        ends = 0.97 - 0.16 * across**2 - 0.22 * (1 - bristle) ** 2
        inside = np.clip((along - begins) / 0.04, 0, 1) * np.clip((ends - along) / 0.07, 0, 1)
        edge = np.clip((1 - np.abs(across)) / 0.16, 0, 1)
        dry = np.clip((bristle - 0.55 * along**3) / 0.16, 0, 1)
        cover = np.pad((inside * edge * (0.35 + 0.65 * dry))[1:-1, 1:-1], 1)
        rim = np.exp(-(((np.abs(across) - 0.86) / 0.12) ** 2))
        ridge = np.clip(0.2 + 0.6 * bristle + 0.35 * rim, 0, 1)
        stamps.append(np.dstack([cover, ridge]).astype(np.float32))
    return stamps
