# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object a pixel shows, told from what renderers write for each object."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..shared.passes import OBJECT_STEP
from .pass_cleaning import finite

OBJECT_TOLERANCE = 2e-5
"""Less than a step, more than 24-bit floats round a number times a share, divided by the share."""
HALF_TOLERANCE = 2e-3
SAMPLED = 16
"""Every such row and column tells as a rule whether a pass was written in half precision."""


def objects_from_index(values: FloatArray) -> npt.NDArray[np.int32]:
    """Turn an Object Index pass into ids; fractions, which are mixed pixels, become −1."""
    clean = finite(values)
    whole = np.rint(clean)
    return np.where(np.abs(clean - whole) < 1e-3, whole, -1).astype(np.int32)


def objects_from_random(
    values: FloatArray, share: FloatArray, depth: FloatArray | None
) -> npt.NDArray[np.int32]:
    """Turn the pass of per-object random numbers into ids.

    A number is an object's own where 3×3 pixels agree on it (see ``own_numbers``). A pixel that
    has no object's own number is mixed. Ids are the number in steps, so that rounding does not
    change them.

    Args:
        values: (H, W), the random number times the share of the pixel that has it.
        share: (H, W), that share, 0..1.
        depth: (H, W), infinity on the background, or None.

    Returns:
        (H, W) int32: ids from 1 on, 0 on the background, −1 where mixed or not known.
    """
    number = np.empty(values.shape, np.float32)
    _divide(values, share, number)
    is_half = _is_half(values[::SAMPLED, ::SAMPLED]) and _is_half(finite(values))
    known = own_numbers(number, share > 0.999, only_exact=is_half)
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
    """Undo that numbers were multiplied by shares, (H, W); −1 where there is no object."""
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
    """Note the object and its number where a pixel, (H, W), mostly shows one that is known."""
    height, width = number.shape
    last = known[0]
    for row in range(height):
        for column in range(width):
            if share[row, column] <= np.float32(0.5):
                continue
            mine = number[row, column]
            if abs(last - mine) > OBJECT_TOLERANCE / 2:  # else none is nearer
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
    """Give pixels of half-float passes (EEVEE) the id of a neighbour whose number they nearly have.

    There the number divided by the share is off by up to two thousandths, too much to compare it
    with every object of the frame.
    """
    height, width = number.shape
    rows, columns = np.nonzero((result == -1) & covered)
    wanted = number[rows, columns]
    for y in (-1, 0, 1, -2, 2):
        for x in (-1, 0, 1, -2, 2):
            near = (np.clip(rows + y, 0, height - 1), np.clip(columns + x, 0, width - 1))
            fits = (own[near] >= 0) & (np.abs(own[near] - wanted) <= HALF_TOLERANCE * own[near])
            result[rows[fits], columns[fits]] = result[near][fits]


def own_numbers(number: FloatArray, exact: BoolArray, *, only_exact: bool) -> FloatArray:
    """Return the numbers, sorted, that belong to one object each and are not a mixture.

    Args:
        number: (H, W), −1 where there is no object.
        exact: (H, W), where the number is not rounded.
        only_exact: whether numbers elsewhere are too far off to be learnt from.

    Returns:
        For each set of numbers closer than the tolerance the most frequent one, an exact one if
        there is any, counted where a pixel and at least two of its eight neighbours have it and no
        neighbour another.
    """
    agrees = np.zeros(number.shape, bool)
    _find_agreement(number, agrees)
    known = _most_frequent(number[agrees & exact])
    if only_exact:
        return known
    others = number[agrees & ~exact]
    if known.size:
        others = others[np.abs(_nearest(known, others) - others) > OBJECT_TOLERANCE]
    return np.sort(np.concatenate([known, _most_frequent(others)]))


@compiled
def _find_agreement(number: FloatArray, agrees: BoolArray) -> None:
    """Mark pixels (H, W) that have the number of two neighbours at least and of all with any."""
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
    """Return of each set of numbers closer than the tolerance the most frequent one, sorted."""
    if not numbers.size:
        return np.zeros(0, np.float32)
    # Neighbours are alike for the most part, and a few runs are sorted faster than all pixels.
    starts = np.flatnonzero(np.diff(numbers, prepend=np.float32(np.nan)) != 0)
    lengths = np.diff(starts, append=numbers.size)
    values, run = np.unique(numbers[starts], return_inverse=True)
    counts = np.bincount(run, lengths)
    group = np.cumsum(np.diff(values, prepend=values[0]) > OBJECT_TOLERANCE)
    order = np.lexsort((counts, group))
    last_of_group = np.append(np.diff(group[order]) > 0, True)
    return np.asarray(values[order][last_of_group], np.float32)


def _nearest(known: FloatArray, numbers: FloatArray) -> FloatArray:
    """Return the nearest of some known numbers, sorted, to each number."""
    right = np.clip(np.searchsorted(known, numbers), 0, known.size - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = np.abs(known[left] - numbers) <= np.abs(known[right] - numbers)
    return np.where(nearer_left, known[left], known[right])
