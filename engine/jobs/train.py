# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: learns the paintings of a shot within a budget and writes the style file."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..frames.alpha import ALPHA
from ..guides import registry as guides
from ..networks.activation_ranges import ActivationRanges, calibrate
from ..networks.base import Painter
from ..networks.device import Device, choose_device
from ..networks.gated_unet import GatedPainter
from ..networks.style_file import (
    damaged_resume,
    find_style,
    load_resume,
    load_style,
    network_for,
    save_resume,
    save_style,
)
from ..shared import protocol
from ..shared.errors import Cancelled, PaintoverError
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import StyleHeader
from ..training.dataset import TrainingSet, read_training_set
from ..training.live_preview import LivePreview
from ..training.patch_sampler import Patches
from ..training.run_log import RunLog
from ..training.settings import default_guides, run_settings
from ..training.temporal_pairs import SteadyPatches, read_pairs
from ..training.trainer import Trainer
from ..training.vgg_loss import VGGLoss

DEFAULT_SECONDS = 60.0
SAVE_INTERVAL = 30.0
"""Seconds between saving the state, for when the process is killed."""
LEAST_STEPS = 400
"""Steps before training may stop early."""


def train(request: protocol.Train, report: Reporter) -> dict[str, Any]:
    """Learn the paintings of a shot.

    A run that was stopped is taken up by ``request.resume`` and then spends the rest of its
    budget; a run that had ended gets the budget once more.

    Returns:
        ``steps``, ``seconds``, ``held_out`` (loss of the kept state, None without a held-out
        part), ``stopped_early``, ``device`` in words, ``path`` of the style.

    Raises:
        PaintoverError: no painting, a damaged file, an impossible setting; a style that stood
            there stays as it was.
        Cancelled: the job was told to stop; the best state so far is the style now.
    """
    shot = Shot.open(Path(request.shot))
    shot.style_path(request.style)
    device = choose_device(request.device)
    report.progress("train", 0.0, -1.0, "Reading the keyframes")
    run = _Run(shot, request, device, report)
    stopped_early = run.learn()
    report.progress("train", 1.0, 0.0, f"{run.trainer.steps} steps")
    best = run.trainer.best_loss
    return {
        "steps": run.trainer.steps,
        "seconds": run.seconds(),
        "held_out": best if math.isfinite(best) else None,
        "stopped_early": stopped_early,
        "device": device.describe(),
        "path": str(shot.style_path(request.style)),
    }


@dataclasses.dataclass
class _Budget:
    """Where a run's budget began and how large it is; ``steps`` 0 means that seconds count."""

    steps: int
    seconds: float
    first_step: int = 0
    first_second: float = 0.0
    finished: bool = False

    def spent(self, steps: int, seconds: float) -> float:
        """Return the share that is spent, 0..1."""
        if self.steps:
            return min(1.0, (steps - self.first_step) / self.steps)
        return min(1.0, (seconds - self.first_second) / self.seconds)


class _Run:
    def __init__(
        self, shot: Shot, request: protocol.Train, device: Device, report: Reporter
    ) -> None:
        self._shot, self._request, self._report = shot, request, report
        self._folder = shot.style_folder(request.style)
        saved = load_resume(self._folder) if request.resume else None
        network, header = self._begin(saved[1] if saved else None)
        settings = run_settings(request.settings, header.network, header.settings)
        header.settings.update(dataclasses.asdict(settings))
        training_set = read_training_set(shot, request.keys, header.guides, settings.filter, report)
        header.trained_on = training_set.digests
        if network is None:
            header.settings[ALPHA] = training_set.alpha
            with torch.random.fork_rng():
                torch.manual_seed(request.seed)
                network = network_for(header)
        elif header.settings.get(ALPHA) != training_set.alpha:
            raise PaintoverError(
                "The paintings treat alpha otherwise than the style that training should go on "
                "from; train without it."
            )
        self._header = header
        header.settings["seed"] = request.seed
        self._patches = Patches(training_set.examples, device.unit, request.seed, settings.patch)
        training_set = dataclasses.replace(training_set, examples=[])
        vgg = VGGLoss(Path(settings.vgg), device) if settings.vgg else None
        pairs = read_pairs(shot, training_set, request.seed) if settings.steady else []
        self._steady = SteadyPatches(pairs, device.unit, settings.patch) if pairs else None
        self._device = device
        self.trainer = Trainer(
            network, self._patches, device, settings, request.seed, vgg, self._steady
        )
        seconds = request.seconds or DEFAULT_SECONDS
        self._budget = _Budget(request.steps, 0.0 if request.steps else seconds)
        self._before = 0.0
        if saved:
            self._take_up(*saved, training_set)
        self._live = LivePreview(shot, request.live, training_set, device, report)
        self._started = time.monotonic()
        self._log = RunLog(self._folder, again=bool(saved))
        self._log.say(
            f"{'Resumed' if saved else 'Started'} on {device.describe()}; network "
            f"{header.network}; guides {', '.join(header.guides)}; keyframes "
            f"{', '.join(map(str, header.trained_on))}; seed {request.seed}"
        )

    def seconds(self) -> float:
        """Return the seconds of training so far, those before a resume included."""
        return self._before + time.monotonic() - self._started

    def learn(self) -> bool:
        """Spend the budget and write the style. Returns whether it stopped early."""
        trainer, budget = self.trainer, self._budget
        last_told = last_saved = last_judged = time.monotonic()
        stopped_early = False
        while (spent := budget.spent(trainer.steps, self.seconds())) < 1 and not stopped_early:
            if self._report.cancelled():
                self._cancel()
            trainer.step(spent)
            now = time.monotonic()
            if self._is_time_to_judge(now - last_judged):
                self._judge()
                last_judged = time.monotonic()
                stopped_early = _has_converged(trainer)
            if now - last_told > 0.25:
                self._tell(spent)
                last_told = now
            if now - last_saved > SAVE_INTERVAL:
                self._save_state()
                last_saved = time.monotonic()
            self._live.update(trainer.averaged)
        self._judge()
        budget.finished = True
        self._save_state()
        self._save_style()
        why = "stopped early, since the held-out part got no better" if stopped_early else "done"
        self._log.say(f"{why}: {trainer.steps} steps, {self.seconds():.1f} s")
        return stopped_early

    def _begin(self, resumed: dict[str, Any] | None) -> tuple[Painter | None, StyleHeader]:
        """Return the network to go on from, if any, and the header of the style to be."""
        request, shot = self._request, self._shot
        network = None
        if resumed:
            try:
                header = StyleHeader(**{**resumed["header"], "trained_on": {}})
                network = network_for(header)
            except (KeyError, TypeError, ValueError):
                raise damaged_resume(self._folder) from None
        elif request.from_style:
            path = find_style(shot, request.from_style)
            network, header, _ = load_style(path)
            network.requires_grad_(True).train()
            header = dataclasses.replace(header, steps=0, seconds=0.0, curve=[])
        else:
            names = request.guides or default_guides(request.network, shot)
            header = StyleHeader(request.network, names, guides.channels(names), {})
        guides.check(shot, header.guides)
        return network, header

    def _take_up(
        self, tensors: dict[str, Any], numbers: dict[str, Any], training_set: TrainingSet
    ) -> None:
        try:
            self.trainer.restore(tensors, numbers["learner"])
            budget = _Budget(**numbers["budget"])
            self._before = float(numbers["seconds"])
            digests = {int(frame): digest for frame, digest in numbers["trained_on"].items()}
            self._header.curve = [list(row) for row in numbers["header"]["curve"]]
        except (KeyError, RuntimeError, TypeError, ValueError):
            raise damaged_resume(self._folder) from None
        if digests != training_set.digests:
            self.trainer.forget_best()
        if budget.finished:
            self._budget.first_step = self.trainer.steps
            self._budget.first_second = self._before
        else:
            self._budget.first_step = budget.first_step
            self._budget.first_second = budget.first_second

    def _is_time_to_judge(self, since: float) -> bool:
        if self._budget.steps:
            return self.trainer.steps % max(10, min(100, self._budget.steps // 20)) == 0
        return since > max(1.5, self._budget.seconds / 30)

    def _judge(self) -> None:
        loss = self.trainer.judge()
        row = [float(self.trainer.steps), self.seconds(), self.trainer.loss, loss]
        self._header.curve.append(
            [round(value, 5) if math.isfinite(value) else -1.0 for value in row]
        )
        self._log.curve(self._header.curve)

    def _tell(self, spent: float) -> None:
        trainer = self.trainer
        used = self.seconds() - self._budget.first_second
        left = used / spent * (1 - spent) if spent > 0 else -1.0
        if not self._budget.steps:
            left = self._budget.seconds - used
        text = f"Step {trainer.steps}, loss {trainer.loss:.3f}"
        if math.isfinite(trainer.best_loss):
            text += f", held-out loss {trainer.best_loss:.3f}"
        self._report.progress("train", spent, max(0.0, left), text)

    def _cancel(self) -> None:
        if self.trainer.steps:
            self._save_state()
            self._judge()
            self._save_style()
        self._log.say(f"cancelled after {self.trainer.steps} steps")
        raise Cancelled

    def _save_state(self) -> None:
        self.trainer.check()
        header = dataclasses.asdict(self._header)
        numbers = {
            "learner": self.trainer.numbers(),
            "budget": dataclasses.asdict(self._budget),
            "seconds": self.seconds(),
            "trained_on": self._header.trained_on,
            "header": header,
        }
        save_resume(self._folder, self.trainer.tensors(), numbers)

    def _save_style(self) -> None:
        self._header.steps = self.trainer.steps
        self._header.seconds = round(self.seconds(), 2)
        path, weights = self._shot.style_path(self._request.style), self.trainer.best()
        save_style(path, weights, self._header, self._activations(weights))

    def _activations(self, weights: dict[str, Tensor]) -> ActivationRanges | None:
        """Return what the network with some weights sees and puts out, if that is of use."""
        network = copy.deepcopy(self.trainer.averaged)
        if not isinstance(network, GatedPainter):
            return None
        network.load_state_dict(weights)
        others = self._steady.later() if self._steady else ()
        return calibrate(network, self._device, itertools.chain(self._patches.squares(), others))


def _has_converged(trainer: Trainer) -> bool:
    """Tell whether the held-out part has not got better for half of a long run."""
    if not math.isfinite(trainer.best_loss):
        return False
    return trainer.steps > LEAST_STEPS and trainer.best_step < trainer.steps / 2
