# SPDX-License-Identifier: GPL-3.0-or-later
"""Which optimizer learns which weights, and what it remembers of each, by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .muon import Muon

MUON_RATE = 5.0
"""Muon's learning rate, relative to Adam's."""
HEIGHT = "height"
"""Key of a parameter group: its learning rate at its height."""


def optimizers_for(network: nn.Module, rate: float, *, muon: bool) -> list[torch.optim.Optimizer]:
    """Return the optimizers that learn all weights of a network.

    Args:
        network: the network.
        rate: Adam's learning rate at its height.
        muon: whether Muon learns the kernels, except the last layer's, whose rows are colours and
            not features; Adam learns the rest.
    """
    kernels: list[nn.Parameter] = []
    if muon:
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        learnt = {layer.weight for layer in layers[:-1]}
        kernels = [weights for weights in network.parameters() if weights in learnt]
    others = [weights for weights in network.parameters() if weights not in set(kernels)]
    found: list[torch.optim.Optimizer] = [torch.optim.Adam(others, lr=rate, betas=(0.9, 0.99))]
    if kernels:
        found.append(Muon(kernels, lr=rate * MUON_RATE))
    for optimizer in found:
        for group in optimizer.param_groups:
            group[HEIGHT] = group["lr"]
    return found


def moments(prefix: str, optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """Return what an optimizer remembers: ``PREFIX.KIND.NAME`` → tensor, by the weights' names."""
    names: dict[Tensor, str] = {weights: name for name, weights in network.named_parameters()}
    return {
        f"{prefix}.{kind}.{names[weights]}": value
        for weights, remembered in optimizer.state.items()
        for kind, value in remembered.items()
    }


def restore_moments(
    prefix: str, optimizer: torch.optim.Optimizer, network: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """Make an optimizer remember what ``moments`` returned.

    Raises:
        KeyError: there is nothing of a weight that it learns.
    """
    names = {weights: name for name, weights in network.named_parameters()}
    remembered: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix + "."):
            kind, _, name = key[len(prefix) + 1 :].partition(".")
            remembered.setdefault(name, {})[kind] = value
    for group in optimizer.param_groups:
        for weights in group["params"]:
            optimizer.state[weights] = {
                kind: value if kind == "step" else value.to(weights.device)
                for kind, value in remembered[names[weights]].items()
            }
