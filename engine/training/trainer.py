# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one training run and its single step; exact to save and to take up again."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor

from ..networks.base import Painter
from ..networks.device import Device
from ..shared.errors import PaintoverError
from ..shared.training_settings import TrainingSettings
from .adversarial_loss import Adversary
from .losses import held_out_loss, training_loss
from .optimizers import HEIGHT, moments, optimizers_for, restore_moments
from .patch_sampler import Batch, Patches
from .temporal_pairs import SteadyPatches, steadiness_loss
from .vgg_loss import VGGLoss

WARM_UP = 20
"""Steps until the learning rate is at its full height."""
STEADY = 0.2
"""Share of the budget after which the learning rate falls, linearly."""
LOWEST_RATE = 0.02
"""Learning rate at the end, relative to its height."""
STEADY_EVERY = 4
"""Steadiness over time is looked at in every fourth step …"""
STEADY_PAIRS = 2
"""… on this many patches of two frames."""
SMOOTHING = 0.02
"""Share of the newest step in the loss that is told."""
AVERAGED_STEPS = 60
"""About how many of the last steps the averaged weights look back on, at most …"""
AVERAGED_SHARE = 0.1
"""… and what share of all steps so far."""


class Trainer:
    """Trains a network step by step.

    The weights to use are a running average of the trained ones (Polyak and Juditsky 1992), whose
    result on the held-out part decides which state is kept.

    Args:
        network: it goes to the device.
        patches: what to learn.
        device: where to compute.
        settings: the losses, their weights, the batch and the optimizer.
        seed: of all random numbers.
        vgg: the VGG loss, if wanted.
        pairs: unpainted frames to be steady on, if wanted.

    Attributes:
        steps: steps done.
        averaged: the network with averaged weights.
        best_loss: the lowest held-out loss so far, infinity before the first.
        best_step: when that was.
    """

    def __init__(
        self,
        network: Painter,
        patches: Patches,
        device: Device,
        settings: TrainingSettings,
        seed: int,
        vgg: VGGLoss | None = None,
        pairs: SteadyPatches | None = None,
    ) -> None:
        self._device, self._patches, self._settings = device, patches, settings
        self._network = device.place(network)
        self.averaged = copy.deepcopy(self._network).requires_grad_(False).eval()
        self._best = {name: value.clone() for name, value in self.averaged.state_dict().items()}
        self.best_loss, self.best_step, self.steps = math.inf, 0, 0
        self._optimizers = optimizers_for(self._network, settings.rate, muon=settings.muon)
        self._vgg, self._pairs = vgg, pairs
        self._adversary: Adversary | None = None
        if settings.adversarial:
            self._adversary = Adversary(device, settings.rate, seed)
        self._chance = torch.Generator().manual_seed(seed)
        self._held = patches.held_out(seed)
        self._loss = torch.full((), math.nan, device=device.unit)

    @property
    def loss(self) -> float:
        """Training loss, smoothed over the last steps; NaN before the first.

        Reading it waits for the device, which ``step`` does not.
        """
        return float(self._loss)

    def check(self) -> None:
        """Check that training goes well. Raises PaintoverError if its loss is no number."""
        if self.steps and not math.isfinite(self.loss):
            raise PaintoverError(
                f"Training went astray before step {self.steps} (its loss is no number); "
                "train again with another seed."
            )

    def step(self, done: float) -> None:
        """Take one step.

        Args:
            done: share of the budget that is spent, 0..1; it sets the learning rate.
        """
        height = min(1.0, (self.steps + 1) / WARM_UP)
        fall = min(1.0, (1 - done) / (1 - STEADY))
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = group[HEIGHT] * height * max(LOWEST_RATE, fall)
        loss, colours = self._loss_of_batch()
        if self._pairs and self.steps % STEADY_EVERY == 0:
            loss = loss + self._settings.steady * self._unsteadiness(self._pairs)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in self._optimizers:
            optimizer.step()
        if self._adversary:
            self._adversary.learn(*colours)
        self.steps += 1
        share = 1 / min(1 + AVERAGED_SHARE * self.steps, AVERAGED_STEPS)
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self._network.parameters(), strict=True)
            for average, parameter in pairs:
                average.lerp_(parameter, share)
            buffers = zip(self.averaged.buffers(), self._network.buffers(), strict=True)
            for kept, buffer in buffers:
                kept.copy_(buffer)
        now = loss.detach().float()
        self._loss = now if self.steps == 1 else self._loss.lerp(now, SMOOTHING)

    def _loss_of_batch(self) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Return the loss of newly drawn patches; and their result, paint and weight (colours)."""
        batch = self._patches.draw(self._settings.batch, self._chance)
        with self._device.autocast():
            result = self._network(batch.x)
        result = result.float()
        loss = training_loss(result, batch.paint, batch.weight, self._settings.gradients)
        colours = result[:, :3], batch.paint[:, :3], batch.weight[:, :1]
        if self._vgg:
            loss = loss + self._vgg(*colours)
        if self._adversary:
            loss = loss + self._settings.adversarial * self._adversary.loss(*colours)
        return loss, colours

    def _unsteadiness(self, pairs: SteadyPatches) -> Tensor:
        x, offsets, weight = pairs.draw(STEADY_PAIRS, self._chance)
        with self._device.autocast():
            painted = self._network(x.contiguous(memory_format=torch.channels_last))
        return steadiness_loss(painted.float(), offsets, weight)

    def judge(self) -> float:
        """Measure the averaged network on the held-out part, and keep it if it is the best yet.

        Without a held-out part the last state is the best. Returns the held-out loss or NaN.

        Raises:
            PaintoverError: training went astray; what was kept before stays.
        """
        self.check()
        loss = math.nan
        if self._held is not None:
            loss = self._held_out(self._held)
        if not loss >= self.best_loss:
            self.best_loss = math.inf if math.isnan(loss) else loss
            self.best_step = self.steps
            self._best = {k: v.clone() for k, v in self.averaged.state_dict().items()}
        return loss

    def best(self) -> dict[str, Tensor]:
        """Return the best weights so far."""
        return self._best

    @torch.inference_mode()
    def _held_out(self, batch: Batch) -> float:
        with self._device.autocast():
            result = self.averaged(batch.x)
        return float(held_out_loss(result.float(), batch.paint, batch.weight[:, :1]))

    def tensors(self) -> dict[str, Tensor]:
        """Return everything to save as named tensors on the CPU (see ``restore``)."""
        named = {"chance": self._chance.get_state()}
        for prefix, weights in (
            ("network", self._network.state_dict()),
            ("averaged", self.averaged.state_dict()),
            ("best", self._best),
        ):
            named.update({f"{prefix}.{name}": value for name, value in weights.items()})
        for optimizer in self._optimizers:
            named.update(moments("moments", optimizer, self._network))
        if self._adversary:
            network = self._adversary.network
            named.update({f"adversary.{name}": v for name, v in network.state_dict().items()})
            named.update(moments("adversary_moments", self._adversary.optimizer, network))
        return {name: value.detach().cpu().contiguous() for name, value in named.items()}

    def numbers(self) -> dict[str, Any]:
        """Return the plain numbers to save beside ``tensors``."""
        return {
            "steps": self.steps,
            "best_step": self.best_step,
            "best_loss": None if math.isinf(self.best_loss) else self.best_loss,
            "loss": self.loss if self.steps else None,
        }

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Take up a saved state, exactly.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: it is of another network or damaged.
        """
        self._network.load_state_dict(_under("network.", tensors))
        self.averaged.load_state_dict(_under("averaged.", tensors))
        self._best = {k: v.to(self._device.unit) for k, v in _under("best.", tensors).items()}
        for optimizer in self._optimizers:
            restore_moments("moments", optimizer, self._network, tensors)
        weights = _under("adversary.", tensors)
        if self._adversary and weights:
            network = self._adversary.network
            network.load_state_dict(weights)
            restore_moments("adversary_moments", self._adversary.optimizer, network, tensors)
        self._chance.set_state(tensors["chance"])
        self.steps, self.best_step = int(numbers["steps"]), int(numbers["best_step"])
        best, loss = numbers["best_loss"], numbers["loss"]
        self.best_loss = math.inf if best is None else float(best)
        self._loss = torch.tensor(math.nan if loss is None else loss, device=self._device.unit)

    def forget_best(self) -> None:
        """Judge anew, since the paintings are not those that the best was found on."""
        self.best_loss = math.inf


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
