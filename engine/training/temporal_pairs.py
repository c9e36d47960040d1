# SPDX-License-Identifier: GPL-3.0-or-later
"""Steadiness over time, learnt on unpainted frames: what moves along should look alike.

Pairs of successive frames are painted and compared along the exact motion where both show the
same surface in the same light (the temporal loss of Gao et al., "ReCoNet", ACCV 2018). Only the
training looks at two frames; stylizing still paints each frame on its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..images.types import FloatArray
from ..images.window import Window
from ..motion.optical_flow import occluded, warp
from ..shared.keyframe_weights import weights_at
from ..shared.shot import Shot
from .dataset import TrainingSet

PAIRS = 4
"""Pairs of frames to learn from."""
WINDOW = 256
"""Largest side, in pixels, of the part of each frame that is kept."""
SAME_LIGHT = 0.006
"""The picture, 0..1, may change by this much along the motion and still count as the same."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """A window of two successive frames.

    Attributes:
        before, after: (C, H, W) the network's input, −1..1.
        offsets: (H, W, 2) of the later frame, pixels to where the point was in the earlier one.
        weight: (H, W) 0 or 1, whether both show the same surface in the same light.
    """

    before: FloatArray
    after: FloatArray
    offsets: FloatArray
    weight: FloatArray


def read_pairs(shot: Shot, training_set: TrainingSet, seed: int) -> list[Pair]:
    """Read pairs of frames that are spread over a shot.

    Returns:
        Windows of one size; none where the shot has no exact motion or is too short.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    if "motion" not in shot.manifest.passes:
        return []
    second = [frame for frame in shot.frames if frame - 1 in shot.manifest.frames]
    places = np.linspace(0, len(second), 2 * PAIRS + 1)[1::2].astype(int)
    chosen = sorted({second[place] for place in places if place < len(second)})
    chance = np.random.default_rng(seed)
    found = [_read_pair(shot, training_set, frame, chance) for frame in chosen]
    return [pair for pair in found if pair and pair.weight.any()]


def _read_pair(
    shot: Shot, training_set: TrainingSet, frame: int, chance: np.random.Generator
) -> Pair | None:
    """Read a window of two frames; None where the motion cannot be used."""
    size = shot.manifest.height, shot.manifest.width
    top, left = (int(chance.integers(max(length - WINDOW, 0) + 1)) for length in size)
    bottom, right = min(top + WINDOW, size[0]), min(left + WINDOW, size[1])
    window = Window(top, left, bottom, right, *size)
    part = (
        window.grown(training_set.inputs.reach)
        if training_set.inputs.local
        else Window.whole(*size)
    )
    inputs, frames = [], []
    for number in (frame - 1, frame):
        read = training_set.inputs.read(number, {"motion"}, part=part)
        weights = weights_at(shot.manifest.weights, number, training_set.digests)
        x = training_set.input_of(read, weights)
        inputs.append(np.ascontiguousarray(x[:, *window.within(part)]))
        frames.append(read.cut(window))
    before, after = frames
    if before.motion is None or after.motion is None:
        return None
    offsets = after.motion[..., :2]
    moved, inside = warp(before.image, offsets)
    same = np.abs(moved - after.image).max(axis=2) < SAME_LIGHT
    seen = inside & ~occluded(offsets, before.motion[..., 2:])
    weight = (same & seen & (after.alpha > 0.5)).astype(np.float32)
    return Pair(inputs[0], inputs[1], np.nan_to_num(offsets), weight)


class SteadyPatches:
    """Draws patches of pairs of frames, on the device.

    Args:
        pairs: windows of one size.
        device: where the tensors live.
        size: side of the patches in pixels; smaller where the windows are.
    """

    def __init__(self, pairs: Sequence[Pair], device: torch.device, size: int) -> None:
        height, width = pairs[0].weight.shape
        self._rows, self._columns = height - min(size, height), width - min(size, width)
        self._size = (min(size, height), min(size, width))
        self._before, self._after, self._offsets, self._weight = (
            torch.from_numpy(np.stack(arrays).astype(np.float16)).to(device)
            for arrays in (
                [pair.before for pair in pairs],
                [pair.after for pair in pairs],
                [pair.offsets.transpose(2, 0, 1) for pair in pairs],
                [pair.weight[None] for pair in pairs],
            )
        )

    def later(self) -> Iterator[Tensor]:
        """Yield the whole inputs of the later frames, (1, C, H, W), on the device."""
        for one in self._after:
            yield one[None].float()

    def draw(self, count: int, chance: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches.

        Returns:
            (2 × count, C, P, P) inputs, earlier frames first; (count, 2, P, P) offsets in pixels;
            (count, 1, P, P) weights.
        """
        places = [
            tuple(int(torch.randint(most, (1,), generator=chance)) for most in limits)
            for limits in [(len(self._before), self._rows + 1, self._columns + 1)] * count
        ]
        cut = [
            torch.stack([self._cut(source, *place) for place in places]).float()
            for source in (self._before, self._after, self._offsets, self._weight)
        ]
        return torch.cat(cut[:2]), cut[2], cut[3]

    def _cut(self, source: Tensor, pair: int, top: int, left: int) -> Tensor:
        return source[pair, :, top : top + self._size[0], left : left + self._size[1]]


def steadiness_loss(painted: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """Return the mean |difference| along the motion, over the weighted pixels.

    Args:
        painted: (2 × B, 3 or 4, H, W), earlier frames first.
        offsets: (B, 2, H, W) in pixels, of the later frames.
        weight: (B, 1, H, W).
    """
    before, after = painted.chunk(2)
    height, width = after.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=painted.device),
        torch.arange(width, device=painted.device),
        indexing="ij",
    )
    x, y = columns + offsets[:, 0], rows + offsets[:, 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    scaled = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
    moved = functional.grid_sample(before, scaled, align_corners=True)
    counted = weight * inside[:, None]
    wrong = (moved - after).abs().mean(1, keepdim=True)
    return (wrong * counted).sum() / counted.sum().clamp_min(1)
