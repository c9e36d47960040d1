# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross-layer equalization: scales a network's channels to one range without changing its output.

Multiplying a layer's channels by positive factors and dividing the weights of the layers that read
them by the same factors leaves a network with ReLUs unchanged (Nagel et al., "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019). Then one quantization
scale fits all channels of a layer.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from ...networks.activation_ranges import ActivationRanges, Range
from ...networks.gated_unet import GatedPainter

MIN_SHARE = 0.01
"""Weaker channels than this share of the layer's strongest are scaled like this share."""


def equalize_channels(
    network: GatedPainter, activations: ActivationRanges
) -> tuple[GatedPainter, ActivationRanges]:
    """Scale all channels of each layer to the same activation range.

    Args:
        network: the network; it is copied.
        activations: its activation ranges, from ``calibrate``.

    Returns:
        An equivalent network, and its activation ranges: one range per layer instead of one per
        channel.
    """
    equalization = _Equalization(copy.deepcopy(network), activations)
    blocks = [f"middle.{number}" for number in range(network.size.blocks)]
    seconds, firsts = ([f"{block}.{part}" for block in blocks] for part in ("second", "first"))
    equalization.scale(
        ["down", *blocks], ["down", *seconds], [(name, 0) for name in [*firsts, "up"]]
    )
    for first, second in zip(firsts, seconds, strict=True):
        equalization.scale([first], [first], [(second, 0)])
    half = [("refine.first", 0), ("open", 0)]
    equalization.scale(["join", "refine"], ["join", "refine.second"], half)
    equalization.scale(["refine.first"], ["refine.first"], [("refine.second", 0)])
    equalization.scale(["gather"], ["gather"], [("last", 0)])
    equalization.scale(["stem"], ["stem"], [("down", 0), ("join", network.size.width)])
    equalization.scale(["up"], ["up"], [("join", 0)], shuffled=4)
    equalization.scale(["open"], ["open"], [("gather", 0)], shuffled=4)
    return equalization.network, ActivationRanges(
        equalization.ranges, equalization.means, activations.shifts
    )


class _Equalization:
    """A network whose channels are being scaled, with its activation ranges so far."""

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
        """Scale channels that several modules share, since their outputs are added.

        Args:
            names: modules whose activation ranges count.
            makers: convolutions that compute the channels.
            readers: convolutions that read them, each with its first input channel.
            shuffled: outputs of a maker that a pixel-shuffle turns into one channel.
        """
        ranges = [self._activations.ranges[name] for name in names]
        strength = torch.stack([torch.maximum(*each) for each in ranges]).amax(0)
        strength = strength.reshape(-1, shuffled).amax(1)
        read = 1 / strength.clamp_min(MIN_SHARE * float(strength.max()) + 1e-6)
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
