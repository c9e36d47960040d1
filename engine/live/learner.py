# SPDX-License-Identifier: GPL-3.0-or-later
"""A trainer that is kept warm: it takes changes of the paint, and learns on from its last state."""

from __future__ import annotations

import copy
import itertools
import time

import numpy as np
import torch
from torch import Tensor

from ..images.types import BoolArray, FloatArray
from ..inference.tiled_inference import TiledInference
from ..networks.activation_ranges import ActivationRanges, calibrate
from ..networks.base import Painter
from ..networks.device import Device
from ..networks.gated_unet import GatedPainter
from ..shared.training_settings import TrainingSettings
from ..training.patch_sampler import Patches
from ..training.trainer import Trainer
from .threads import LearningThreads

FIRST_STEPS = 40
"""Steps before the first picture through a network that began with nothing, and before a style."""
HORIZON = 60.0
"""Seconds of learning from the first paint until all is learnt; the learning rate falls in them."""
LEAST_STEPS = 200
"""Steps that it takes at least, on a machine that is slow or busy."""
AGAIN = 0.6
"""Spent share of them at which learning goes on after a stroke …"""
LARGE_CHANGE = 0.2
"""… that changes less than this share of a painting; after larger changes it begins at 0."""
FOCUS_SECONDS = 3.0
"""Seconds of learning after a stroke in which half of the patches are drawn around it."""
TIE_SECONDS = 4.0
"""Seconds after a change over which the tie to the state before it fades …"""
TIE_WEIGHT = 4.0
"""… from this weight."""
TIE_PATCHES, TIE_SIDE = 2, 64
"""Patches of the shown frame in a step, and their side in pixels."""
VALIDATE_SECONDS = 3.0
"""Seconds between two measurements of the held-out loss."""
CALIBRATION_SQUARES = 4
"""Inputs on which a network is made ready for int8: two squares, with and without carried paint."""
PARTS = 4
"""After the first time, one of so many parts of each input is looked at in turn, a quarter …"""
FADE = 0.95
"""… and so much of the range of activations before still counts."""
CHECK_SIDE = 96
"""Side in pixels of the input on which int8 is compared with floating point."""


class Tie:
    """Holds the network to what it painted of a frame before a change, where nothing changed.

    Args:
        teacher: the network as it was.
        x: (C, H, W) float32, its input of the frame.
        free: (H, W) bool, where the picture may change.
        device: where to compute.
        seed: of the places of the patches.
    """

    def __init__(
        self, teacher: Painter, x: FloatArray, free: BoolArray, device: Device, seed: int
    ) -> None:
        self._teacher, self._device = teacher, device
        self._x = torch.from_numpy(x.astype(np.float16))
        self._held = torch.from_numpy(~free)
        self._generator = torch.Generator().manual_seed(seed)
        self._began = time.monotonic()

    @property
    def strength(self) -> float:
        """Weight of the loss now; 0 when the tie has faded."""
        left = 1 - (time.monotonic() - self._began) / TIE_SECONDS
        return TIE_WEIGHT * max(0.0, left)

    def __call__(self, network: Painter) -> Tensor:
        """Return the loss (scalar) of a network in training."""
        height, width = self._held.shape
        sides = min(TIE_SIDE, height), min(TIE_SIDE, width)
        patches, held = [], []
        for _ in range(TIE_PATCHES):
            top, left = (
                int(torch.randint(length - side + 1, (1,), generator=self._generator))
                for length, side in zip((height, width), sides, strict=True)
            )
            inside = slice(top, top + sides[0]), slice(left, left + sides[1])
            patches.append(self._x[:, *inside])
            held.append(self._held[inside])
        unit = self._device.unit
        x = torch.stack(patches).float().to(unit).contiguous(memory_format=torch.channels_last)
        weight = torch.stack(held)[:, None].float().to(unit)
        with self._device.autocast():
            with torch.no_grad():
                before = self._teacher(x)
            now = network(x)
        apart: Tensor = (now.float() - before.float()).abs() * weight
        mean: Tensor = apart.sum() / (weight.sum() * now.shape[1]).clamp_min(1)
        return self.strength * mean


class Learner:
    """The network of a session and its training.

    Args:
        network: the network to go on with.
        device: where to compute.
        settings: as of any training.
        patches: the paintings.
        seed: of all random numbers.
        spent: share of ``HORIZON`` that counts as spent.

    Attributes:
        trainer: takes the steps.
        patches: the paintings that it learns.
        version: increases with each ``inference``.
        seconds: of learning since the last change.
        learnt_for: seconds of learning in all.
        began_trained: whether the network had been trained before.
    """

    def __init__(
        self,
        network: Painter,
        device: Device,
        settings: TrainingSettings,
        patches: Patches,
        seed: int,
        spent: float = 0.0,
    ) -> None:
        self._device, self._seed, self._spent = device, seed, spent
        self.patches = patches
        self.trainer = Trainer(network, patches, device, settings, seed)
        self._threads = LearningThreads()
        self._tie: Tie | None = None
        self._ranges: ActivationRanges | None = None
        self._since_validated = 0.0
        self.version, self.seconds, self.learnt_for = 0, 0.0, 0.0
        self.began_trained = False

    @property
    def is_ready(self) -> bool:
        """Whether pictures through the network, and a style, are worth having."""
        return self.began_trained or self.trainer.steps >= FIRST_STEPS

    @property
    def is_done(self) -> bool:
        """Whether all is learnt, as far as it will be."""
        return self._spent >= 1

    @property
    def spent(self) -> float:
        """Share of the time of learning that is over, 0..1."""
        return min(1.0, self._spent)

    def change(
        self, patches: Patches, share: float, tie: tuple[FloatArray, BoolArray] | None
    ) -> None:
        """Take other paintings, with as many channels.

        Args:
            patches: the paintings, focused on what changed.
            share: of the paintings that changed, 0..1.
            tie: input of the shown frame, and where its picture may change; None: it may change
                everywhere.
        """
        self.patches = patches
        self.trainer.use(patches, None, self._seed)
        self._spent = min(self._spent, AGAIN if share < LARGE_CHANGE else 0.0)
        self.seconds = self._since_validated = 0.0
        self._tie = None
        if tie and self.trainer.steps:
            teacher = copy.deepcopy(self.trainer.averaged)
            self._tie = Tie(teacher, *tie, self._device, self._seed)
        self.trainer.further_loss = self._tie

    def step(self) -> None:
        """Take one step.

        Raises:
            PaintoverError: training diverged.
        """
        began = time.monotonic()
        if self._tie and not self._tie.strength:
            self._tie = self.trainer.further_loss = None
        if self.seconds > FOCUS_SECONDS:
            self.patches.focus_on_all()
        with self._threads.step():
            self.trainer.step(self.spent)
        took = time.monotonic() - began
        self._spent += min(took / HORIZON, 1 / LEAST_STEPS)
        self.seconds += took
        self.learnt_for += took
        self._since_validated += took
        if self._since_validated > VALIDATE_SECONDS or self.is_done:
            self.trainer.validate()
            self._since_validated = 0.0

    def inference(self, light: float) -> TiledInference:
        """Return the network as it is now, ready to paint frames, in int8 where that is fast."""
        self.version += 1
        network, device = self.trainer.averaged, self._device
        inference = TiledInference(network, device, light=light)
        if isinstance(network, GatedPainter) and device.unit.type == "cpu":
            inputs = [*itertools.islice(self.patches.calibration_inputs(), CALIBRATION_SQUARES)]
            ranges = self._ranges = self._calibrated(network, inputs)
            example = inputs[0][0, :, :CHECK_SIDE, :CHECK_SIDE].cpu().numpy()
            inference.quantize(ranges, [np.ascontiguousarray(example)])
        return inference

    def quick_inference(self, light: float) -> TiledInference:
        """Return the network as it is now, ready at once to paint a small part of a frame."""
        return TiledInference(self.trainer.averaged, self._device, light=light)

    def _calibrated(self, network: GatedPainter, inputs: list[Tensor]) -> ActivationRanges:
        """Return the activation ranges: all is looked at the first and the last time."""
        before = None if self.is_done else self._ranges
        if before is not None:
            inputs = [_part(x, self.version % PARTS) for x in inputs]
        now = calibrate(copy.deepcopy(network), self._device, inputs)
        return now if before is None else now.following(before, FADE)


def _part(x: Tensor, number: int) -> Tensor:
    """Return a quarter (1, C, H / 2, W / 2) of an input (1, C, H, W), 0 to 3."""
    height, width = (max(1, side // 2) for side in x.shape[2:])
    top, left = number // 2 * (x.shape[2] - height), number % 2 * (x.shape[3] - width)
    return x[:, :, top : top + height, left : left + width]
