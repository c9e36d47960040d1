# SPDX-License-Identifier: GPL-3.0-or-later
"""Static pixels are painted once: where inputs equal those of the frame before, so is paint."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ..images.types import BoolArray, FloatArray
from .tiled_inference import TiledInference
from .tiling import NO_MARGINS, Margins

MAX_BYTES = 1 << 28
"""Larger inputs are not kept for the next frame, to bound memory."""
SAMPLED_ROWS = 32
"""Rows from one compared row to the next, in a first look."""
MIN_STATIC_SHARE = 0.1
"""All rows are compared only if more of the wanted pixels of that first look are static."""


class _Previous(NamedTuple):
    guides: FloatArray
    strokes: FloatArray | None
    wanted: BoolArray
    margins: Margins
    painted: FloatArray


class StaticReuse:
    """Paints frames, reusing pixels of the frame before that cannot have changed.

    A pixel is reused where all inputs within the network's reach are equal, so a frame's result is
    the same as without reuse.

    Args:
        inference: paints the rest; its network and settings must not change between frames.
    """

    def __init__(self, inference: TiledInference) -> None:
        self._inference = inference
        self._before: _Previous | None = None

    def paint(
        self,
        guides: FloatArray,
        wanted: BoolArray | None,
        strokes: FloatArray | None,
        margins: Margins = NO_MARGINS,
    ) -> FloatArray:
        """Paint a frame; arguments and result as of ``TiledInference.paint``."""
        wanted = np.ones(guides.shape[1:], bool) if wanted is None else wanted
        before, self._before = self._before, None
        static = None
        if before and (before.guides.shape, before.margins) == (guides.shape, margins):
            static = self._static(before, guides, strokes, wanted)
        if before is None or static is None:
            painted = self._inference.paint(guides, wanted, strokes, margins)
        else:
            painted = self._inference.paint(guides, wanted & ~static, strokes, margins)
            np.copyto(painted, before.painted, where=static)
        if guides.nbytes <= MAX_BYTES:
            self._before = _Previous(guides, strokes, wanted, margins, painted)
        return painted

    def _static(
        self,
        before: _Previous,
        guides: FloatArray,
        strokes: FloatArray | None,
        wanted: BoolArray,
    ) -> BoolArray | None:
        """Return (H, W) the pixels that the frame before has already; None: too few to compare."""
        rows = slice(min(SAMPLED_ROWS // 2, len(wanted) - 1), None, SAMPLED_ROWS)
        counted = wanted[rows]
        if (_equal(before.guides[:, rows], guides[:, rows]) & counted).sum() <= (
            MIN_STATIC_SHARE * counted.sum()
        ):
            return None
        static = _all_within(_equal(before.guides, guides), self._inference.reach)
        static &= wanted & before.wanted
        if strokes is not None and before.strokes is not None:
            static &= (before.strokes == strokes).all(-1)
        elif (strokes is None) != (before.strokes is None):
            static[:] = False
        return static


def _equal(first: FloatArray, second: FloatArray) -> BoolArray:
    """Return (H, W) where two inputs (C, H, W) are equal in all channels."""
    equal = np.ones(first.shape[1:], bool)
    for one, other in zip(first, second, strict=True):
        equal &= one == other
    return equal


def _all_within(equal: BoolArray, reach: int) -> BoolArray:
    """Return (H, W) where all pixels within ``reach`` are set; outside the frame counts as set."""
    square = np.ones((2 * reach + 1,) * 2, np.uint8)
    return cv2.erode(equal.astype(np.uint8), square) > 0
