# SPDX-License-Identifier: GPL-3.0-or-later
"""Which optimizer learns which weights, and Muon itself."""

import pytest
import torch

from engine.networks import registry as networks
from engine.training.muon import Muon, orthogonalised
from engine.training.optimizers import MUON_RATE, moments, optimizers_for, restore_moments


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (16, 16)])
def test_orthogonalised_matrices_keep_their_directions(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ orthogonalised(matrix) @ right.T
    lengths = inside.diagonal()
    assert lengths.min() > 0.3
    assert lengths.max() < 1.3
    assert (inside - lengths.diag()).abs().max() < 1e-3


def test_muon_learns_rare_directions_as_fast_as_common_ones():
    kernel = torch.nn.Parameter(torch.zeros(2, 2, 1, 1))
    optimizer = Muon([kernel], lr=0.1)
    kernel.grad = torch.tensor([[100.0, 0.0], [0.0, 1.0]])[:, :, None, None]
    optimizer.step()
    change = -kernel.detach().flatten(1)
    assert change[1, 1] > change[0, 0] / 4
    assert change[0, 1] == change[1, 0] == 0


def test_the_last_layer_and_the_biases_are_left_to_adam():
    network = networks.build("small", 9, projection=False, alpha=False)
    adam, muon = optimizers_for(network, 0.001, muon=True)
    names = {id(weights): name for name, weights in network.named_parameters()}
    learnt = [
        {names[id(weights)] for group in optimizer.param_groups for weights in group["params"]}
        for optimizer in (adam, muon)
    ]
    assert learnt[0] | learnt[1] == set(names.values())
    assert not learnt[0] & learnt[1]
    assert {"last.weight", "last.bias", "stem.bias"} <= learnt[0]
    assert {"stem.weight", "gather.weight"} <= learnt[1]
    assert muon.param_groups[0]["lr"] == pytest.approx(0.001 * MUON_RATE)


def test_what_optimizers_remember_can_be_taken_up():
    network = networks.build("small", 9, projection=False, alpha=False)
    before = optimizers_for(network, 0.001, muon=True)
    network(torch.rand(1, 9, 16, 16)).mean().backward()
    for optimizer in before:
        optimizer.step()
    kept = {k: v for optimizer in before for k, v in moments("m", optimizer, network).items()}
    after = optimizers_for(network, 0.001, muon=True)
    for optimizer in after:
        restore_moments("m", optimizer, network, kept)
    again = {k: v for optimizer in after for k, v in moments("m", optimizer, network).items()}
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[name], again[name]) for name in kept)
    del kept["m.momentum.stem.weight"]
    with pytest.raises(KeyError):
        restore_moments("m", after[1], network, kept)
