# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending several projected keyframes into one picture, without visible seams or sudden changes.

Each pixel gets a cost for each keyframe: how much the projected picture differs from the frame,
how coarsely the keyframe saw the surface, and how far away it is in time. The keyframes' weights
are a soft minimum (softmax of the negative cost), so that one keyframe dominates and the transition
to another is gradual in space and time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from .channels import LIGHT, OFFSET, PAINT, PROJECTION_CHANNELS, VALID
from .resampling import Located

AGREEMENT_RADIUS = 4.0
"""Gaussian radius in pixels over which a keyframe's cost is averaged."""
GRAZING = 0.02
"""Cost of seeing the surface at half the size, as a mean difference of colour (0..1 a channel)."""
APART = 0.06
"""Cost of being one keyframe farther away in time, in the same unit."""
SHARPNESS = 0.006
"""Temperature of the softmax: a cost lower by this much gives e times the weight."""
FADE = 4
"""Frames over which a keyframe fades in before its own frame, and out after it."""
FEATHER = 3.0
"""Pixels over which a keyframe fades out at the border of its valid area."""


@dataclasses.dataclass(frozen=True)
class Projected:
    """A keyframe projected into a frame of size (H, W).

    Attributes:
        paint: (H, W, 3) float32, the painting, 0..1, display-referred.
        image: (H, W, 3) float32, the keyframe's rendered picture, 0..1, display-referred.
        valid: (H, W) bool, where the keyframe shows the point; elsewhere all is undefined.
        stretch: (H, W) float32, see ``Located``.
        outline: (H, W) bool, where an outline may be painted in the keyframe or the frame.
        moved: (H, W) bool, where the keyframe shows the point, but an outline has moved over it.
        strokes: (H, W, 3) float32, stroke residuals (see ``stroke_residuals``), or None.
        offset: (H, W) float32, −1..1, the painting's alpha minus its frame's, or None.
        located: the places in the keyframe; None in a blend of several.
    """

    paint: FloatArray
    image: FloatArray
    valid: BoolArray
    stretch: FloatArray
    outline: BoolArray
    moved: BoolArray
    strokes: FloatArray | None = None
    offset: FloatArray | None = None
    located: Located | None = None

    def without_outlines(self) -> Projected:
        """Return a copy that is not valid where outlines may be painted."""
        return dataclasses.replace(self, valid=self.valid & ~self.outline)

    def channels(self) -> FloatArray:
        """Return (7 or 8, H, W) float32, 0 where not valid.

        Paint and picture, −1..1, validity 0 or 1, and the offset of alpha if there is one.
        """
        count = PROJECTION_CHANNELS + (self.offset is not None)
        result = np.zeros((count, *self.valid.shape), np.float32)
        if self.offset is not None:
            result[OFFSET] = self.offset * self.valid
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
class TimeWeight:
    """How much a keyframe counts in one frame because of time and the user's weight.

    Attributes:
        weight: the user's weight, 0..1; 0 leaves the keyframe out.
        cost: cost of its distance in time (see ``APART``).
        hold: share reserved for it wherever it is valid, 0..1; all keyframes' sum to 1 at most.
    """

    weight: float
    cost: float
    hold: float


def time_weights(keys: Sequence[int], weights: Sequence[float], frame: int) -> list[TimeWeight]:
    """Return how much each keyframe counts in a frame because of time and its weight.

    Between two keyframes the cost of one rises linearly while that of the other falls. In its own
    frame a keyframe of weight 1 takes everything; the others fade in over ``FADE`` frames.

    Args:
        keys: frame numbers of the keyframes, all different.
        weights: weight of each keyframe, 0..1, usually 1.
        frame: any frame number.
    """
    order = sorted(keys)
    now = float(np.interp(frame, order, range(len(order))))
    found = []
    for key, weight in zip(keys, weights, strict=True):
        fade = min([FADE, *(abs(other - key) for other in keys if other != key)])
        hold = max(0.0, 1 - abs(frame - key) / fade) * min(1.0, weight)
        found.append(TimeWeight(weight, APART * abs(now - order.index(key)), hold))
    return found


def blend(
    candidates: Sequence[Projected], times: Sequence[TimeWeight], image: FloatArray
) -> Projected:
    """Blend projected keyframes into one; the module docstring explains the weights.

    Each keyframe first gets its ``hold`` wherever it is valid; the softmax shares out the rest.

    Args:
        candidates: at least one keyframe, projected into the frame.
        times: one for each candidate, for this frame.
        image: (H, W, 3) float32, the frame's picture, 0..1.

    Returns:
        The blend, valid where any keyframe with a weight above 0 is.
    """
    used = [pair for pair in zip(candidates, times, strict=True) if pair[1].weight > 0]
    if not used:
        nothing = np.zeros_like(candidates[0].valid)
        return dataclasses.replace(candidates[0], valid=nothing)
    if len(used) == 1:
        return used[0][0]
    shares = _shares([one for one, _ in used], [time for _, time in used], image)
    paint, picture = np.zeros_like(image), np.zeros_like(image)
    strokes = np.zeros_like(image) if used[0][0].strokes is not None else None
    offset = np.zeros(image.shape[:2], np.float32) if used[0][0].offset is not None else None
    stretch = np.zeros(image.shape[:2], np.float32)
    outline, moved, valid = (np.zeros(image.shape[:2], bool) for _ in range(3))
    for (one, _), share in zip(used, shares, strict=True):
        paint += share[..., None] * one.paint
        picture += share[..., None] * one.image
        if strokes is not None:
            strokes += share[..., None] * one.strokes
        if offset is not None:
            offset += share * one.offset
        stretch += share * one.stretch
        outline |= one.outline & (share > 0.5)
        moved |= one.moved
        valid |= one.valid
    return Projected(paint, picture, valid, stretch, outline, moved, strokes, offset)


def _shares(candidates: list[Projected], times: list[TimeWeight], image: FloatArray) -> FloatArray:
    """Return (N, H, W) weights that sum to 1 where any candidate is valid, and are 0 elsewhere."""
    stretches = np.stack([np.where(one.valid, one.stretch, np.inf) for one in candidates])
    finest = np.maximum(stretches.min(axis=0), 1e-20)
    costs, holds = [], []
    for one, time in zip(candidates, times, strict=True):
        wrong = np.abs(one.image - image).mean(-1) * one.valid
        weight = _smooth(one.valid.astype(np.float32))
        cost = _smooth(wrong) / np.maximum(weight, 1e-6)
        coarse = np.where(one.valid, one.stretch / finest, 1).astype(np.float32)
        cost += GRAZING * np.log2(np.maximum(_smooth(coarse), 1))
        cost += time.cost - SHARPNESS * np.log(time.weight)
        inside = np.pad(one.valid, 1, mode="edge").astype(np.uint8)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1] / FEATHER
        cost -= SHARPNESS * np.log(np.clip(depth, 1e-3, 1))
        holds.append(time.hold * np.clip(depth + time.hold, 0, 1) * one.valid)
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
