# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own network with channels that are equally strong.

Where a layer's channels are multiplied by positive factors and the weights of those who read them
divided by these, a network with ReLUs computes the same ("Data-Free Quantization Through Weight
Equalization and Bias Correction", Nagel et al., ICCV 2019). So one step of rounding fits all
channels of a layer.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from ...networks.activation_ranges import ActivationRanges, Range
from ...networks.gated_unet import GatedPainter

FAINT = 0.01
"""Channels that put out less than this share of the layer's strongest count as this strong."""


def balance(
    network: GatedPainter, activations: ActivationRanges
) -> tuple[GatedPainter, ActivationRanges]:
    """Make all channels of each layer equally strong.

    Args:
        network: stays as it is.
        activations: what ``calibrate`` saw of it.

    Returns:
        A network that computes the same, and what would be seen of it, ranges of all channels
        of a layer in one.
    """
    balancing = _Balancing(copy.deepcopy(network), activations)
    blocks = [f"middle.{number}" for number in range(network.size.blocks)]
    seconds, firsts = ([f"{block}.{part}" for block in blocks] for part in ("second", "first"))
    balancing.scale(["down", *blocks], ["down", *seconds], [(name, 0) for name in [*firsts, "up"]])
    for first, second in zip(firsts, seconds, strict=True):
        balancing.scale([first], [first], [(second, 0)])
    half = [("refine.first", 0), ("open", 0)]
    balancing.scale(["join", "refine"], ["join", "refine.second"], half)
    balancing.scale(["refine.first"], ["refine.first"], [("refine.second", 0)])
    balancing.scale(["gather"], ["gather"], [("last", 0)])
    balancing.scale(["stem"], ["stem"], [("down", 0), ("join", network.size.width)])
    balancing.scale(["up"], ["up"], [("join", 0)], shuffled=4)
    balancing.scale(["open"], ["open"], [("gather", 0)], shuffled=4)
    return balancing.network, ActivationRanges(
        balancing.ranges, balancing.means, activations.shifts
    )


class _Balancing:
    """A network whose channels are being balanced."""

    def __init__(self, network: GatedPainter, activations: ActivationRanges) -> None:
        self.network = network
        self.ranges: dict[str, Range] = {}
        self.means = {name: mean.clone() for name, mean in activations.means.items()}
        self._activations = activations

    def scale(
        self,
        names: list[str],
        makers: list[str],
        readers: list[tuple[str, int]],
        shuffled: int = 1,
    ) -> None:
        """Scale channels.

        Args:
            names: modules that put them out.
            makers: convolutions that make them.
            readers: convolutions that read them, from which input channel on.
            shuffled: how many outputs a pixel-shuffle makes one channel.
        """
        ranges = [self._activations.ranges[name] for name in names]
        strength = torch.stack([torch.maximum(*each) for each in ranges]).amax(0)
        strength = strength.reshape(-1, shuffled).amax(1)
        read = 1 / strength.clamp_min(FAINT * float(strength.max()) + 1e-6)
        made = read.repeat_interleave(shuffled)
        for name in makers:
            layer = self._layer(name)
            assert layer.bias is not None
            layer.weight *= made.reshape(-1, 1, 1, 1)
            layer.bias *= made
        for name, start in readers:
            channels = slice(start, start + len(read))
            self._layer(name).weight[:, channels] /= read.reshape(1, -1, 1, 1)
            self.means[name][channels] *= read
        for name, each in zip(names, ranges, strict=True):
            self.ranges[name] = Range((each.below * made).max(), (each.above * made).max())

    def _layer(self, name: str) -> nn.Conv2d:
        layer = self.network.get_submodule(name)
        assert isinstance(layer, nn.Conv2d)
        return layer
