# SPDX-License-Identifier: GPL-3.0-or-later
"""Object ids from the passes that renderers write.

Blender's Object Index holds the id itself. The object AOV holds a random number for each object,
multiplied by the coverage of the pixel and averaged over its samples. Divided by the coverage, it
is the object's number again, except where several objects share the pixel. Which numbers belong to
objects and which are mixtures follows from the frame itself: an object's number is the same over
neighbouring pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..shared.passes import OBJECT_STEP
from .pass_cleaning import finite

OBJECT_TOLERANCE = 2e-5
"""Below OBJECT_STEP; above the rounding error of id·coverage/coverage in 24-bit floats."""
HALF_TOLERANCE = 2e-3
"""The same for half floats, relative to the number."""
SAMPLED = 16
"""Spacing of the pixels that are checked for half precision before all of them are."""


def objects_from_index(values: FloatArray) -> npt.NDArray[np.int32]:
    """Convert an Object Index pass (H, W) to int32 ids.

    Fractions, which are mixed pixels, become −1; NaN and infinity become 0.
    """
    clean = finite(values)
    whole = np.rint(clean)
    return np.where(np.abs(clean - whole) < 1e-3, whole, -1).astype(np.int32)


def objects_from_random(
    values: FloatArray, share: FloatArray, depth: FloatArray | None
) -> npt.NDArray[np.int32]:
    """Convert a pass of per-object random numbers to ids.

    A number belongs to an object if neighbouring pixels agree on it (see ``pure_numbers``). Pixels
    with any other number are mixed. The id is the number in units of ``OBJECT_STEP``, plus 1, so
    that rounding errors do not change it.

    Args:
        values: (H, W) float32, the random number times the coverage.
        share: (H, W) float32, the coverage, 0..1.
        depth: (H, W) float32, infinity on the background; or None.

    Returns:
        (H, W) int32: ids from 1, 0 on the background, −1 where mixed or unknown.
    """
    number = np.empty(values.shape, np.float32)
    _divide(values, share, number)
    is_half = _is_half(values[::SAMPLED, ::SAMPLED]) and _is_half(finite(values))
    known = pure_numbers(number, share > 0.999, only_exact=is_half)
    result = np.where(number >= 0, -1, 0).astype(np.int32)
    if depth is not None:
        result = np.where(np.isinf(depth), 0, -1).astype(np.int32)
    if not known.size:
        return result
    own = np.full(number.shape, -1, np.float32)
    _assign(number, share, known, own, result)
    if is_half:
        _own_by_neighbours(result, number, own, share > 0.5)
    return result


@compiled
def _divide(values: FloatArray, share: FloatArray, number: FloatArray) -> None:
    """Divide values by the coverage, (H, W); −1 where there is no object."""
    height, width = share.shape
    for row in range(height):
        for column in range(width):
            value, part = values[row, column], share[row, column]
            if not np.isfinite(value):
                value = np.float32(0)
            number[row, column] = value / part if part > np.float32(1e-3) else np.float32(-1)


@compiled
def _assign(
    number: FloatArray,
    share: FloatArray,
    known: FloatArray,
    own: FloatArray,
    result: npt.NDArray[np.int32],
) -> None:
    """Assign the nearest known number and its id to pixels of more than half coverage, (H, W)."""
    height, width = number.shape
    last = known[0]
    for row in range(height):
        for column in range(width):
            if share[row, column] <= np.float32(0.5):
                continue
            mine = number[row, column]
            if abs(last - mine) > OBJECT_TOLERANCE / 2:  # otherwise no other is nearer
                right = min(np.searchsorted(known, mine), known.size - 1)
                left = max(right - 1, 0)
                nearer_left = abs(known[left] - mine) <= abs(known[right] - mine)
                last = known[left] if nearer_left else known[right]
            if abs(last - mine) <= OBJECT_TOLERANCE:
                own[row, column] = last
                result[row, column] = int(np.rint(last / np.float32(OBJECT_STEP))) + 1


def _is_half(values: FloatArray) -> bool:
    return np.array_equal(values, values.astype(np.float16))


def _own_by_neighbours(
    result: npt.NDArray[np.int32], number: FloatArray, own: FloatArray, covered: BoolArray
) -> None:
    """Give pixels of half-float passes (EEVEE) the id of a neighbour with nearly the same number.

    Half floats round so coarsely that such a number would match several objects of the frame.
    """
    height, width = number.shape
    rows, columns = np.nonzero((result == -1) & covered)
    wanted = number[rows, columns]
    for y in (-1, 0, 1, -2, 2):
        for x in (-1, 0, 1, -2, 2):
            near = (np.clip(rows + y, 0, height - 1), np.clip(columns + x, 0, width - 1))
            fits = (own[near] >= 0) & (np.abs(own[near] - wanted) <= HALF_TOLERANCE * own[near])
            result[rows[fits], columns[fits]] = result[near][fits]


def pure_numbers(number: FloatArray, exact: BoolArray, *, only_exact: bool) -> FloatArray:
    """Return the numbers that belong to one object each and are not mixtures.

    A number counts where a pixel and at least two of its eight neighbours have it and no neighbour
    has another one. Of each group of numbers within ``OBJECT_TOLERANCE`` the most frequent one is
    kept, an exact one if there is any.

    Args:
        number: (H, W) float32, −1 where there is no object.
        exact: (H, W) bool, where the number is not rounded.
        only_exact: ignore numbers that are not exact.

    Returns:
        (N) float32, sorted.
    """
    agrees = np.zeros(number.shape, bool)
    _find_agreement(number, agrees)
    known = _most_frequent(number[agrees & exact])
    if only_exact:
        return known
    rounded = number[agrees & ~exact]
    if known.size:
        rounded = rounded[np.abs(_nearest(known, rounded) - rounded) > OBJECT_TOLERANCE]
    return np.sort(np.concatenate([known, _most_frequent(rounded)]))


@compiled
def _find_agreement(number: FloatArray, agrees: BoolArray) -> None:
    """Mark pixels (H, W) that agree with at least two neighbours and disagree with none."""
    height, width = number.shape
    for row in range(height):
        for column in range(width):
            mine = number[row, column]
            if mine < 0:
                continue
            alike, other = 0, False
            for r in range(max(row - 1, 0), min(row + 2, height)):
                for c in range(max(column - 1, 0), min(column + 2, width)):
                    theirs = number[r, c]
                    if theirs >= 0:
                        alike += 1
                        other = other or abs(theirs - mine) > OBJECT_TOLERANCE
            agrees[row, column] = alike >= 3 and not other


def _most_frequent(numbers: FloatArray) -> FloatArray:
    """Return the most frequent of each group of numbers within ``OBJECT_TOLERANCE``, sorted."""
    if not numbers.size:
        return np.zeros(0, np.float32)
    # Most neighbours are equal, and sorting a few runs is faster than sorting all pixels.
    starts = np.flatnonzero(np.diff(numbers, prepend=np.float32(np.nan)) != 0)
    lengths = np.diff(starts, append=numbers.size)
    values, run = np.unique(numbers[starts], return_inverse=True)
    counts = np.bincount(run, lengths)
    group = np.cumsum(np.diff(values, prepend=values[0]) > OBJECT_TOLERANCE)
    order = np.lexsort((counts, group))
    last_of_group = np.append(np.diff(group[order]) > 0, True)
    return np.asarray(values[order][last_of_group], np.float32)


def _nearest(known: FloatArray, numbers: FloatArray) -> FloatArray:
    """Return for each number the nearest one of the known numbers, which are sorted."""
    right = np.clip(np.searchsorted(known, numbers), 0, known.size - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = np.abs(known[left] - numbers) <= np.abs(known[right] - numbers)
    return np.where(nearer_left, known[left], known[right])
