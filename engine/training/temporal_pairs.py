# SPDX-License-Identifier: GPL-3.0-or-later
"""The temporal loss on pairs of unpainted frames, against flicker.

The network paints pairs of successive frames, which are compared along the exact motion where both
show the same surface in the same light (the temporal loss of Gao et al., "ReCoNet", ACCV 2018).
Only training uses two frames; stylizing paints each frame on its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..frames.frame import MATTE
from ..images.types import FloatArray
from ..images.window import Window
from ..motion.optical_flow import occluded, warp
from ..shared.keyframes.weights import weights_at
from ..shared.shot import Shot
from .dataset import TrainingSet

PAIRS = 4
"""Pairs of frames in the training set, at most."""
WINDOW = 256
"""Maximum side of the window that is cut from each frame, in pixels."""
SAME_LIGHT = 0.006
"""Light counts as the same if the picture, 0..1, changes by less than this along the motion."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """A window of two successive frames.

    Attributes:
        before, after: (C, H, W) float32, the network's input of both frames, −1..1.
        offsets: (H, W, 2) float32, motion of the later frame: offsets (x, y) in pixels to the same
            point in the earlier frame; 0 where ``weight`` is 0.
        weight: (H, W) float32, 1 where both frames show the same surface in the same light, fewer
            than ``WINDOW`` pixels away, else 0.
    """

    before: FloatArray
    after: FloatArray
    offsets: FloatArray
    weight: FloatArray


def read_pairs(shot: Shot, training_set: TrainingSet, seed: int) -> list[Pair]:
    """Read pairs of frames, spread evenly over a shot, in windows at random places.

    Args:
        shot: the shot.
        training_set: builds the network's input.
        seed: of the places of the windows.

    Returns:
        Windows of one size; empty if the shot has no exact motion or is too short.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    if "motion" not in shot.manifest.passes:
        return []
    later = [frame for frame in shot.frames if frame - 1 in shot.manifest.frames]
    indices = np.linspace(0, len(later), 2 * PAIRS + 1)[1::2].astype(int)
    chosen = sorted({later[index] for index in indices if index < len(later)})
    generator = np.random.default_rng(seed)
    pairs = [_read_pair(shot, training_set, frame, generator) for frame in chosen]
    return [pair for pair in pairs if pair and pair.weight.any()]


def _read_pair(
    shot: Shot, training_set: TrainingSet, frame: int, generator: np.random.Generator
) -> Pair | None:
    """Read a window of a frame and the one before it; None if their motion cannot be used."""
    size = shot.manifest.height, shot.manifest.width
    top, left = (int(generator.integers(max(length - WINDOW, 0) + 1)) for length in size)
    bottom, right = min(top + WINDOW, size[0]), min(left + WINDOW, size[1])
    window = Window(top, left, bottom, right, *size)
    part = (
        window.grown(training_set.inputs.reach)
        if training_set.inputs.local
        else Window.whole(*size)
    )
    inputs, frames = [], []
    for number in (frame - 1, frame):
        read = training_set.inputs.read(number, {"motion", MATTE}, part=part)
        weights = weights_at(shot.manifest.weights, number, training_set.digests)
        x = training_set.input_of(read, weights)
        inputs.append(np.ascontiguousarray(x[:, *window.within(part)]))
        frames.append(read.cut(window))
    before, after = frames
    if before.motion is None or after.motion is None:
        return None
    offsets = after.motion[..., :2]
    moved, inside = warp(before.image, offsets)
    same_light = np.abs(moved - after.image).max(axis=2) < SAME_LIGHT
    visible = inside & ~occluded(offsets, before.motion[..., 2:])
    with np.errstate(invalid="ignore"):
        near = (np.abs(offsets) < WINDOW).all(axis=2)
    used = same_light & visible & near & after.subject
    # Offsets that do not count may be too large for half precision: infinity times 0 is NaN.
    offsets = np.where(used[..., None], offsets, np.float32(0))
    return Pair(inputs[0], inputs[1], offsets, used.astype(np.float32))


class PairPatches:
    """Draws patches of pairs of frames, on the device.

    Args:
        pairs: windows of one size, at least one.
        device: where the tensors are kept, in half precision.
        size: side of the patches in pixels; at most that of the windows.
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

    def later_inputs(self) -> Iterator[Tensor]:
        """Yield the network's input of each later window, (1, C, H, W), on the device."""
        for window in self._after:
            yield window[None].float()

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches at random.

        Args:
            count: pairs of patches.
            generator: on the CPU; the only source of random numbers.

        Returns:
            (2 × count, C, P, P) inputs, earlier frames first; (count, 2, P, P) offsets in pixels;
            (count, 1, P, P) weights.
        """
        places = [
            tuple(int(torch.randint(most, (1,), generator=generator)) for most in limits)
            for limits in [(len(self._before), self._rows + 1, self._columns + 1)] * count
        ]
        cut = [
            torch.stack([self._cut(source, *place) for place in places]).float()
            for source in (self._before, self._after, self._offsets, self._weight)
        ]
        return torch.cat(cut[:2]), cut[2], cut[3]

    def _cut(self, source: Tensor, pair: int, top: int, left: int) -> Tensor:
        return source[pair, :, top : top + self._size[0], left : left + self._size[1]]


def temporal_loss(painted: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean |difference| of paint along the motion (scalar).

    Args:
        painted: (2 × B, 3 or 4, H, W), −1..1, earlier frames first.
        offsets: (B, 2, H, W), motion of the later frames (x, y) in pixels.
        weight: (B, 1, H, W), 0..1.
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
    scaled = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
    moved = functional.grid_sample(before, scaled, align_corners=True)
    weight = weight * inside[:, None]
    error = (moved - after).abs().mean(1, keepdim=True)
    return (error * weight).sum() / weight.sum().clamp_min(1)
