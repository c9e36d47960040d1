# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.networks.device import Device
from engine.training.losses.adversarial_loss import Adversary

CPU = Device(torch.device("cpu"), torch.float32)


def stripes(count: int, size: int = 32) -> Tensor:
    """Random crisp stripes, (B, 3, P, P)."""
    shift = torch.rand(count, 1, 1, 1) * 8
    rows = torch.arange(size).reshape(1, 1, -1, 1) + shift
    return torch.where(rows % 8 < 4, 1.0, -1.0).expand(count, 3, size, size)


def test_it_learns_to_tell_blur_from_paint():
    torch.manual_seed(0)
    adversary = Adversary(CPU, 1e-3, seed=0)
    weight = torch.ones(8, 1, 32, 32)
    blurred = torch.zeros(8, 3, 32, 32)
    losses = [adversary.learn(blurred, stripes(8), weight) for _ in range(12)]
    assert losses[-1] < 0.3 * losses[0]
    truth = stripes(8)
    assert adversary.loss(blurred, truth, weight) > 3 * adversary.loss(truth, truth, weight)


def test_its_loss_moves_the_picture_and_not_itself():
    adversary = Adversary(CPU, 1e-3, seed=0)
    result = torch.zeros(2, 3, 36, 36, requires_grad=True)
    adversary.loss(result, stripes(2, 36), torch.ones(2, 1, 36, 36)).backward()
    assert result.grad is not None
    assert result.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in adversary.network.parameters())


def test_what_has_no_weight_has_no_influence():
    adversary = Adversary(CPU, 1e-3, seed=0)
    weight = torch.ones(1, 1, 32, 32)
    weight[..., :16] = 0
    truth = stripes(1)
    result = torch.zeros(1, 3, 32, 32)
    other = result.clone()
    other[..., :16] = 7
    assert adversary.loss(result, truth, weight) == adversary.loss(other, truth, weight)
    assert adversary.loss(result, truth, weight * 0) == adversary.loss(truth, truth, weight)


def test_first_weights_follow_the_seed_and_leave_other_chance_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    adversaries = [Adversary(CPU, 1e-3, seed) for seed in (1, 1, 2)]
    assert torch.equal(torch.rand(3), expected)
    first, same, other = (adversary.network.first.weight for adversary in adversaries)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("size", [12, 33])
def test_small_and_odd_patches_are_judged(size: int):
    adversary = Adversary(CPU, 1e-3, seed=0)
    picture = stripes(1, size)
    assert torch.isfinite(adversary.loss(picture, picture, torch.ones(1, 1, size, size)))
