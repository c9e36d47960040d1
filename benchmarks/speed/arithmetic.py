# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations and memory traffic of a network per pixel, counted while it runs."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from engine.networks.base import Painter

SIDE = 128


@dataclasses.dataclass(frozen=True)
class Work:
    """Work of a network per pixel of the frame.

    Attributes:
        flop: floating-point operations of its convolutions, 2 per multiply-add.
        values: numbers that its convolutions read and write, without weights.
    """

    flop: float
    values: float


def count_work(network: Painter) -> Work:
    """Count the work of all convolutions of a network per pixel of the frame."""
    flop = values = 0

    def count(layer: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal flop, values
        products = layer.weight[0].numel()
        flop += 2 * products * output.numel()
        values += inputs[0].numel() + output.numel()

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training, unit = network.training, next(network.parameters()).device
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, network.channels, SIDE, SIDE, device=unit))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return Work(flop / SIDE**2, values / SIDE**2)
