# SPDX-License-Identifier: GPL-3.0-or-later
"""From a layer's float32 outputs to the next layer's uint8 inputs: activation, sum, rounding.

Memory bandwidth limits these layers, so each of the two methods is a single loop.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...images.jit import compiled, inlined
from ...images.types import ByteArray, FloatArray

Region = tuple[slice, slice]
"""Rows and columns, in pixels at full resolution."""


class Quantization(NamedTuple):
    """Linear quantization to uint8: value = scale · (code − zero_point)."""

    scale: float
    zero_point: int


class FloatActivations:
    """Outputs of a layer in floating point, over a region of a picture.

    Args:
        values: (1, C, H, W) float32 in channels_last; changed in place by the methods.
        region: the region that they cover.
        scale: side in pixels, at full resolution, of one value.
    """

    def __init__(self, values: Tensor, region: Region, scale: int) -> None:
        self._channels = values.shape[1]
        self._rows: FloatArray = values.permute(0, 2, 3, 1).flatten(2)[0].numpy()
        self._region, self._scale = region, scale

    def leaky_relu(self, quantization: Quantization, wanted: Region, slope: float = 1.0) -> Tensor:
        """Leaky ReLU in place; return ``wanted`` as uint8. The rest is undefined afterwards.

        Args:
            quantization: of the result; values outside its range are clipped.
            wanted: a region inside that of the values.
            slope: of values below 0, 0..1; 1 leaves them as they are.

        Returns:
            (1, C, h, w) uint8 in channels_last.
        """
        codes = self._empty(wanted)
        factors = _factors(quantization)
        _leaky_relu(self._rows, *self._offset(wanted), np.float32(slope), *factors, codes)
        return self._tensor(codes)

    def add(self, change: FloatActivations, quantization: Quantization, wanted: Region) -> Tensor:
        """Add in place; return ``wanted`` as uint8. The rest is undefined afterwards.

        Args:
            change: added to the values; it must cover ``wanted`` too.
            quantization, wanted: as of ``leaky_relu``.

        Returns:
            (1, C, h, w) uint8 in channels_last.
        """
        codes = self._empty(wanted)
        offsets = *self._offset(wanted), *change._offset(wanted)
        _add(self._rows, change._rows, *offsets, *_factors(quantization), codes)
        return self._tensor(codes)

    def _offset(self, wanted: Region) -> tuple[int, int]:
        """Return the row, and the index in it, at which a region begins."""
        down, right = (
            (part.start - whole.start) // self._scale
            for part, whole in zip(wanted, self._region, strict=True)
        )
        return down, right * self._channels

    def _empty(self, wanted: Region) -> ByteArray:
        height, width = ((span.stop - span.start) // self._scale for span in wanted)
        return np.empty((height, width * self._channels), np.uint8)

    def _tensor(self, rows: ByteArray) -> Tensor:
        pixels = torch.from_numpy(rows).reshape(1, len(rows), -1, self._channels)
        return pixels.permute(0, 3, 1, 2)


def _factors(quantization: Quantization) -> tuple[np.float32, np.float32]:
    return np.float32(1 / quantization.scale), np.float32(quantization.zero_point)


@inlined
def _quantized(value: np.float32, factor: np.float32, zero_point: np.float32) -> np.uint8:
    code = np.rint(value * factor + zero_point)
    return np.uint8(min(max(code, np.float32(0)), np.float32(255)))


@compiled
def _leaky_relu(
    rows: FloatArray,
    top: int,
    left: int,
    slope: np.float32,
    factor: np.float32,
    zero_point: np.float32,
    codes: ByteArray,
) -> None:
    height, width = codes.shape
    for row in range(height):
        line = rows[top + row, left : left + width]
        for column in range(width):
            value = line[column]
            value = max(value, value * slope)
            line[column] = value
            codes[row, column] = _quantized(value, factor, zero_point)


@compiled
def _add(
    rows: FloatArray,
    change: FloatArray,
    top: int,
    left: int,
    change_top: int,
    change_left: int,
    factor: np.float32,
    zero_point: np.float32,
    codes: ByteArray,
) -> None:
    height, width = codes.shape
    for row in range(height):
        line = rows[top + row, left : left + width]
        change_line = change[change_top + row, change_left : change_left + width]
        for column in range(width):
            value = line[column] + change_line[column]
            line[column] = value
            codes[row, column] = _quantized(value, factor, zero_point)
