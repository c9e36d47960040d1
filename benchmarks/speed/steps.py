# SPDX-License-Identifier: GPL-3.0-or-later
"""Training steps per second."""

from __future__ import annotations

import torch

from benchmarks.rows import Row
from benchmarks.turns import medians_in_turns
from engine.guides import registry as guides
from engine.networks.device import Device
from engine.networks.registry import build
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import PROJECTION
from engine.training.dataset import read_training_set
from engine.training.patch_sampler import Patches
from engine.training.settings import default_guides, default_settings
from engine.training.temporal_pairs import PairPatches, read_pairs
from engine.training.trainer import Trainer
from engine.training.unpainted import read_own_strokes

OURS_IN_A_TURN = 8
"""Steps of ours per turn: two periods of the temporal loss."""


def training_row(shot: Shot, turns: int, device: Device) -> Row:
    """Measure training steps with the default settings of ``engine train``.

    Args:
        shot: a shot with painted keyframes.
        turns: how often our network and ``paper`` are measured in turn.
        device: where to compute.
    """
    ours, paper = trainer_of(shot, "fast", device), trainer_of(shot, "paper", device)

    def take(trainer: Trainer, steps: int) -> None:
        for _ in range(steps):
            trainer.step(0.0)

    seconds = medians_in_turns(
        {"ours": lambda: take(ours, OURS_IN_A_TURN), "paper": lambda: take(paper, 1)},
        turns,
        repeated={"ours": 1},
    )
    return Row(
        "train_steps",
        OURS_IN_A_TURN / seconds["ours"],
        "steps/s",
        paper=1 / seconds["paper"],
        remark=f"{_patches('fast')}, `paper` {_patches('paper')} and its adversary; {turns} turns",
    )


def trainer_of(shot: Shot, network: str, device: Device) -> Trainer:
    """Return a trainer with the default settings of ``engine train``."""
    settings = default_settings(network)
    names = default_guides(network, shot)
    training_set = read_training_set(shot, [], names, settings.filter, Silent())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        channels = guides.channels(names)
        painter = build(network, channels, projection=PROJECTION in names, alpha=False)
    pairs = read_pairs(shot, training_set, 0) if settings.steady else []
    strokes = None
    if settings.strokes:
        strokes = read_own_strokes(shot, training_set, device.unit, 0)
    return Trainer(
        painter,
        Patches(training_set.examples, device.unit, 0, settings.patch),
        device,
        settings,
        seed=0,
        pairs=PairPatches(pairs, device.unit, settings.patch) if pairs else None,
        strokes=strokes,
    )


def _patches(network: str) -> str:
    settings = default_settings(network)
    return f"{settings.batch} patches of {settings.patch}×{settings.patch} a step"
