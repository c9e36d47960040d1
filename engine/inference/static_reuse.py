# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands still from frame to frame is painted once: equal inputs give equal paint."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ..images.types import BoolArray, FloatArray
from .tiled_inference import TiledInference
from .tiling import NONE, Spare

MOST_BYTES = 1 << 28
"""The inputs of larger frames are not kept, to bound the memory."""
SAMPLED_ROWS = 32
"""Every such row is looked at first …"""
WORTH = 0.1
"""… and if less than this share of it stands still, the rest is not compared."""


class _Before(NamedTuple):
    guides: FloatArray
    strokes: FloatArray | None
    wanted: BoolArray
    spare: Spare
    painted: FloatArray


class StaticReuse:
    """Paints frames, and takes from the frame before what cannot have changed.

    That is every pixel around which, as far as the network looks, all inputs are equal. So a
    frame's result is the same as without.

    Args:
        inference: paints; it must not change meanwhile.
    """

    def __init__(self, inference: TiledInference) -> None:
        self._inference = inference
        self._before: _Before | None = None

    def paint(
        self,
        guides: FloatArray,
        wanted: BoolArray | None,
        strokes: FloatArray | None,
        spare: Spare = NONE,
    ) -> FloatArray:
        """Paint a frame; arguments and result as of ``TiledInference.paint``."""
        wanted = np.ones(guides.shape[1:], bool) if wanted is None else wanted
        before, self._before = self._before, None
        still = None
        if before and (before.guides.shape, before.spare) == (guides.shape, spare):
            still = self._still(before, guides, strokes, wanted)
        if before is None or still is None:
            painted = self._inference.paint(guides, wanted, strokes, spare)
        else:
            painted = self._inference.paint(guides, wanted & ~still, strokes, spare)
            np.copyto(painted, before.painted, where=still)
        if guides.nbytes <= MOST_BYTES:
            self._before = _Before(guides, strokes, wanted, spare, painted)
        return painted

    def _still(
        self,
        before: _Before,
        guides: FloatArray,
        strokes: FloatArray | None,
        wanted: BoolArray,
    ) -> BoolArray | None:
        """Return (H, W) which pixels can be taken from the frame before; None: too few."""
        rows = slice(min(SAMPLED_ROWS // 2, len(wanted) - 1), None, SAMPLED_ROWS)
        counted = wanted[rows]
        if (_equal(before.guides[:, rows], guides[:, rows]) & counted).sum() <= (
            WORTH * counted.sum()
        ):
            return None
        still = _around(_equal(before.guides, guides), self._inference.reach)
        still &= wanted & before.wanted
        if strokes is not None and before.strokes is not None:
            still &= (before.strokes == strokes).all(-1)
        elif (strokes is None) != (before.strokes is None):
            still[:] = False
        return still


def _equal(first: FloatArray, second: FloatArray) -> BoolArray:
    """Return (H, W) where two inputs (C, H, W) are equal in every channel."""
    equal = np.ones(first.shape[1:], bool)
    for one, other in zip(first, second, strict=True):
        equal &= one == other
    return equal


def _around(equal: BoolArray, reach: int) -> BoolArray:
    """Return where everything within so many pixels, to the frame's border, is marked."""
    square = np.ones((2 * reach + 1,) * 2, np.uint8)
    return cv2.erode(equal.astype(np.uint8), square) > 0
