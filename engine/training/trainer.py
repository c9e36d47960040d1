# SPDX-License-Identifier: GPL-3.0-or-later
"""The trainer: one training step, validation, and a state that is saved and restored exactly."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor

from ..networks.base import Painter
from ..networks.device import Device
from ..networks.tensor_files import check_tensors
from ..shared.checked import Range
from ..shared.errors import PaintoverError
from ..shared.training_settings import TrainingSettings
from .losses.adversarial_loss import Adversary
from .losses.paint_loss import held_out_loss, training_loss
from .losses.vgg_loss import VGGLoss
from .optimizers import (
    PEAK_RATE,
    clear_not_finite,
    moments,
    optimizers_for,
    restore_moments,
)
from .patch_sampler import Patches
from .temporal_pairs import PairPatches, temporal_loss
from .unpainted import OwnStrokes

WARM_UP = 20
"""Steps over which the learning rate rises to its peak, linearly."""
DECAY_START = 0.2
"""Spent share of the budget at which the learning rate begins to fall, linearly."""
FINAL_RATE = 0.02
"""Learning rate at the end, relative to its peak."""
TEMPORAL_INTERVAL = 4
"""Steps from one temporal loss to the next."""
TEMPORAL_PAIRS = 2
"""Pairs of patches of a temporal loss."""
SMOOTHING = 0.02
"""Share of the newest step in the reported training loss, an exponential moving average."""
AVERAGED_STEPS = 60
"""Longest moving average of the weights, in steps."""
AVERAGED_SHARE = 0.1
"""Longest moving average of the weights, as a share of all steps so far."""
MOST_SKIPPED = 20
"""Steps in a row that may be skipped because their loss is not finite."""


@dataclasses.dataclass(frozen=True)
class TrainerNumbers:
    """The counters and losses of a trainer, as they are saved; None: no loss yet."""

    steps: Annotated[int, Range(0, 1e12)]
    best_step: Annotated[int, Range(0, 1e12)]
    best_loss: float | None
    loss: float | None


class Trainer:
    """Trains a network step by step.

    The weights in use are an exponential moving average of the trained ones (after Polyak and
    Juditsky 1992). Those with the lowest held-out loss are kept as the best.

    Args:
        network: moved to the device.
        patches: training patches of the keyframes.
        device: where to compute.
        settings: batch size, learning rate, optimizer and weights of the losses.
        seed: of all random numbers.
        vgg: the VGG loss; None for none.
        pairs: pairs of unpainted frames for the temporal loss; None for none.
        strokes: the stroke loss on unpainted frames; None for none.

    Attributes:
        steps: steps taken so far.
        averaged: the network with averaged weights.
        best_loss: the lowest held-out loss so far; infinity before the first.
        best_step: the step at which it was measured.
        further_loss: a loss to add in each step, from the network in training; None for none.
    """

    def __init__(
        self,
        network: Painter,
        patches: Patches,
        device: Device,
        settings: TrainingSettings,
        seed: int,
        vgg: VGGLoss | None = None,
        pairs: PairPatches | None = None,
        strokes: OwnStrokes | None = None,
    ) -> None:
        self._device, self._patches, self._settings = device, patches, settings
        self._network = device.place(network)
        self.averaged = copy.deepcopy(self._network).requires_grad_(False).eval()
        self._best = {name: value.clone() for name, value in self.averaged.state_dict().items()}
        self.best_loss, self.best_step, self.steps = math.inf, 0, 0
        self._optimizers = optimizers_for(self._network, settings.rate, muon=settings.muon)
        self._vgg, self._pairs, self._strokes = vgg, pairs, strokes
        self.further_loss: Callable[[Painter], Tensor] | None = None
        self._adversary: Adversary | None = None
        if settings.adversarial:
            self._adversary = Adversary(device, settings.rate, seed)
        self._generator = torch.Generator().manual_seed(seed)
        self._held_out = patches.held_out(seed)
        self._loss = torch.full((), math.nan, device=device.unit)
        self._skipped = torch.zeros(2, dtype=torch.int32, device=device.unit)

    def use(self, patches: Patches, strokes: OwnStrokes | None, seed: int) -> None:
        """Train on other patches from now on; the lowest held-out loss so far no longer counts.

        Args:
            patches: with as many channels as before.
            strokes: as for the class.
            seed: of the held-out patches.
        """
        self._patches, self._strokes = patches, strokes
        self._held_out = patches.held_out(seed)
        self.forget_best()

    @property
    def loss(self) -> float:
        """Training loss, smoothed over the last steps; NaN before the first that was not skipped.

        Reading it synchronizes with the device; ``step`` does not.
        """
        return float(self._loss)

    @property
    def skipped(self) -> int:
        """Steps that were skipped because their loss was not finite; reading it synchronizes."""
        return int(self._skipped[0])

    def check(self) -> None:
        """Check that training goes well.

        Raises:
            PaintoverError: the weights are not finite, or the last ``MOST_SKIPPED`` steps, or all,
                were skipped.
        """
        in_a_row = int(self._skipped[1])
        is_stuck = self.steps and (in_a_row >= MOST_SKIPPED or in_a_row >= self.steps)
        if is_stuck or not all(weights.isfinite().all() for weights in self.averaged.parameters()):
            raise PaintoverError(
                f"Training diverged before step {self.steps} (the loss is not a number); train "
                "again with another seed."
            )

    def step(self, done: float) -> None:
        """Take one step. One whose loss is not finite is counted as ``skipped`` and not learnt.

        Args:
            done: spent share of the budget, 0..1; it sets the learning rate.
        """
        self._prepare_optimizers(done)
        loss, colours = self._loss_of_batch()
        if self._pairs and self.steps % TEMPORAL_INTERVAL == 0:
            loss = loss + self._settings.steady * self._temporal_loss(self._pairs)
        if self._strokes and self.steps % self._strokes.interval == 0:
            loss = loss + self._settings.strokes * self._stroke_loss(self._strokes)
        if self.further_loss:
            loss = loss + self.further_loss(self._network)
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in self._optimizers:
            clear_not_finite(optimizer)
            optimizer.step()
        if self._adversary:
            self._adversary.learn(*colours)
        self.steps += 1
        self._average_weights()
        self._note_loss(loss.detach().float())

    def _prepare_optimizers(self, done: float) -> None:
        """Clear the gradients, and set the learning rate for a spent share of the budget."""
        warm_up = min(1.0, (self.steps + 1) / WARM_UP)
        decay = max(FINAL_RATE, min(1.0, (1 - done) / (1 - DECAY_START)))
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = group[PEAK_RATE] * warm_up * decay

    def _average_weights(self) -> None:
        """Move the averaged weights towards those in training."""
        share = 1 / min(1 + AVERAGED_SHARE * self.steps, AVERAGED_STEPS)
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self._network.parameters(), strict=True)
            for average, parameter in pairs:
                average.lerp_(parameter, share)
            buffers = zip(self.averaged.buffers(), self._network.buffers(), strict=True)
            for averaged, buffer in buffers:
                averaged.copy_(buffer)

    def _note_loss(self, now: Tensor) -> None:
        """Take a step's loss into the smoothed one, or count the step as skipped."""
        smoothed = torch.where(self._loss.isnan(), now, self._loss.lerp(now, SMOOTHING))
        finite = now.isfinite()
        self._loss = torch.where(finite, smoothed, self._loss)
        total, in_a_row = self._skipped + ~finite
        self._skipped = torch.stack([total, torch.where(finite, 0, in_a_row)])

    def _loss_of_batch(self) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """Draw a batch. Returns its loss; and the result, paint and weight of its colours."""
        batch = self._patches.draw(self._settings.batch, self._generator)
        result = self._run(self._network, batch.x)
        loss = training_loss(result, batch.paint, batch.weight, self._settings.gradients)
        colours = result[:, :3], batch.paint[:, :3], batch.weight[:, :1]
        if self._vgg:
            loss = loss + self._vgg(*colours)
        if self._adversary:
            loss = loss + self._settings.adversarial * self._adversary.loss(*colours)
        return loss, colours

    def _temporal_loss(self, pairs: PairPatches) -> Tensor:
        x, offsets, weight = pairs.draw(TEMPORAL_PAIRS, self._generator)
        painted = self._run(self._network, x.contiguous(memory_format=torch.channels_last))
        return temporal_loss(painted, offsets, weight)

    def _stroke_loss(self, strokes: OwnStrokes) -> Tensor:
        x, masks = strokes.draw(self._generator)
        painted = self._run(self._network, x.contiguous(memory_format=torch.channels_last))
        return strokes.loss(painted, masks, self._generator)

    def _run(self, network: Painter, x: Tensor) -> Tensor:
        """Run a network in the device's precision; float32, as of ``Painter.forward``."""
        with self._device.autocast():
            painted: Tensor = network(x)
        return painted.float()

    def validate(self) -> float:
        """Measure the held-out loss of the averaged weights, and keep them if it is the lowest.

        If nothing is held out, the newest weights are the best.

        Returns:
            The held-out loss; NaN if nothing is held out.

        Raises:
            PaintoverError: the training loss is not finite; the best weights stay as they were.
        """
        self.check()
        loss = self._loss_of(self.averaged)
        if not loss >= self.best_loss:
            self.best_loss = math.inf if math.isnan(loss) else loss
            self.best_step = self.steps
            self._best = {k: v.clone() for k, v in self.averaged.state_dict().items()}
        return loss

    def best(self) -> dict[str, Tensor]:
        """Return the best averaged weights so far, by name, on the device."""
        return self._best

    def held_out_loss(self, network: Painter) -> float:
        """Return the held-out loss of another network with the same guides; NaN as ``validate``."""
        return self._loss_of(self._device.place(network))

    @torch.inference_mode()
    def _loss_of(self, network: Painter) -> float:
        batch = self._held_out
        if batch is None:
            return math.nan
        result = self._run(network, batch.x)
        loss = held_out_loss(result[:, :3], batch.paint[:, :3], batch.weight[:, :1])
        if batch.weight.shape[1] > 1:
            loss = loss + held_out_loss(result[:, 3:], batch.paint[:, 3:], batch.weight[:, 1:])
        return float(loss)

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors of the state, by name, on the CPU (see ``restore``)."""
        named = {"chance": self._generator.get_state()}
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

    def numbers(self) -> TrainerNumbers:
        """Return the counters and losses of the state (see ``restore``)."""
        return TrainerNumbers(
            self.steps,
            self.best_step,
            self.best_loss if math.isfinite(self.best_loss) else None,
            self.loss if math.isfinite(self.loss) else None,
        )

    def restore(self, tensors: dict[str, Tensor], numbers: TrainerNumbers) -> None:
        """Restore a state exactly.

        Args:
            tensors: as returned by ``tensors``.
            numbers: as returned by ``numbers``.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: the state is damaged or belongs to
                another network.
        """
        for name in ("network", "averaged", "best"):
            check_tensors(_under(f"{name}.", tensors), self._best)
        self._network.load_state_dict(_under("network.", tensors))
        self.averaged.load_state_dict(_under("averaged.", tensors))
        self._best = {k: v.to(self._device.unit) for k, v in _under("best.", tensors).items()}
        has_moments = numbers.steps > 0  # the optimizers make them in their first step
        for optimizer in self._optimizers if has_moments else ():
            restore_moments("moments", optimizer, self._network, tensors)
        weights = _under("adversary.", tensors)
        if self._adversary and weights:
            network = self._adversary.network
            check_tensors(weights, network.state_dict())
            network.load_state_dict(weights)
            if has_moments:
                restore_moments("adversary_moments", self._adversary.optimizer, network, tensors)
        self._generator.set_state(tensors["chance"])
        self.steps, self.best_step = numbers.steps, numbers.best_step
        self.best_loss = math.inf if numbers.best_loss is None else numbers.best_loss
        loss = math.nan if numbers.loss is None else numbers.loss
        self._loss = torch.tensor(loss, device=self._device.unit)

    def forget_best(self) -> None:
        """Forget the lowest held-out loss, because it was measured on other paintings."""
        self.best_loss = math.inf


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
