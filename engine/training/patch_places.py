# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixels of a keyframe patches are centred on, and which blocks are held out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..images.types import BoolArray
from .example import Example

HELD_BLOCK = 8
"""Side of a held-out block, in pixels."""
HELD_SHARE = 0.04
"""Share of the whole blocks inside the mask that is held out."""
MAX_HELD = 24
"""Held-out blocks of a keyframe, at most."""
CENTRES = 1 << 24
"""Pixels of a keyframe among which the centres of patches are chosen, at most; of larger ones, only
every so many pixels in x and y count."""
EMPTY_SHARE = 0.25
"""Where alpha is learnt: patches centred on empty pixels, relative to those on other pixels."""


def find_filled(example: Example) -> BoolArray:
    """Return (H, W) bool, pixels with paint, or with an alpha offset that is not 0."""
    filled: BoolArray = example.weight[..., 0] > 0
    if example.weight.shape[2] > 1:
        filled = filled | ((example.weight[..., 1] > 0) & (example.paint[..., 3] != 0))
    return filled


def choose_centres(learnt: BoolArray, filled: BoolArray, seed: int) -> npt.NDArray[np.int32]:
    """Choose the centres of patches: all filled pixels, and some of the empty ones.

    Args:
        learnt: (H, W) bool, pixels with weight.
        filled: (H, W) bool, from ``find_filled``.
        seed: of the choice.

    Returns:
        (N,) flat indices, sorted.
    """
    every = math.ceil(math.sqrt(learnt.size / CENTRES))
    if every > 1:
        few = np.zeros_like(learnt)
        few[::every, ::every] = learnt[::every, ::every]
        learnt = few if few.any() else learnt
    first, rest = np.flatnonzero(learnt & filled), np.flatnonzero(learnt & ~filled)
    count = min(len(rest), int(len(first) * EMPTY_SHARE))
    chosen = np.random.default_rng(seed).choice(rest, count, replace=False)
    return np.sort(np.concatenate([first, chosen])).astype(np.int32)


def choose_held_blocks(learnt: BoolArray, seed: int) -> npt.NDArray[np.int64]:
    """Choose held-out blocks at random.

    Args:
        learnt: (H, W), the mask; blocks lie wholly inside.
        seed: of the choice.

    Returns:
        (N, 2) centres (row, column).
    """
    height, width = learnt.shape
    half = HELD_BLOCK // 2
    grid = learnt[: height // HELD_BLOCK * HELD_BLOCK, : width // HELD_BLOCK * HELD_BLOCK]
    blocks = grid.reshape(height // HELD_BLOCK, HELD_BLOCK, width // HELD_BLOCK, HELD_BLOCK)
    whole = np.argwhere(blocks.all(axis=(1, 3)))
    count = min(math.ceil(len(whole) * HELD_SHARE), len(whole) // 12, MAX_HELD)
    chosen = np.random.default_rng(seed).permutation(len(whole))[:count]
    return np.asarray(whole[np.sort(chosen)] * HELD_BLOCK + half, np.int64).reshape(-1, 2)


def cover_blocks(centres: npt.NDArray[np.int64], shape: tuple[int, ...]) -> BoolArray:
    """Return a mask (H, W) of held-out blocks, given their centres (N, 2)."""
    covered = np.zeros(shape, bool)
    half = HELD_BLOCK // 2
    for row, column in centres:
        covered[row - half : row + half, column - half : column + half] = True
    return covered
