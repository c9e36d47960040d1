# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of unpainted frames, on which the stroke loss judges the network's own marks.

The projection is left out of their input, so that the network paints by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..frames.frame import MATTE, Frame, read_frame
from ..images.types import BoolArray, FloatArray
from ..images.window import LARGE, Window
from ..networks.gated_unet import shows_own_paint
from ..projection.channels import PROJECTION_CHANNELS
from ..shared.frame_lists import spread
from ..shared.keyframes.weights import weights_at
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_LEARNT, COVERAGE, has_surface
from .dataset import TrainingSet
from .example import Example
from .losses.stroke_loss import GRID_BLOCK, StrokeLoss

FRAMES = 8
"""Frames of the shot that are looked at, at most."""
SIDE = 256
"""Side of the windows that are cut from frames and from paintings, in pixels."""
PAINTED_WINDOWS = 12
"""Windows of the paintings, at most."""
PATCH = 128
"""Side of the patches in pixels."""
LEAST = 1000
"""Windows with fewer pixels to draw are left out."""
MOST = 8 * LARGE
"""Frames of more pixels are left out if they can only be read whole, to bound the memory."""

INTERVAL = 4
"""Steps from one loss to the next."""


class UnpaintedWindow(NamedTuple):
    """A window of an unpainted frame.

    Attributes:
        x: (C, h, w) float32, −1..1, the network's input without projected paint.
        seen: (h, w) bool, the subject.
        where: (h, w) bool, the part of it where the network's own paint shows.
    """

    x: FloatArray
    seen: BoolArray
    where: BoolArray


def read_windows(shot: Shot, training_set: TrainingSet, seed: int) -> list[UnpaintedWindow]:
    """Read windows of unpainted frames, spread evenly over a shot.

    Each is around a random pixel where the network's own paint shows: where no paint is projected,
    or onto another light. Shots without a surface have none: there the network knows too little to
    draw by itself, and ``inference/drawing.py`` does it.

    Args:
        shot: the shot.
        training_set: builds the network's input.
        seed: of the places of the windows.

    Returns:
        Windows of one size; empty if there is nothing to draw, or the shot is too small.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    manifest = shot.manifest
    whole = Window.whole(manifest.height, manifest.width)
    frames = [frame for frame in shot.frames if frame not in training_set.digests]
    too_large = not training_set.inputs.local and manifest.height * manifest.width > MOST
    if not frames or too_large or min(whole.shape) < GRID_BLOCK:
        return []
    if not has_surface(manifest.passes):
        return []
    chosen = spread(frames, FRAMES)
    training_set.inputs.prepare("train", chosen)
    generator = np.random.default_rng(seed)
    windows = [_read_window(shot, training_set, number, generator) for number in chosen]
    return [window for window in windows if window]


def _read_window(
    shot: Shot, training_set: TrainingSet, number: int, generator: np.random.Generator
) -> UnpaintedWindow | None:
    """Read a window of a frame; None if there is too little to draw."""
    inputs = training_set.inputs
    part = Window.whole(shot.manifest.height, shot.manifest.width)
    if part.is_of_large and inputs.local:
        around = _window_around(read_frame(shot, number, {MATTE}).subject, generator)
        if around is None:
            return None
        part = around.grown(inputs.reach)
    frame = inputs.read(number, {MATTE}, part=part)
    seen = frame.subject
    x, where = _without_projection(shot, training_set, frame)
    where &= seen
    window = _window_around(where, generator)
    if window is None:
        return None
    inside = window.inside
    found = UnpaintedWindow(
        np.ascontiguousarray(x[:, *inside]),
        np.ascontiguousarray(seen[inside]),
        np.ascontiguousarray(where[inside]),
    )
    return found if found.where.sum() >= LEAST else None


def _without_projection(
    shot: Shot, training_set: TrainingSet, frame: Frame
) -> tuple[FloatArray, BoolArray]:
    """Return the input (C, H, W) without projected paint, and where (H, W) no paint is carried."""
    everywhere = np.ones(frame.alpha.shape, bool)
    if not training_set.projection:
        return training_set.inputs.build(frame), everywhere
    count = PROJECTION_CHANNELS + (COVERAGE in training_set.guides)
    weights = weights_at(shot.manifest.weights, frame.number, training_set.digests)
    x = training_set.input_of(frame, weights)
    open_ = shows_own_paint(x[-PROJECTION_CHANNELS:])
    x[-count:] = 0
    return x, open_


def _window_around(where: BoolArray, generator: np.random.Generator) -> Window | None:
    """Return a window of at most ``SIDE`` pixels around a random pixel of a mask; None if empty."""
    places = np.flatnonzero(where)
    if not len(places):
        return None
    centre = divmod(int(places[generator.integers(len(places))]), where.shape[1])
    sides = [min(SIDE, length) for length in where.shape]
    top, left = (
        min(max(middle - side // 2, 0), length - side)
        for middle, side, length in zip(centre, sides, where.shape, strict=True)
    )
    return Window(top, left, top + sides[0], left + sides[1], *where.shape)


def stroke_loss(examples: Sequence[Example], device: torch.device, seed: int) -> StrokeLoss | None:
    """Return the stroke loss of the paintings, by windows of them; None if nothing is painted.

    Args:
        examples: the keyframes.
        device: where to compute.
        seed: of the places of the windows.
    """
    generator = np.random.default_rng(seed)
    paintings, masks = [], []
    for example, window in _painted_windows(examples, generator):
        paint = example.paint[window.inside][..., :3].astype(np.float32)
        weight = example.weight[window.inside][..., :1] > 0.5
        paintings.append(torch.from_numpy(paint.transpose(2, 0, 1).copy()))
        masks.append(torch.from_numpy(weight.astype(np.float32).transpose(2, 0, 1).copy()))
    return StrokeLoss(paintings, masks, device, seed) if paintings else None


def _painted_windows(
    examples: Sequence[Example], generator: np.random.Generator
) -> Iterator[tuple[Example, Window]]:
    for number in range(PAINTED_WINDOWS):
        example = examples[number % len(examples)]
        window = _window_around(example.weight[..., 0] > 0.5, generator)
        if window is not None:
            yield example, window


class OwnStrokes:
    """The stroke loss on random patches of unpainted frames.

    Args:
        windows: from ``read_windows``, at least one.
        loss: the stroke loss.
        device: where the tensors are kept, the inputs in half precision.
        interval: steps from one loss to the next.
    """

    def __init__(
        self,
        windows: Sequence[UnpaintedWindow],
        loss: StrokeLoss,
        device: torch.device,
        interval: int = 1,
    ) -> None:
        self._loss, self.interval = loss, interval
        inputs = np.stack([window.x for window in windows]).astype(np.float16)
        masks = np.stack([np.stack([window.seen, window.where]) for window in windows])
        self._inputs = torch.from_numpy(inputs).to(device)
        self._masks = torch.from_numpy(masks.astype(np.float32)).to(device)
        height, width = masks.shape[-2:]
        self._size = (min(PATCH, height), min(PATCH, width))
        self._limits = (len(windows), height - self._size[0] + 1, width - self._size[1] + 1)

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw a patch at random.

        Args:
            generator: on the CPU; the only source of random numbers.

        Returns:
            (1, C, P, P) the network's input, and (1, 2, P, P) masks: 1 in the subject, and 1 where
            the network's own paint shows, else 0.
        """
        number, top, left = (
            int(torch.randint(limit, (1,), generator=generator)) for limit in self._limits
        )
        rows, columns = slice(top, top + self._size[0]), slice(left, left + self._size[1])
        part = slice(number, number + 1), slice(None), rows, columns
        return self._inputs[part].float(), self._masks[part]

    def loss(self, painted: Tensor, masks: Tensor, generator: torch.Generator) -> Tensor:
        """Return the stroke loss (scalar) of what the network makes of a patch.

        Args:
            painted: (1, 3 or 4, P, P), −1..1.
            masks: (1, 2, P, P), from ``draw``.
            generator: as for ``draw``.
        """
        return self._loss.loss(painted[:, :3], masks[:, :1], masks[:, 1:], generator)


def read_own_strokes(
    shot: Shot, training_set: TrainingSet, device: torch.device, seed: int
) -> OwnStrokes | None:
    """Return the stroke loss on a shot's unpainted frames; None if there is nothing to draw.

    There is none either for paintings with an alpha of their own.

    Args:
        shot: the shot.
        training_set: its paintings, before ``Patches`` takes them over.
        device: where to compute.
        seed: of all random choices.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    if training_set.alpha == ALPHA_LEARNT:
        return None  # colours mean nothing where nothing was painted
    windows = read_windows(shot, training_set, seed)
    loss = stroke_loss(training_set.examples, device, seed) if windows else None
    return OwnStrokes(windows, loss, device, INTERVAL) if loss else None
