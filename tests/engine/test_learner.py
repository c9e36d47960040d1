# SPDX-License-Identifier: GPL-3.0-or-later
"""One training run's state: what is kept when training goes astray."""

import math

import pytest
import torch

from engine.networks import registry as networks
from engine.networks.device import choose_device
from engine.shared.errors import PaintoverError
from engine.shared.reporter import Silent
from engine.training.dataset import read_lessons
from engine.training.patch_sampler import Patches
from engine.training.trainer import Learner, LearnerSettings


@pytest.fixture
def learner(painted_shot):
    lessons = read_lessons(painted_shot, [], ["colour"], 0, Silent())
    device = choose_device("cpu")
    network = networks.build("small", 3, projection=False, alpha=False)
    patches = Patches(lessons.examples, device.unit, 0, 16)
    return Learner(network, patches, device, LearnerSettings(batch=2))


def test_the_loss_is_smoothed_over_steps(learner):
    assert math.isnan(learner.loss)
    learner.step(0.0)
    first = learner.loss
    learner.step(0.5)
    assert first > 0
    assert 0 < abs(learner.loss - first) < first / 10


def test_training_that_went_astray_keeps_the_best_state(learner):
    learner.step(0.0)
    learner.judge()
    best = {name: value.clone() for name, value in learner.best().items()}
    with torch.no_grad():
        next(learner._network.parameters()).fill_(math.nan)
    learner.step(0.5)
    with pytest.raises(PaintoverError, match="astray before step 2"):
        learner.judge()
    assert all(torch.equal(value, best[name]) for name, value in learner.best().items())
