# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes carried to a frame, and one picture made of several of them without seams or pops."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from .channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID

AGREEMENT_RADIUS = 4.0
"""Gaussian radius, in pixels, over which a keyframe's picture must agree to be chosen."""
GRAZING = 0.02
"""Disagreement (0..1 a channel) that seeing a surface half as large counts for."""
APART = 0.06
"""Disagreement (0..1 a channel) that being a whole keyframe farther away in time counts for."""
SHARPNESS = 0.006
"""Difference of disagreement at which one keyframe counts e times as much as another."""
FADE = 4
"""Frames over which a keyframe takes over before its own frame, and gives way after it."""
FEATHER = 3.0
"""Pixels over which a keyframe gives way at the border of what it sees."""


@dataclasses.dataclass(frozen=True)
class Projected:
    """A keyframe carried to a frame: (H, W, 3) paint and picture, 0..1, and as in ``Located``.

    Attributes:
        outline: (H, W), where an outline of the keyframe, or of the frame, may be painted.
        moved: (H, W), where the keyframe saw the surface, but an outline has moved over it.
        strokes: (H, W, 3), the keyframe's strokes (``stroke_residuals``), where they are carried.
    """

    paint: FloatArray
    image: FloatArray
    valid: BoolArray
    stretch: FloatArray
    outline: BoolArray
    moved: BoolArray
    strokes: FloatArray | None = None

    def without_outlines(self) -> Projected:
        """Return the same but not valid where outlines may be painted."""
        return dataclasses.replace(self, valid=self.valid & ~self.outline)

    def channels(self) -> FloatArray:
        """Return (7, H, W): paint −1..1, picture −1..1, both 0 where not valid, validity 0 or 1."""
        result = np.zeros((PROJECTION_CHANNELS, *self.valid.shape), np.float32)
        result[VALID] = self.valid
        _lay_out(self.paint, self.valid, result[PAINT])
        _lay_out(self.image, self.valid, result[LIGHT])
        return result


@compiled
def _lay_out(picture: FloatArray, valid: BoolArray, result: FloatArray) -> None:
    """Write (H, W, 3), 0..1, to (3, H, W), −1..1, where valid."""
    height, width = valid.shape
    for row in range(height):
        for column in range(width):
            if valid[row, column]:
                for channel in range(3):
                    result[channel, row, column] = 2 * picture[row, column, channel] - 1


@dataclasses.dataclass(frozen=True)
class Turn:
    """How much a keyframe counts on one frame, whatever it shows.

    Attributes:
        weight: factor, 0 and more; 0 leaves the keyframe out.
        cost: disagreement (0..1 a channel) that its distance in time counts for.
        hold: share that it takes before all else, 0..1; those of all keyframes sum to 1 at most.
    """

    weight: float
    cost: float
    hold: float


def turns(keys: Sequence[int], weights: Sequence[float], frame: int) -> list[Turn]:
    """Tell how much each keyframe counts on a frame by time alone.

    Between two keyframes the cost of one rises linearly as that of the other falls. On its own
    frame a keyframe of weight 1 takes all; before and after it others come in over ``FADE`` frames.

    Args:
        keys: frames of the keyframes, all different.
        weights: of each, 0 or more, usually 1.
        frame: any number.
    """
    order = sorted(keys)
    now = float(np.interp(frame, order, range(len(order))))
    found = []
    for key, weight in zip(keys, weights, strict=True):
        fade = min([FADE, *(abs(other - key) for other in keys if other != key)])
        hold = max(0.0, 1 - abs(frame - key) / fade) * min(1.0, weight)
        found.append(Turn(weight, APART * abs(now - order.index(key)), hold))
    return found


def blend(candidates: Sequence[Projected], turns: Sequence[Turn], image: FloatArray) -> Projected:
    """Make one projection of several keyframes: mostly of the one that suits each pixel best.

    A keyframe suits where its own picture agrees with the frame's, averaged over a few pixels, so
    that neighbours choose alike, where it saw the surface large, and where it is near in time. The
    keyframes' shares are a soft minimum of that cost: keyframes that suit alike are mixed, which
    in a still picture happens in narrow bands, and over time dissolves one into the other.
    Before that, each takes its ``hold`` wherever it sees anything.

    Args:
        candidates: at least one keyframe, carried to the frame.
        turns: of the same keyframes, on this frame.
        image: (H, W, 3) the frame's picture, 0..1.

    Returns:
        The mixture, valid where any keyframe that counts is.
    """
    used = [pair for pair in zip(candidates, turns, strict=True) if pair[1].weight > 0]
    if not used:
        nothing = np.zeros_like(candidates[0].valid)
        return dataclasses.replace(candidates[0], valid=nothing)
    if len(used) == 1:
        return used[0][0]
    shares = _shares([one for one, _ in used], [turn for _, turn in used], image)
    paint, picture = np.zeros_like(image), np.zeros_like(image)
    strokes = np.zeros_like(image) if used[0][0].strokes is not None else None
    stretch = np.zeros(image.shape[:2], np.float32)
    outline, moved, valid = (np.zeros(image.shape[:2], bool) for _ in range(3))
    for (one, _), share in zip(used, shares, strict=True):
        paint += share[..., None] * one.paint
        picture += share[..., None] * one.image
        if strokes is not None:
            strokes += share[..., None] * one.strokes
        stretch += share * one.stretch
        outline |= one.outline & (share > 0.5)
        moved |= one.moved
        valid |= one.valid
    return Projected(paint, picture, valid, stretch, outline, moved, strokes)


def _shares(candidates: list[Projected], turns: list[Turn], image: FloatArray) -> FloatArray:
    """Return (N, H, W) shares that sum to 1 wherever any candidate is valid, else are 0."""
    seen = np.stack([np.where(one.valid, one.stretch, np.inf) for one in candidates])
    finest = np.maximum(seen.min(axis=0), 1e-20)
    costs, holds = [], []
    for one, turn in zip(candidates, turns, strict=True):
        wrong = np.abs(one.image - image).mean(-1) * one.valid
        weight = _smooth(one.valid.astype(np.float32))
        cost = _smooth(wrong) / np.maximum(weight, 1e-6)
        coarse = np.where(one.valid, one.stretch / finest, 1).astype(np.float32)
        cost += GRAZING * np.log2(np.maximum(_smooth(coarse), 1))
        cost += turn.cost - SHARPNESS * np.log(turn.weight)
        inside = np.pad(one.valid, 1, mode="edge").astype(np.uint8)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1] / FEATHER
        cost -= SHARPNESS * np.log(np.clip(depth, 1e-3, 1))
        holds.append(turn.hold * np.clip(depth + turn.hold, 0, 1) * one.valid)
        costs.append(np.where(one.valid, cost, np.inf))
    lowest = np.min(costs, axis=0)
    lowest[np.isinf(lowest)] = 0
    shares = np.exp((lowest - np.stack(costs)) / SHARPNESS)
    shares /= np.maximum(shares.sum(axis=0), 1e-20)
    return np.asarray(shares * (1 - np.sum(holds, axis=0)) + np.stack(holds), np.float32)


def _smooth(values: FloatArray) -> FloatArray:
    size = 2 * round(2 * AGREEMENT_RADIUS) + 1
    blurred = cv2.GaussianBlur(
        values, (size, size), AGREEMENT_RADIUS, borderType=cv2.BORDER_REFLECT
    )
    return np.asarray(blurred, np.float32)
