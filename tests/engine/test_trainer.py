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
from engine.training.trainer import Trainer


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
