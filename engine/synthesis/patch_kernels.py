# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiled loops of the patch search: cost of a match, better matches, and the vote of patches.

Pictures are flat rows: (H, W · C). A target pixel q has a number, and the match of number q is the
pixel of the source whose patch looks like the patch around q. Each loop reads the matches of before
and writes new ones, so that its result depends neither on the number of threads nor on their order.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled, compiled_fast, inlined
from ..images.types import BoolArray, FloatArray

Ints = npt.NDArray[np.int32]
REACH = 2
"""Pixels of a patch to each side of its centre."""
PATCH = 2 * REACH + 1
SPARSE = np.float32(PATCH * PATCH / 5)
"""Guides are smooth, so only the centre and the corners of their patches are compared."""
_SPARSE_ROWS, _SPARSE_COLUMNS = (0, -2, -2, 2, 2), (0, -2, 2, -2, 2)
_DOWN, _ACROSS = (-1, 1, 0, 0), (0, 0, -1, 1)
"""Where the neighbours lie that are asked for a better match, in steps."""
_LOW_BITS = np.uint64(0xFFFFFF)


@inlined
def _cost(
    source: FloatArray,
    target: FloatArray,
    source_guide: FloatArray,
    target_guide: FloatArray,
    count: int,
    sy: int,
    sx: int,
    y: int,
    x: int,
    limit: np.float32,
) -> np.float32:
    """Return the squared difference of two patches, or a number above ``limit`` if that is less.

    Args:
        source, target: colours, 3 a pixel.
        source_guide, target_guide: guides, ``count`` a pixel.
        count: channels of the guides.
        sy, sx: centre of the patch in the source.
        y, x: centre of the patch in the target.
        limit: cost above which the exact value does not matter.
    """
    cost = np.float32(0)
    for corner in range(5):
        dy, dx = _SPARSE_ROWS[corner], _SPARSE_COLUMNS[corner]
        first, second = (sx + dx) * count, (x + dx) * count
        for channel in range(count):
            difference = (
                source_guide[sy + dy, first + channel] - target_guide[y + dy, second + channel]
            )
            cost += difference * difference
    cost *= SPARSE
    for dy in range(-REACH, REACH + 1):
        if cost > limit:
            return cost
        first, second = (sx - REACH) * 3, (x - REACH) * 3
        row = np.float32(0)
        for number in range(3 * PATCH):
            difference = source[sy + dy, first + number] - target[y + dy, second + number]
            row += difference * difference
        cost += row
    return cost


@inlined
def _is_allowed(allowed: BoolArray, row: int, column: int) -> bool:
    """Return whether a place is in the source and a whole patch is around it."""
    inside = 0 <= row < allowed.shape[0] and 0 <= column < allowed.shape[1]
    return inside and allowed[row, column]


@compiled_fast
def measure(
    source: FloatArray,
    target: FloatArray,
    source_guide: FloatArray,
    target_guide: FloatArray,
    crowding: FloatArray,
    pixels: Ints,
    matches: Ints,
    costs: FloatArray,
    start: int,
    stop: int,
) -> None:
    """Write the costs of the matches of numbers ``start`` to ``stop``."""
    count = source_guide.shape[1] // (source.shape[1] // 3)
    for number in range(start, stop):
        y, x = pixels[number, 0], pixels[number, 1]
        sy, sx = matches[number, 0], matches[number, 1]
        cost = _cost(
            source, target, source_guide, target_guide, count, sy, sx, y, x, np.float32(np.inf)
        )
        costs[number] = cost + crowding[sy, sx]


@compiled_fast
def improve(
    source: FloatArray,
    target: FloatArray,
    source_guide: FloatArray,
    target_guide: FloatArray,
    crowding: FloatArray,
    allowed: BoolArray,
    numbers: Ints,
    pixels: Ints,
    matches: Ints,
    costs: FloatArray,
    better: Ints,
    better_costs: FloatArray,
    step: int,
    radius: int,
    seed: int,
    start: int,
    stop: int,
) -> None:
    """Try for each pixel what its neighbours suggest, and random places around the best.

    Args:
        source, target, source_guide, target_guide: as of ``_cost``; the target is padded.
        crowding: (h, w), added to the cost of a source pixel.
        allowed: (h, w), centres of patches that lie wholly in the source.
        numbers: (H, W), the number of each target pixel; −1: it is not searched.
        pixels: (N, 2), rows and columns of the numbers.
        matches, costs: (N, 2) and (N,), the best so far.
        better, better_costs: likewise; written.
        step: distance of the neighbours in pixels.
        radius: largest distance of the random places; it is halved each time.
        seed: of the random places.
        start, stop: the numbers to treat.
    """
    height, width = numbers.shape
    count = source_guide.shape[1] // allowed.shape[1]
    for number in range(start, stop):
        y, x = pixels[number, 0], pixels[number, 1]
        best_y, best_x, best = matches[number, 0], matches[number, 1], costs[number]
        state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        state ^= np.uint64(number + 1) * np.uint64(0xBF58476D1CE4E5B9)
        asked, reach = 0, radius
        while asked < 4 or reach >= 1:
            if asked < 4:
                dy, dx = step * _DOWN[asked], step * _ACROSS[asked]
                asked += 1
                ny, nx = y + dy, x + dx
                if ny < 0 or nx < 0 or ny >= height or nx >= width or numbers[ny, nx] < 0:
                    continue
                other = numbers[ny, nx]
                sy, sx = matches[other, 0] - dy, matches[other, 1] - dx
            else:
                state ^= state >> np.uint64(12)
                state ^= state << np.uint64(25)
                state ^= state >> np.uint64(27)
                drawn = state * np.uint64(2685821657736338717)
                side = np.uint64(2 * reach + 1)
                sy = best_y - reach + np.int64((drawn >> np.uint64(40)) % side)
                sx = best_x - reach + np.int64(((drawn >> np.uint64(8)) & _LOW_BITS) % side)
                reach //= 2
            if not _is_allowed(allowed, sy, sx) or crowding[sy, sx] >= best:
                continue
            extra = crowding[sy, sx]
            cost = _cost(
                source, target, source_guide, target_guide, count, sy, sx, y, x, best - extra
            )
            cost += extra
            if cost < best:
                best_y, best_x, best = sy, sx, cost
        better[number, 0], better[number, 1], better_costs[number] = best_y, best_x, best


@compiled
def count_uses(matches: Ints, uses: FloatArray) -> None:
    """Add to ``uses`` (h, w) how many patches show each source pixel."""
    for number in range(len(matches)):
        for dy in range(-REACH, REACH + 1):
            for dx in range(-REACH, REACH + 1):
                uses[matches[number, 0] + dy, matches[number, 1] + dx] += np.float32(1)


@compiled
def vote(
    source: FloatArray,
    numbers: Ints,
    pixels: Ints,
    matches: Ints,
    costs: FloatArray,
    decided: float,
    result: FloatArray,
    start: int,
    stop: int,
) -> None:
    """Write to ``result`` (N, 3) the mean of what the patches over a pixel show of the source.

    A patch weighs less by e if its cost is higher by 1 / ``decided`` than the best, so that the
    mean of different patches does not blur.
    """
    height, width = numbers.shape
    for number in range(start, stop):
        y, x = pixels[number, 0], pixels[number, 1]
        top, bottom = max(y - REACH, 0), min(y + REACH + 1, height)
        left, right = max(x - REACH, 0), min(x + REACH + 1, width)
        best = np.float32(np.inf)
        for ny in range(top, bottom):
            for nx in range(left, right):
                if numbers[ny, nx] >= 0:
                    best = min(best, costs[numbers[ny, nx]])
        total = np.float32(0)
        red, green, blue = np.float32(0), np.float32(0), np.float32(0)
        for ny in range(top, bottom):
            for nx in range(left, right):
                other = numbers[ny, nx]
                if other < 0:
                    continue
                weight = np.float32(math.exp(-decided * (costs[other] - best)))
                row, column = matches[other, 0] - ny + y, 3 * (matches[other, 1] - nx + x)
                total += weight
                red += weight * source[row, column]
                green += weight * source[row, column + 1]
                blue += weight * source[row, column + 2]
        result[number, 0] = red / total
        result[number, 1] = green / total
        result[number, 2] = blue / total
