# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the network's own strokes are judged: unpainted frames, where no paint is carried."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from painted_scenes import Scene
from real_sizes import Project

from engine.guides import registry as guides
from engine.networks.device import Device
from engine.networks.registry import build
from engine.projection.channels import PROJECTION_CHANNELS, VALID
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.training_settings import override
from engine.training import unpainted
from engine.training.dataset import TrainingSet, read_training_set
from engine.training.patch_sampler import Patches
from engine.training.settings import default_guides, default_settings
from engine.training.trainer import Trainer
from engine.training.unpainted import (
    OwnStrokes,
    read_own_strokes,
    read_windows,
    stroke_loss,
)

STEPS = 60


@pytest.fixture(scope="module")
def turning_shot(tmp_path_factory) -> Shot:
    """A captured shot with a surface, of things that move and turn."""
    project = Project(tmp_path_factory.mktemp("turning"), Scene(480, 270, opaque=False), 8)
    project.capture(surface=True)
    return Shot.open(project.shot)


@pytest.fixture(scope="module")
def footage_shot(tmp_path_factory) -> Shot:
    """The same as plain pictures."""
    project = Project(tmp_path_factory.mktemp("footage"), Scene(480, 270, opaque=True), 4)
    project.make()
    return Shot.open(project.shot)


def read(shot: Shot) -> TrainingSet:
    return read_training_set(shot, [], default_guides("fast", shot), 0, Silent())


def test_windows_show_unpainted_frames_without_carried_paint(turning_shot):
    training_set = read(turning_shot)
    windows = read_windows(turning_shot, training_set, 0)
    assert windows
    for window in windows:
        assert not window.x[-PROJECTION_CHANNELS:].any()
        assert window.x[:-PROJECTION_CHANNELS].any()
        assert window.where.sum() >= unpainted.LEAST
        assert (window.seen | ~window.where).all()
    number = turning_shot.frames[-1]
    frame = training_set.inputs.read(number)
    carried = training_set.input_of(frame, {})[-PROJECTION_CHANNELS:]
    _, where = unpainted._without_projection(turning_shot, training_set, frame)
    assert where[carried[VALID] == 0].all()
    assert not where.all()


def test_without_a_surface_there_are_none(footage_shot):
    assert read_windows(footage_shot, read(footage_shot), 0) == []


def test_large_frames_are_read_in_windows(turning_shot, monkeypatch):
    training_set = read(turning_shot)
    whole = read_windows(turning_shot, training_set, 0)
    monkeypatch.setattr("engine.images.window.LARGE", 1000)
    parts = read_windows(turning_shot, training_set, 0)
    assert parts
    assert parts[0].x.shape == whole[0].x.shape


def test_nothing_to_judge(turning_shot, monkeypatch):
    """All frames are painted, or they are too large to be read whole."""
    training_set = read(turning_shot)
    digests = dict.fromkeys(turning_shot.frames, "")
    every = TrainingSet(**{**vars(training_set), "digests": digests})
    assert read_windows(turning_shot, every, 0) == []
    monkeypatch.setattr("engine.guides.network_input.Inputs.local", False)
    monkeypatch.setattr(unpainted, "MOST", 1000)
    assert read_windows(turning_shot, training_set, 0) == []


@pytest.mark.parametrize("learnt", [True, False])
def test_patches_and_their_loss(turning_shot, learnt):
    training_set = read(turning_shot)
    loss = stroke_loss(training_set.examples, torch.device("cpu"), 0)
    assert loss
    strokes = OwnStrokes(read_windows(turning_shot, training_set, 0), loss, torch.device("cpu"))
    x, masks = strokes.draw(torch.Generator().manual_seed(1))
    again, _ = strokes.draw(torch.Generator().manual_seed(1))
    assert torch.equal(x, again)
    assert x.shape[-2:] == masks.shape[-2:]
    assert masks.shape[:2] == (1, 2)
    painted = torch.zeros(1, 4 if learnt else 3, *x.shape[-2:], requires_grad=True)
    value = strokes.loss(painted, masks, torch.Generator().manual_seed(2))
    assert np.isfinite(float(value.detach()))
    value.backward()
    assert painted.grad is not None


def test_nothing_painted_has_no_strokes(turning_shot):
    examples = read(turning_shot).examples
    examples[0].weight[:] = 0
    assert stroke_loss(examples, torch.device("cpu"), 0) is None


def test_training_draws_more_where_nothing_was_painted(turning_shot):
    """With the loss in training, what comes out is nearer to it than without."""
    cpu = Device(torch.device("cpu"), torch.float32)
    found = {}
    for weight in (0.0, 16.0):
        training_set = read(turning_shot)
        own = read_own_strokes(turning_shot, training_set, cpu.unit, 0)
        assert own
        own.interval = 1
        torch.manual_seed(0)
        settings = override(default_settings("small"), {"strokes": weight})
        trainer = Trainer(
            build("small", guides.channels(training_set.guides), projection=True, alpha=False),
            Patches(training_set.examples, cpu.unit, 0, settings.patch),
            cpu,
            settings,
            seed=0,
            strokes=own if weight else None,
        )
        for step in range(STEPS):
            trainer.step(step / STEPS)
        chance = torch.Generator().manual_seed(5)
        drawn = [own.draw(chance) for _ in range(6)]
        losses = [own.loss(trainer.averaged(x), masks, chance) for x, masks in drawn]
        found[weight] = float(torch.stack(losses).mean())
    assert found[16.0] < 0.9 * found[0.0], found
