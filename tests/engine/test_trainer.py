# SPDX-License-Identifier: GPL-3.0-or-later
"""One training run's state: what is kept when training goes astray."""

import math

import pytest
import torch

from engine.networks import registry as networks
from engine.networks.device import choose_device
from engine.shared.errors import PaintoverError
from engine.shared.reporter import Silent
from engine.shared.training_settings import TrainingSettings
from engine.training.dataset import read_training_set
from engine.training.patch_sampler import Patches
from engine.training.trainer import MOST_SKIPPED, Trainer


@pytest.fixture
def trainer(painted_shot):
    training_set = read_training_set(painted_shot, [], ["colour"], 0, Silent())
    device = choose_device("cpu")
    network = networks.build("small", 3, projection=False, alpha=False)
    patches = Patches(training_set.examples, device.unit, 0, 16)
    return Trainer(network, patches, device, TrainingSettings(batch=2), seed=0)


def test_the_loss_is_smoothed_over_steps(trainer):
    assert math.isnan(trainer.loss)
    trainer.step(0.0)
    first = trainer.loss
    trainer.step(0.5)
    assert first > 0
    assert 0 < abs(trainer.loss - first) < first / 10


def test_training_that_went_astray_keeps_the_best_state(trainer):
    trainer.step(0.0)
    trainer.validate()
    best = {name: value.clone() for name, value in trainer.best().items()}
    with torch.no_grad():
        next(trainer._network.parameters()).fill_(math.nan)
    trainer.step(0.5)
    with pytest.raises(PaintoverError, match="diverged before step 2"):
        trainer.validate()
    assert all(torch.equal(value, best[name]) for name, value in trainer.best().items())


def test_a_step_that_is_not_finite_is_skipped(trainer, monkeypatch):
    trainer.step(0.0)
    good, loss = trainer._loss_of_batch, trainer.loss

    def bad():
        found, colours = good()
        return found * math.inf, colours

    monkeypatch.setattr(trainer, "_loss_of_batch", bad)
    trainer.step(0.1)
    monkeypatch.setattr(trainer, "_loss_of_batch", good)
    assert (trainer.skipped, trainer.loss) == (1, loss)
    assert all(weights.isfinite().all() for weights in trainer._network.parameters())
    trainer.step(0.2)
    trainer.validate()
    assert trainer.skipped == 1
    monkeypatch.setattr(trainer, "_loss_of_batch", bad)
    for _ in range(MOST_SKIPPED):
        trainer.step(0.3)
    with pytest.raises(PaintoverError, match="not a number"):
        trainer.validate()
