# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid metric: whether a picture has the regular pattern of an enlarging network layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images.types import BoolArray, FloatArray

PERIODS = (2, 4)
"""Pixels from line to line of the patterns to look for."""
BLOCK = 32
"""Pixels of the square blocks whose spectra are averaged; a multiple of each period."""
NEAR = (2, 3)
"""Steps of frequency from a pattern's to those that it is compared with."""
INSIDE = 0.95
"""Share of a block that must be in the mask."""
_FAINT = 1e-12


def grid(picture: FloatArray, mask: BoolArray | None = None) -> dict[int, float] | None:
    """Return how far the spectrum stands out at the period of a grid, across or down.

    Args:
        picture: (H, W, 3) float32, 0..1, display-referred.
        mask: (H, W) bool, the pixels to measure; None: all.

    Returns:
        Period in pixels → amplitude relative to that of the neighbouring frequencies, the larger of
        both axes; about 1 without a grid. None if no block lies in the mask.
    """
    grey = picture.mean(axis=2, dtype=np.float64)
    inside = np.ones(grey.shape, bool) if mask is None else mask
    rows, columns = (size // BLOCK for size in grey.shape)
    cut = np.s_[: rows * BLOCK, : columns * BLOCK]
    blocks, covered = (_blocks(values[cut], rows, columns) for values in (grey, inside))
    chosen = blocks[covered.mean(axis=(1, 2)) >= INSIDE]
    if not len(chosen):
        return None
    return {
        period: max(_excess(chosen, period), _excess(chosen.transpose(0, 2, 1), period))
        for period in PERIODS
    }


def _blocks(values: npt.NDArray[np.generic], rows: int, columns: int) -> npt.NDArray[np.float64]:
    split = values.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return np.asarray(split.reshape(-1, BLOCK, BLOCK), np.float64)


def _excess(blocks: npt.NDArray[np.float64], period: int) -> float:
    """Return the amplitude along the last axis at a period, over that of its neighbours.

    The Hann window spreads a frequency over one step to either side, so neighbours are farther.
    """
    smooth = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    spectrum = np.fft.rfft(smooth * np.hanning(BLOCK + 1)[:-1], axis=2)
    power = np.square(np.abs(spectrum)).mean(axis=(0, 1))
    at = BLOCK // period
    near = [at + way * step for step in NEAR for way in (-1, 1) if at + way * step < len(power)]
    around = float(np.exp(np.log(power[near] + _FAINT).mean()))
    return float(np.sqrt((power[at] + _FAINT) / (around + _FAINT)))
