# SPDX-License-Identifier: GPL-3.0-or-later
"""Chooses the frames that see most of what is not seen yet: greedy set cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..images.types import BoolArray, FloatArray

TOO_LITTLE = 0.005
"""Share of the shot below which a frame adds nothing worth a painting."""


class Chosen(NamedTuple):
    """A chosen frame, and the share of all that it adds to what is seen before, 0..1."""

    frame: int
    gain: float


def choose(
    seen: Mapping[int, BoolArray],
    weight: FloatArray,
    covered: BoolArray,
    most: int,
    first: Sequence[int] = (),
) -> list[Chosen]:
    """Return frames, each of which adds most to those before it.

    Args:
        seen: frame → (N,) bool, the cells that it sees.
        weight: (N,) float32, how much each cell counts.
        covered: (N,) bool, the cells that are seen already.
        most: how many frames to choose at most, besides ``first``.
        first: frames of ``seen`` that are chosen before all others, in this order.
    """
    whole = float(weight.sum(dtype=np.float64)) or 1.0
    covered = covered.copy()
    found: list[Chosen] = []
    for number in range(len(first) + most):
        left = np.where(covered, np.float32(0), weight)
        asked = first[number : number + 1] or seen
        gains = {frame: _sum(left, seen[frame]) / whole for frame in asked}
        best = max(gains, key=lambda frame: (gains[frame], -frame), default=None)
        if best is None or (number >= len(first) and gains[best] < TOO_LITTLE):
            break
        found.append(Chosen(best, gains[best]))
        covered |= seen[best]
    return found


def _sum(values: FloatArray, where: BoolArray) -> float:
    return float(np.dot(values, where))
