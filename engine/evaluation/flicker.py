# SPDX-License-Identifier: GPL-3.0-or-later
"""How much two pictures differ along the motion, beside how much they should."""

from __future__ import annotations

import numpy as np

from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray

STABLE = 0.12
"""A picture is stable where no channel changes by more than this (0..1) along the motion."""


def flicker(
    result: tuple[FloatArray, FloatArray],
    truth: tuple[FloatArray, FloatArray],
    counted: BoolArray,
    offsets: FloatArray,
    every: int = 1,
) -> tuple[float, float] | None:
    """Measure how much two frames differ along the motion, where the truth is stable.

    Args:
        result: the previous frame, or a part of it, and this one, (H, W, 3).
        truth: the same two as they should be, or else the pictures that they were made from.
        counted: (H, W), the part of this frame to look at.
        offsets: (H, W, 2) of this frame, pixels to where the point was in the previous one, x
            right, y down; NaN where not known.
        every: ``counted`` and ``offsets`` are of every so many rows and columns.

    Returns:
        Mean |difference| in 8-bit codes of the result and of the truth; None where nothing that
        counts is stable.
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
    """Return how many pixels are stable, and the sums of their mean |difference| in both."""
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
            change = most = 0.0
            for channel in range(channels):
                moved = _between(truth_before, x, y, channel)
                apart = abs(moved - truth[row * every, column * every, channel])
                change, most = change + apart, max(most, apart)
            if not most < STABLE:
                continue
            count += 1
            of_truth += change / channels
            for channel in range(channels):
                moved = _between(result_before, x, y, channel)
                apart = abs(moved - result[row * every, column * every, channel])
                of_result += apart / channels
    return count, of_result, of_truth


@inlined
def _between(picture: FloatArray, x: float, y: float, channel: int) -> float:
    """Interpolate between the four pixels around a place inside a picture (H, W, C)."""
    left, top = int(x), int(y)
    right, bottom = min(left + 1, picture.shape[1] - 1), min(top + 1, picture.shape[0] - 1)
    across, down = x - left, y - top
    above = picture[top, left, channel] * (1 - across) + picture[top, right, channel] * across
    below = picture[bottom, left, channel] * (1 - across) + picture[bottom, right, channel] * across
    return float(above * (1 - down) + below * down)
