# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in 8 bits, and what happens to a layer's outputs on their way to being so written.

Between layers each pass over the memory counts, so a sum, a ReLU and the rounding are one loop.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...images.jit import compiled, inlined
from ...images.types import ByteArray, FloatArray

Part = tuple[slice, slice]
"""Rows and columns at full resolution."""


class Codes(NamedTuple):
    """How values are written in 8 bits: what a code is worth, and the code of 0."""

    step: float
    zero: int


class Features:
    """What a layer puts out, in floating point, over a part of a picture.

    Args:
        values: (1, C, H, W) float32 in channels_last; they are changed later.
        part: what they show.
        scale: how many pixels one of them is wide and high.
    """

    def __init__(self, values: Tensor, part: Part, scale: int) -> None:
        self._channels = values.shape[1]
        self._rows: FloatArray = values.permute(0, 2, 3, 1).flatten(2)[0].numpy()
        self._part, self._scale = part, scale

    def activated(self, codes: Codes, wanted: Part, leak: float = 1.0) -> Tensor:
        """Multiply what is below 0 by ``leak``, for good; return a part in codes.

        Nothing but the wanted part counts from now on.

        Args:
            codes: how values are written; what they cannot hold is clipped.
            wanted: within what the values show.
            leak: 0..1.

        Returns:
            (1, C, H, W) uint8 in channels_last.
        """
        written = self._empty(wanted)
        _activate(self._rows, *self._begin(wanted), np.float32(leak), *_factors(codes), written)
        return self._tensor(written)

    def plus(self, change: Features, codes: Codes, wanted: Part) -> Tensor:
        """Add to the values, for good; return the sum as ``activated`` does.

        Nothing but the wanted part, which the change shows as well, counts from now on.
        """
        written = self._empty(wanted)
        places = *self._begin(wanted), *change._begin(wanted)
        _add(self._rows, change._rows, *places, *_factors(codes), written)
        return self._tensor(written)

    def _begin(self, wanted: Part) -> tuple[int, int]:
        """Return where in the rows a part begins."""
        down, right = (
            (want.start - have.start) // self._scale
            for want, have in zip(wanted, self._part, strict=True)
        )
        return down, right * self._channels

    def _empty(self, wanted: Part) -> ByteArray:
        high, wide = ((span.stop - span.start) // self._scale for span in wanted)
        return np.empty((high, wide * self._channels), np.uint8)

    def _tensor(self, rows: ByteArray) -> Tensor:
        pixels = torch.from_numpy(rows).reshape(1, len(rows), -1, self._channels)
        return pixels.permute(0, 3, 1, 2)


def _factors(codes: Codes) -> tuple[np.float32, np.float32]:
    return np.float32(1 / codes.step), np.float32(codes.zero)


@inlined
def _code(value: np.float32, scale: np.float32, zero: np.float32) -> np.uint8:
    code = np.rint(value * scale + zero)
    return np.uint8(min(max(code, np.float32(0)), np.float32(255)))


@compiled
def _activate(
    rows: FloatArray,
    top: int,
    left: int,
    leak: np.float32,
    scale: np.float32,
    zero: np.float32,
    codes: ByteArray,
) -> None:
    height, width = codes.shape
    for row in range(height):
        line = rows[top + row, left : left + width]
        for column in range(width):
            value = line[column]
            value = max(value, value * leak)
            line[column] = value
            codes[row, column] = _code(value, scale, zero)


@compiled
def _add(
    rows: FloatArray,
    change: FloatArray,
    top: int,
    left: int,
    change_top: int,
    change_left: int,
    scale: np.float32,
    zero: np.float32,
    codes: ByteArray,
) -> None:
    height, width = codes.shape
    for row in range(height):
        line = rows[top + row, left : left + width]
        more = change[change_top + row, change_left : change_left + width]
        for column in range(width):
            value = line[column] + more[column]
            line[column] = value
            codes[row, column] = _code(value, scale, zero)
