# SPDX-License-Identifier: GPL-3.0-or-later
"""The optimizers of a network, and their state by the names of the weights."""

from __future__ import annotations

import math
import threading

import torch
from torch import Tensor, nn

from ..networks.tensor_files import check_tensors
from ..shared.checked import WrongDataError
from .muon import Muon

MUON_RATE = 5.0
"""Muon's learning rate, relative to Adam's."""
PEAK_RATE = "peak_rate"
"""Key of a parameter group: its learning rate at the peak of the schedule."""


def load_in_background() -> None:
    """Begin to load what PyTorch loads with its first optimizer, which takes two seconds."""

    def make_one() -> None:
        torch.optim.Adam([nn.Parameter(torch.zeros(1))])

    threading.Thread(target=make_one, name="optimizers", daemon=True).start()


def optimizers_for(network: nn.Module, rate: float, *, muon: bool) -> list[torch.optim.Optimizer]:
    """Return optimizers that together train all weights of a network.

    Args:
        network: the network.
        rate: Adam's peak learning rate; Muon's is ``MUON_RATE`` times that.
        muon: whether Muon trains the kernels, except the last layer's, whose rows are colours and
            not features. Adam trains the rest.
    """
    kernels: list[nn.Parameter] = []
    if muon:
        layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
        hidden = {layer.weight for layer in layers[:-1]}
        kernels = [weights for weights in network.parameters() if weights in hidden]
    rest = [weights for weights in network.parameters() if weights not in set(kernels)]
    found: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=rate, betas=(0.9, 0.99))]
    if kernels:
        found.append(Muon(kernels, lr=rate * MUON_RATE))
    for optimizer in found:
        for group in optimizer.param_groups:
            group[PEAK_RATE] = group["lr"]
    return found


def clear_not_finite(optimizer: torch.optim.Optimizer) -> None:
    """Set gradients that are not finite to 0, so that a bad step leaves the weights finite.

    It does not synchronize with the device.
    """
    for group in optimizer.param_groups:
        for weights in group["params"]:
            if weights.grad is not None:
                torch.nan_to_num_(weights.grad, nan=0.0, posinf=0.0, neginf=0.0)


def moments(prefix: str, optimizer: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """Return the state of an optimizer: ``PREFIX.KIND.NAME`` → tensor, NAME being a weight's."""
    names: dict[Tensor, str] = {weights: name for name, weights in network.named_parameters()}
    return {
        f"{prefix}.{kind}.{names[weights]}": value
        for weights, state in optimizer.state.items()
        for kind, value in state.items()
    }


def restore_moments(
    prefix: str, optimizer: torch.optim.Optimizer, network: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """Restore the state of an optimizer.

    Args:
        prefix: as given to ``moments``.
        optimizer: the optimizer.
        network: the network that it trains.
        tensors: what ``moments`` returned, among other tensors.

    Raises:
        KeyError: the state of one of its weights is missing.
        ValueError: a moment has another shape, or is not finite.
    """
    names = {weights: name for name, weights in network.named_parameters()}
    states: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix + "."):
            kind, _, name = key[len(prefix) + 1 :].partition(".")
            states.setdefault(name, {})[kind] = value
    for group in optimizer.param_groups:
        for weights in group["params"]:
            _check_state(states[names[weights]], optimizer, weights)
            optimizer.state[weights] = {
                kind: value if kind == "step" else value.to(weights.device)
                for kind, value in states[names[weights]].items()
            }


def _check_state(
    state: dict[str, Tensor], optimizer: torch.optim.Optimizer, weights: Tensor
) -> None:
    """Check the kinds, shapes and values of the moments of some weights."""
    like = torch.empty_like(weights, device="cpu")
    if isinstance(optimizer, Muon):
        check_tensors(state, {"momentum": like})
        return
    step = state["step"]
    moments = {kind: value for kind, value in state.items() if kind != "step"}
    check_tensors(moments, {"exp_avg": like, "exp_avg_sq": like})
    if step.numel() != 1 or not 0 <= float(step) < math.inf or (state["exp_avg_sq"] < 0).any():
        raise WrongDataError("a moment is below 0")
