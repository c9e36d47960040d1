# SPDX-License-Identifier: GPL-3.0-or-later
"""What every trial of a sweep trains on, read once, with all guides; a trial takes some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..frames.keyframe import read_keyframe
from ..guides import registry as guides
from ..networks.device import Device
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_LEARNT
from ..training.dataset import TrainingSet, read_training_set
from ..training.example import Example
from ..training.losses.stroke_loss import StrokeLoss
from ..training.temporal_pairs import Pair, read_pairs
from ..training.unpainted import INTERVAL, OwnStrokes, UnpaintedWindow, read_windows, stroke_loss
from .held_out import HeldOut, held_blocks, split_keys

Channels = npt.NDArray[np.intp]
"""Indices of channels in those of all guides."""


@dataclasses.dataclass(frozen=True)
class Material:
    """What every trial trains on.

    Attributes:
        shot: the shot.
        held_out: what is left out.
        training_set: the learnt keyframes with all guides.
        pairs: for the temporal loss; empty if the shot has no exact motion.
        windows: for the stroke loss; empty if there is nothing to draw.
        loss: the stroke loss of the learnt paintings; None where there are no windows.
    """

    shot: Shot
    held_out: HeldOut
    training_set: TrainingSet
    pairs: list[Pair]
    windows: list[UnpaintedWindow]
    loss: StrokeLoss | None

    def channels_of(self, names: Sequence[str]) -> Channels:
        """Return the indices of the channels of some guides in those of all."""
        found: list[int] = []
        first = 0
        for name in self.training_set.guides:
            count = guides.channels([name])
            if name in names:
                found += range(first, first + count)
            first += count
        return np.array(found, np.intp)

    def examples(self, channels: Channels) -> list[Example]:
        """Return the learnt keyframes with some channels only."""
        found = []
        for example in self.training_set.examples:
            own = channels[channels < example.guides.shape[2]]
            taken = np.ascontiguousarray(example.guides[..., own])
            found.append(dataclasses.replace(example, guides=taken))
        return found

    def some_pairs(self, channels: Channels) -> list[Pair]:
        """Return the pairs with some channels only."""
        return [
            dataclasses.replace(pair, before=pair.before[channels], after=pair.after[channels])
            for pair in self.pairs
        ]

    def own_strokes(self, channels: Channels, device: Device) -> OwnStrokes | None:
        """Return the stroke loss on unpainted frames with some channels only."""
        if self.loss is None:
            return None
        windows = [window._replace(x=window.x[channels]) for window in self.windows]
        return OwnStrokes(windows, self.loss, device.unit, INTERVAL)


def read_material(
    shot: Shot,
    keys: Sequence[int],
    names: Sequence[str],
    radius: int,
    device: Device,
    seed: int,
    report: Reporter,
) -> Material:
    """Read what the trials of a sweep train on.

    Args:
        shot: the shot.
        keys: the painted keyframes, sorted.
        names: all guides, in channel order.
        radius: radius of the temporal filter in frames, 0 for none.
        device: where to train.
        seed: of the places of windows.
        report: gets the progress of slow steps, and may cancel them.

    Raises:
        PaintoverError: a frame or a painting cannot be read, or there is too little paint.
    """
    learnt, left_out = split_keys(keys)
    blocks = {} if left_out else {key: held_blocks(read_keyframe(shot, key).mask) for key in learnt}
    held_out = HeldOut(learnt, left_out, blocks)
    training_set = read_training_set(shot, learnt, names, radius, report, change=held_out.hide)
    learns_alpha = training_set.alpha == ALPHA_LEARNT
    windows = [] if learns_alpha else read_windows(shot, training_set, seed)
    loss = stroke_loss(training_set.examples, device.unit, seed) if windows else None
    pairs = read_pairs(shot, training_set, seed)
    return Material(shot, held_out, training_set, pairs, windows, loss)
