# SPDX-License-Identifier: GPL-3.0-or-later
"""The mix as one loop is that of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.inference.int8.gate_kernel import apply_gate
from engine.networks.gated_unet import GatedPainter
from engine.networks.registry import build

HEIGHT, WIDTH = 9, 14


@pytest.mark.parametrize("light", [0, 0.3, 1])
@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("drawn", [False, True])
def test_it_is_what_the_network_does(light, projection, alpha, drawn):
    network = build("small", 12, projection=projection, alpha=alpha)
    assert isinstance(network, GatedPainter)
    network.light, network.choice = light, 3.0 if drawn else 1.0
    chance = np.random.default_rng(3)
    outputs = chance.normal(size=(HEIGHT, WIDTH, 10 if alpha else 8)).astype(np.float32)
    projected = chance.uniform(-1, 1, (7, HEIGHT, WIDTH)).astype(np.float32)
    projected[3:6] *= 0.3
    projected[6] = np.clip(2 * projected[6], 0, 1)
    strokes = chance.normal(0, 0.1, (3, HEIGHT, WIDTH)).astype(np.float32) if drawn else None
    halves = torch.from_numpy(outputs.transpose(2, 0, 1).copy())[None].chunk(2, 1)
    given = None if strokes is None else torch.from_numpy(strokes)[None]
    with torch.inference_mode():
        wanted = network.apply_gate(halves[0] + halves[1], torch.from_numpy(projected)[None], given)
    assert np.abs(apply_gate(network, outputs, projected, strokes) - wanted[0].numpy()).max() < 1e-5
