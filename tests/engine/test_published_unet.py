# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.networks.published_unet import PaperNetwork, PaperSize


def test_size_is_the_published_one():
    network = PaperNetwork(3, PaperSize().blocks, projection=False, alpha=False).eval()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == pytest.approx(3.27e6, rel=0.002)
    side = 32
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, side, side))
    flops = counter.get_total_flops() / side**2
    # The published code computes one layer of 9.2 kFLOP a pixel twice; the result is the same.
    assert flops + 9.2e3 == pytest.approx(2.055e6, rel=0.001)


def test_residual_blocks_are_a_setting():
    def size(blocks: int) -> int:
        network = PaperNetwork(3, blocks, projection=False, alpha=False)
        return sum(parameter.numel() for parameter in network.parameters())

    assert size(3) - size(2) == 2 * (9 * 128 * 128 + 2 * 128)


@pytest.mark.parametrize(("height", "width"), [(36, 36), (33, 50), (1, 3)])
@pytest.mark.parametrize("alpha", [False, True])
def test_any_size_goes_in_and_comes_out(height: int, width: int, alpha: bool):
    network = PaperNetwork(5, 1, projection=False, alpha=alpha)
    result = network(torch.rand(2, 5, height, width) * 2 - 1)
    assert result.shape == (2, 3 + alpha, height, width)
    assert result.abs().max() <= 1
    result.mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_nothing_beyond_its_reach_counts():
    torch.manual_seed(0)
    network = PaperNetwork(1, 1, projection=False, alpha=False).double().eval()
    for place in (60, 61, 62, 63):
        x = torch.rand(1, 1, 8, 124, dtype=torch.double, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(x)[0, :, 4, place].sum(), x)
        seen = gradient[0, 0].abs().sum(0).nonzero().ravel()
        farthest = max(place - int(seen.min()), int(seen.max()) - place)
        assert network.reach - 10 <= farthest <= network.reach
