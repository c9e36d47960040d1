# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the paintings a sweep leaves out of training, to judge settings by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from ..frames.keyframe import Keyframe
from ..images.types import BoolArray
from ..shared.errors import PaintoverError

KEYS_FOR_ONE = 4
"""Of so many keyframes one is left out, of twice as many two, and at least one."""
SIDES = (128, 96, 64, 48, 32, 24, 16, 8)
"""Sides of held-out blocks to choose from, in pixels; the largest that fit are taken."""
FIT = 5
"""A block fits if the painted part is this many times as wide and high."""
LATTICE = 5
"""One in so many blocks is held out, a knight's move from the next."""
SHARES = (0.1, 0.4)
"""Least and largest share of the painted part that may be held out."""


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """What is left out of training.

    Attributes:
        learnt: the keyframes that are learnt.
        keys: the keyframes that are left out; empty: blocks of the only one are.
        blocks: keyframe → (H, W) bool, the blocks that are left out.
    """

    learnt: list[int]
    keys: list[int]
    blocks: Mapping[int, BoolArray] = dataclasses.field(default_factory=dict)

    def hide(self, keyframe: Keyframe) -> Keyframe:
        """Return a keyframe whose mask lacks its held-out blocks."""
        blocks = self.blocks.get(keyframe.frame)
        if blocks is None:
            return keyframe
        # A mask of its own, or where alpha is learnt all of the frame would be carried.
        return dataclasses.replace(keyframe, mask=keyframe.mask & ~blocks, masked=True)


def split_keys(keys: Sequence[int]) -> tuple[list[int], list[int]]:
    """Split keyframes into those to learn and those to leave out, spread evenly.

    Of two the later one is left out, of more never the first or the last.

    Args:
        keys: sorted; a single one is learnt, and none is left out.
    """
    if len(keys) < 2:
        return list(keys), []
    count = max(1, len(keys) // KEYS_FOR_ONE)
    places = np.linspace(0, len(keys) - 1, count + 2)[1:-1]
    held = {keys[-1]} if len(keys) == 2 else {keys[round(float(place))] for place in places}
    return [key for key in keys if key not in held], sorted(held)


def held_blocks(mask: BoolArray) -> BoolArray:
    """Return (H, W) bool, blocks to hold out of the painted part of a keyframe.

    Args:
        mask: (H, W) bool, the part to learn.

    Raises:
        PaintoverError: the painted part is too small to hold any of it out.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    extent = min(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    total = int(mask.sum())
    down, across = np.indices(mask.shape, sparse=True)
    for side in SIDES:
        if side * FIT > extent:
            continue
        blocks = ((down - rows[0]) // side * 2 + (columns[0] - across) // side) % LATTICE == 0
        share = int((blocks & mask).sum()) / total
        if SHARES[0] <= share <= SHARES[1]:
            return np.asarray(blocks)
    raise PaintoverError(
        "The painted part of the only keyframe is too small to judge settings by a part of it; "
        "paint more, or add a second keyframe."
    )
