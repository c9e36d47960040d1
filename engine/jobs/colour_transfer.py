# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour transfer: paint for pixels that no keyframe shows, from similar pixels of keyframes.

Pixels with the same quantized colour, normal and object form a look. A pixel takes the mean paint
of the nearest looks, weighted by inverse squared distance (Shepard, 1968).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.hashing import hash_unit
from ..images.types import BoolArray, FloatArray
from ..projection.channels import PAINT, VALID

NEIGHBOURS = 6
"""Nearest looks whose paint is averaged."""
COLOUR_BITS, NORMAL_BITS = 5, 3
"""Bits per component to which colours and normals are quantized."""
MAX_LOOKS = 6000
"""Looks at most; with more, colours and normals are quantized more coarsely."""
NORMAL_WEIGHT = 0.3
"""Distance of opposite normals; that of black and white is 1 per channel."""
OBJECT_WEIGHT = 1.5
"""Distance scale of different objects."""

BLEND_WIDTH = 2.0
"""Pixels over which projected paint blends into transferred colours."""

Codes = npt.NDArray[np.int64]


class ColourTransfer:
    """The mean paint of each look, to guess the paint of other pixels.

    Args:
        keyframes: the paintings, each with its frame; only pixels inside the masks count.
    """

    def __init__(self, keyframes: Sequence[tuple[Keyframe, Frame]]) -> None:
        self._bits = (COLOUR_BITS, NORMAL_BITS)
        self._has_normals = keyframes[0][1].normal is not None
        paint = np.concatenate([keyframe.paint[keyframe.mask] for keyframe, _ in keyframes])
        while True:
            codes = np.concatenate([self._codes(frame, key.mask) for key, frame in keyframes])
            looks, place = np.unique(codes, return_inverse=True)
            if len(looks) <= MAX_LOOKS or self._bits[0] <= 2:
                break
            self._bits = (self._bits[0] - 1, max(1, self._bits[1] - 1))
        count = np.bincount(place)
        self._paint = np.stack(
            [np.bincount(place, paint[:, channel]) / count for channel in range(3)], -1
        )
        self._tree = cKDTree(self._features(looks))

    def guess(self, frame: Frame, where: BoolArray) -> FloatArray:
        """Guess the paint of pixels.

        Args:
            frame: a frame with the same passes as those of the keyframes.
            where: (H, W), the N pixels to guess.

        Returns:
            (N, 3) float32, 0..1, display-referred, row by row.
        """
        looks, place = np.unique(self._codes(frame, where), return_inverse=True)
        if not len(looks):
            return np.zeros((0, 3), np.float32)
        ranks = [*range(1, min(NEIGHBOURS, self._tree.n) + 1)]
        distances, nearest = self._tree.query(self._features(looks), ranks)
        weight = 1 / (distances**2 + 0.02**2)
        weight /= weight.sum(axis=1, keepdims=True)
        paint = (self._paint[nearest] * weight[..., None]).sum(axis=1)
        return np.asarray(paint[place], np.float32)

    def complete(self, carried: FloatArray, frame: Frame) -> FloatArray:
        """Return projected paint, with guessed paint where none is projected.

        Args:
            carried: (7 or 8, H, W), the channels of the guide ``projection``.
            frame: the frame, as for ``guess``.

        Returns:
            (3, H, W) float32, 0..1: colours of all pixels of the frame.
        """
        valid = (carried[VALID] > 0).astype(np.uint8)
        inside = np.pad(valid, 1, mode="edge")
        distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        share = np.minimum(distance / BLEND_WIDTH, 1) * carried[VALID]
        paint = carried[PAINT] / 2 + 0.5
        rest = share < 1
        transferred = self.guess(frame, rest).T
        paint[:, rest] = share[rest] * paint[:, rest] + (1 - share[rest]) * transferred
        return np.ascontiguousarray(paint)

    def _codes(self, frame: Frame, where: BoolArray) -> Codes:
        """Return the looks (N,) of the N pixels in ``where`` (H, W), each as one integer."""
        colour_bits, normal_bits = self._bits
        colours = frame.image[where] * ((1 << colour_bits) - 1)
        codes = np.zeros(len(colours), np.int64)
        if frame.object is not None:
            codes += frame.object[where].astype(np.int64) + 1
        parts = [(colours, colour_bits)]
        if frame.normal is not None:
            normals = (frame.normal[where] + 1) / 2 * ((1 << normal_bits) - 1)
            parts.append((normals, normal_bits))
        for values, bits in parts:
            for channel in range(3):
                codes = (codes << bits) | np.rint(values[:, channel]).astype(np.int64)
        return codes

    def _features(self, looks: Codes) -> npt.NDArray[np.float64]:
        """Return features (N, 6 or 9) of looks: normal, if any, colour, and three per object."""
        colour_bits, normal_bits = self._bits
        rest, columns = looks, []
        fields = [(normal_bits, NORMAL_WEIGHT / 2)] if self._has_normals else []
        for bits, weight in [*fields, (colour_bits, 1.0)]:
            most = (1 << bits) - 1
            for _ in range(3):
                columns.append((rest & most) / most * weight)
                rest = rest >> bits
        salts = np.arange(3, dtype=np.uint32) * np.uint32(0x9E3779B1)
        objects = hash_unit(rest.astype(np.uint32)[:, None] + salts)
        return np.column_stack([*columns, objects * OBJECT_WEIGHT]).astype(np.float64)
