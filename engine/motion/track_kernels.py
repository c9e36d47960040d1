# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiled loops of ``tracking``, over all pixels of a frame.

Positions and offsets are in pixels, x right, y down. Unknown positions are NaN in both.
"""

from __future__ import annotations

import numpy as np

from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray

AGREE = 1.5
"""Tracked positions that differ this many pixels from a linear map are not interpolated."""
EVEN = 0.5
"""Where the motion of neighbours differs by more pixels than this, each one is checked alone."""
TORN, COLLAPSED = 3.0, 0.15
"""Neighbouring pixels whose positions lie farther apart, or closer, than this are not connected."""
RENDERED_SLIP = (0.02, 0.0004)
"""Tolerance of the check for rendered motion, in squared pixels: constant, and relative."""
ESTIMATED_SLIP = (0.5, 0.01)
"""The same for estimated motion (Sundaram, Brox, Keutzer 2010)."""
OUTSIDE = 0.25
"""Pixels beyond the centres of the outermost pixels that still count as inside the picture."""


@compiled
def follow_smooth(
    at: FloatArray,
    presence: FloatArray,
    exact: BoolArray,
    forward: FloatArray,
    backward: FloatArray,
    rendered: BoolArray,
    new_at: FloatArray,
    new_presence: FloatArray,
    new_exact: BoolArray,
    rest: BoolArray,
) -> None:
    """Follow offsets into the neighbour and interpolate its track where that varies smoothly.

    Args:
        at: (H, W, 2), positions of the neighbour's track.
        presence: (H, W), 0..1.
        exact: (H, W), where the neighbour's track is the renderer's.
        forward, backward: (H, W, 2), from the frame to the neighbour, and back; never NaN.
        rendered: (H, W), where ``forward`` is the renderer's.
        new_at, new_presence, new_exact: written; the frame's track, unknown where not smooth.
        rest: (H, W), written; pixels that are not smooth, but end near a known position.
    """
    height, width = presence.shape
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    for row in range(height):
        for column in range(width):
            new_at[row, column] = np.nan
            new_presence[row, column] = 0
            new_exact[row, column] = rest[row, column] = False
            step_x, step_y = forward[row, column, 0], forward[row, column, 1]
            x, y = column + step_x, row + step_y
            beyond = max(abs(x - middle_x) - middle_x, abs(y - middle_y) - middle_y)
            if beyond > OUTSIDE:
                continue
            left = min(max(int(np.floor(x)), 0), max(width - 2, 0))
            top = min(max(int(np.floor(y)), 0), max(height - 2, 0))
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            known = 4 - np.isnan(at[top, left, 0]) - np.isnan(at[top, right, 0])
            known -= np.isnan(at[bottom, left, 0]) + np.isnan(at[bottom, right, 0])
            if not known:
                continue
            rest[row, column] = True
            if beyond > 0 or known < 4 or left == right or top == bottom:
                continue
            if not _is_smooth(at, backward, top, left):
                continue
            part_x, part_y = x - left, y - top
            back_x = _between(backward, top, left, part_x, part_y, 0)
            back_y = _between(backward, top, left, part_x, part_y, 1)
            miss = (step_x + back_x) ** 2 + (step_y + back_y) ** 2
            still, relative = RENDERED_SLIP if rendered[row, column] else ESTIMATED_SLIP
            if miss > still + 2 * relative * (step_x * step_x + step_y * step_y):
                continue
            rest[row, column] = False
            for axis in range(2):
                new_at[row, column, axis] = _between(at, top, left, part_x, part_y, axis)
            upper = (1 - part_x) * presence[top, left] + part_x * presence[top, right]
            lower = (1 - part_x) * presence[bottom, left] + part_x * presence[bottom, right]
            new_presence[row, column] = (1 - part_y) * upper + part_y * lower
            new_exact[row, column] = rendered[row, column] and exact[top, left]


@inlined
def _is_smooth(at: FloatArray, backward: FloatArray, top: int, left: int) -> bool:
    """Return whether position and motion vary smoothly in the 2×2 pixels from this one on."""
    smooth = True
    for axis in range(2):
        right, down = 1 - axis, axis
        a, b = at[top, left, axis], at[top, left + 1, axis] - right
        c, d = at[top + 1, left, axis] - down, at[top + 1, left + 1, axis] - 1
        smooth &= max(a, b, c, d) - min(a, b, c, d) <= AGREE
        a, b = backward[top, left, axis], backward[top, left + 1, axis]
        c, d = backward[top + 1, left, axis], backward[top + 1, left + 1, axis]
        smooth &= max(a, b, c, d) - min(a, b, c, d) <= EVEN
    return smooth


@inlined
def _between(
    field: FloatArray, top: int, left: int, part_x: float, part_y: float, axis: int
) -> float:
    """Interpolate one axis of a field (H, W, 2) between four pixels."""
    upper = field[top, left, axis]
    upper += part_x * (field[top, left + 1, axis] - upper)
    lower = field[top + 1, left, axis]
    lower += part_x * (field[top + 1, left + 1, axis] - lower)
    return float(upper + part_y * (lower - upper))


@compiled
def find_lost(at: FloatArray, presence: FloatArray, lost: BoolArray) -> None:
    """Find pixels without presence, or whose position connects to none of the four neighbours.

    Args:
        at: (H, W, 2), positions.
        presence: (H, W), 0..1.
        lost: (H, W), written.
    """
    height, width = presence.shape
    for row in range(height):
        for column in range(width):
            connected = False
            if presence[row, column] > 0:
                for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                    near, beside = row + down, column + right
                    if 0 <= near < height and 0 <= beside < width:
                        across = at[near, beside, 0] - at[row, column, 0]
                        along = at[near, beside, 1] - at[row, column, 1]
                        apart = across * across + along * along
                        connected |= COLLAPSED**2 <= apart <= TORN**2
            lost[row, column] = not connected
