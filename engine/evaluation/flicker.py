# SPDX-License-Identifier: GPL-3.0-or-later
"""The flicker metric: the difference of two successive pictures along the motion."""

from __future__ import annotations

import numpy as np

from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray

STABLE = 0.12
"""Pixels count where no channel of the truth changes by this much (0..1) along the motion."""


def flicker(
    result: tuple[FloatArray, FloatArray],
    truth: tuple[FloatArray, FloatArray],
    counted: BoolArray,
    offsets: FloatArray,
    every: int = 1,
) -> tuple[float, float] | None:
    """Measure the mean |difference| of two frames along the motion, where the truth is stable.

    Args:
        result: the previous stylized frame, or a window of it, and this one, each (H, W, 3)
            float32, 0..1, display-referred.
        truth: the ground truth of both, or else the pictures that they were made from; same shapes.
        counted: (h, w) bool, the pixels of this frame to measure.
        offsets: (h, w, 2) float32, pixels from this frame to the same point in the previous one, x
            right, y down; NaN where unknown.
        every: stride of ``counted`` and ``offsets``: h = H // every, w = W // every, rounded up.

    Returns:
        Mean |difference| in 8-bit codes of the result and of the truth; None if no counted pixel
        is stable.
    """
    first, second = (np.ascontiguousarray(picture) for picture in result)
    truth_first, truth_second = (np.ascontiguousarray(picture) for picture in truth)
    offsets = np.ascontiguousarray(offsets)
    count, of_result, of_truth = _differences(
        first, second, truth_first, truth_second, counted, offsets, every
    )
    return (255 * of_result / count, 255 * of_truth / count) if count else None


@compiled
def _differences(
    result_before: FloatArray,
    result: FloatArray,
    truth_before: FloatArray,
    truth: FloatArray,
    counted: BoolArray,
    offsets: FloatArray,
    every: int,
) -> tuple[int, float, float]:
    """Return the number of stable pixels, and their summed mean |difference| in both."""
    height, width = counted.shape
    last_row, last_column = truth_before.shape[0] - 1, truth_before.shape[1] - 1
    channels = truth.shape[2]
    count, of_result, of_truth = 0, 0.0, 0.0
    for row in range(height):
        for column in range(width):
            x = column * every + offsets[row, column, 0]
            y = row * every + offsets[row, column, 1]
            inside = 0 <= x <= last_column and 0 <= y <= last_row
            if not (counted[row, column] and inside):
                continue
            change = largest = 0.0
            for channel in range(channels):
                moved = _bilinear(truth_before, x, y, channel)
                difference = abs(moved - truth[row * every, column * every, channel])
                change, largest = change + difference, max(largest, difference)
            if not largest < STABLE:
                continue
            count += 1
            of_truth += change / channels
            for channel in range(channels):
                moved = _bilinear(result_before, x, y, channel)
                difference = abs(moved - result[row * every, column * every, channel])
                of_result += difference / channels
    return count, of_result, of_truth


@inlined
def _bilinear(picture: FloatArray, x: float, y: float, channel: int) -> float:
    """Interpolate bilinearly at a position inside a picture (H, W, C)."""
    left, top = int(x), int(y)
    right, bottom = min(left + 1, picture.shape[1] - 1), min(top + 1, picture.shape[0] - 1)
    across, down = x - left, y - top
    above = picture[top, left, channel] * (1 - across) + picture[top, right, channel] * across
    below = picture[bottom, left, channel] * (1 - across) + picture[bottom, right, channel] * across
    return float(above * (1 - down) + below * down)
