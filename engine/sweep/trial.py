# SPDX-License-Identifier: GPL-3.0-or-later
"""One trial of a sweep: trains a network with chosen settings, and judges it on the way."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import time
from collections.abc import Callable, Iterator

import torch

from ..guides import registry as guides
from ..inference.tiled_inference import TiledInference
from ..networks.device import Device
from ..networks.style_file import network_for
from ..shared.errors import Cancelled, PaintoverError, is_out_of_memory
from ..shared.reporter import Reporter
from ..shared.style_header import ALPHA, StyleHeader
from ..training.budget import Budget
from ..training.patch_sampler import Patches
from ..training.settings import run_settings
from ..training.temporal_pairs import PairPatches
from ..training.trainer import Trainer
from .judge import Judge, Scores
from .material import Material
from .space import Choice

RUNGS = (0.25, 0.5, 1.0)
"""Shares of its budget after which a trial is judged, and perhaps given up."""
LARGEST_STEP, LARGEST_ON_CPU = 1 << 23, 1 << 19
"""Pixels of all patches of a step, at most; the published search goes beyond them."""
PROGRESS_INTERVAL = 0.25
"""Seconds between two reports of progress."""


class GivenUp(Exception):
    """A trial is not worth its time; its text says why."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a trial reached.

    Attributes:
        scores: of the best state at the end.
        steps: training steps.
        seconds: seconds of training, without judging.
    """

    scores: Scores
    steps: int
    seconds: float


class _Watch:
    """Seconds of training without pauses; those in which other processes had the CPU count not."""

    def __init__(self) -> None:
        self._start, self._worked = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        """Return the seconds so far."""
        return min(time.monotonic() - self._start, time.process_time() - self._worked)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what is done within the block."""
        start, worked = time.monotonic(), time.process_time()
        yield
        self._start += time.monotonic() - start
        self._worked += time.process_time() - worked


def run_trial(
    material: Material,
    judge: Judge,
    choice: Choice,
    budget: Budget,
    device: Device,
    seed: int,
    report: Reporter,
    reached: Callable[[int, Scores], None],
    told: Callable[[float], None] = lambda _: None,
) -> Outcome:
    """Train with chosen settings, and judge the result.

    Args:
        material: what to train on.
        judge: rates the network after each of ``RUNGS``.
        choice: the settings.
        budget: steps or seconds.
        device: where to train.
        seed: of all random numbers.
        report: may cancel the trial.
        reached: is told the number of a rung and its scores; may raise ``GivenUp``.
        told: is told the spent share of the budget, a few times a second.

    Raises:
        GivenUp: training diverged, needs more memory than there is, or ``reached`` raised it.
        Cancelled: the reporter asked to stop.
    """
    with _giving_up(device):
        trainer = _trainer(material, choice, device, seed)
        channels = material.channels_of(choice.guides)

        def judged() -> Scores:
            network = copy.deepcopy(trainer.averaged)
            network.load_state_dict(trainer.best())
            return judge.scores(TiledInference(network, device), channels)

        return _run(trainer, judged, budget, report, reached, told)


@contextlib.contextmanager
def _giving_up(device: Device) -> Iterator[None]:
    """Raise ``GivenUp`` for an error that ends a trial but not the sweep."""
    try:
        yield
    except PaintoverError as error:
        raise GivenUp(str(error)) from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if device.unit.type == "cuda":
            torch.cuda.empty_cache()
        raise GivenUp("it needs more memory than there is") from error


def _run(
    trainer: Trainer,
    judged: Callable[[], Scores],
    budget: Budget,
    report: Reporter,
    reached: Callable[[int, Scores], None],
    told: Callable[[float], None],
) -> Outcome:
    """Train until the budget is spent, and have the best state judged at each of ``RUNGS``."""
    watch = _Watch()
    rung, last_told, validated = 0, 0.0, watch.seconds()
    while rung < len(RUNGS):
        if report.cancelled():
            raise Cancelled
        spent = budget.spent(trainer.steps, watch.seconds())
        trainer.step(min(spent, 1.0))
        now = watch.seconds()
        spent = budget.spent(trainer.steps, now)
        if now - last_told > PROGRESS_INTERVAL:
            told(spent)
            last_told = now
        if spent < RUNGS[rung]:
            if budget.is_time_to_validate(trainer.steps, now - validated):
                trainer.validate()
                validated = watch.seconds()
            continue
        trainer.validate()
        with watch.paused():
            scores = judged()
            while rung < len(RUNGS) and spent >= RUNGS[rung]:
                rung += 1
            reached(rung, scores)
    return Outcome(scores, trainer.steps, watch.seconds())


def _trainer(material: Material, choice: Choice, device: Device, seed: int) -> Trainer:
    """Return the trainer of a network with random weights.

    Raises:
        GivenUp: a step is too large.
    """
    training_set = material.training_set
    settings = run_settings(choice.settings, choice.network, {})
    pixels = settings.batch * settings.patch**2
    most = LARGEST_ON_CPU if device.unit.type == "cpu" else LARGEST_STEP
    if pixels > most:
        raise GivenUp(f"a step of {pixels / 1e6:.1f} million pixels is too large for this device")
    names = [name for name in training_set.guides if name in choice.guides]
    recorded = {**dataclasses.asdict(settings), ALPHA: training_set.alpha}
    header = StyleHeader(choice.network, names, guides.channels(names), {}, recorded)
    channels = material.channels_of(names)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = network_for(header)
    patches = Patches(material.examples(channels), device.unit, seed, settings.patch)
    pairs = None
    if settings.steady and material.pairs:
        pairs = PairPatches(material.some_pairs(channels), device.unit, settings.patch)
    strokes = material.own_strokes(channels, device) if settings.strokes else None
    return Trainer(network, patches, device, settings, seed, None, pairs, strokes)
