# SPDX-License-Identifier: GPL-3.0-or-later
"""Steadiness over time: which frames it is learnt on, and what it measures."""

import numpy as np
import pytest
import torch

from engine.shared.reporter import Silent
from engine.training.dataset import read_training_set
from engine.training.temporal_pairs import Pair, PairPatches, read_pairs, temporal_loss


def moved_by(columns: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    before = torch.rand(1, 3, 16, 20)
    offsets = torch.zeros(1, 2, 16, 20)
    offsets[:, 0] = -columns
    return torch.cat([before, before.roll(columns, -1)]), offsets


def test_what_moves_along_is_steady():
    painted, offsets = moved_by(3)
    weight = torch.ones(1, 1, 16, 20)
    assert temporal_loss(painted, offsets, weight) < 1e-5
    assert temporal_loss(painted, offsets + 1, weight) > 0.1


def test_only_weighted_pixels_count():
    painted, offsets = moved_by(0)
    painted[1, :, :8] = 5
    weight = torch.ones(1, 1, 16, 20)
    assert temporal_loss(painted, offsets, weight) > 1
    weight[:, :, :8] = 0
    assert temporal_loss(painted, offsets, weight) < 1e-5
    assert temporal_loss(painted, offsets, weight * 0) == 0


def test_pairs_need_exact_motion(painted_shot):
    training_set = read_training_set(painted_shot, [], ["colour", "normal"], 0, Silent())
    pairs = read_pairs(painted_shot, training_set, 0)
    assert pairs
    for pair in pairs:
        assert pair.before.shape == pair.after.shape
        assert pair.offsets.shape[:2] == pair.weight.shape == pair.after.shape[1:]
        assert set(np.unique(pair.weight)) <= {0, 1}
    del painted_shot.manifest.passes["motion"]
    assert read_pairs(painted_shot, training_set, 0) == []


@pytest.mark.parametrize("size", [8, 64])
def test_patches_are_cut_alike(size):
    ramp = np.arange(24 * 30, dtype=np.float32).reshape(1, 24, 30) / 1000
    offsets = np.repeat(ramp[0][..., None], 2, axis=2)
    pair = Pair(ramp, ramp + 1, offsets, np.ones((24, 30), np.float32))
    patches = PairPatches([pair, pair], torch.device("cpu"), size)
    x, moved, weight = patches.draw(3, torch.Generator().manual_seed(1))
    assert x.shape == (6, 1, min(size, 24), min(size, 30))
    assert torch.allclose(x[:3] + 1, x[3:], atol=2e-3)
    assert torch.allclose(moved, x[:3].expand(-1, 2, -1, -1), atol=1e-3)
    assert weight.min() == 1
