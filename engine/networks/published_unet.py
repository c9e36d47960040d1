# SPDX-License-Identifier: GPL-3.0-or-later
"""The network ``paper``: the published generator of few-shot patch-based training.

Texler, Futschik, Kučera, Jamriška, Sochorová, Chai, Tulyakov, Sýkora, "Interactive Video
Stylization Using Few-Shot Patch-Based Training", ACM TOG 39(4):73, 2020. A U-Net with skip
connections and residual blocks, built from the published figures: 3.27 million parameters and
2.05 MFLOP per pixel with three input channels and seven residual blocks, half of them in one 7×7
layer at full resolution that reads the input, the first layer and the decoder's output.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional

from .base import GRID, Painter, padded

FINE, HALF, DEEP = 32, 64, 128
"""Channels at full, half and quarter resolution on the way down."""
WIDE = 64
"""Channels of the second 7×7 layer and of the layers after it."""


@dataclasses.dataclass(frozen=True)
class PaperSize:
    """The published configuration: residual blocks (the paper's Nr)."""

    blocks: int = 7


class _Layer(nn.Module):
    """A convolution with reflected borders, batch normalization and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution = _convolution(inputs, outputs, kernel, stride)
        self.steady = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        return functional.relu(self.steady(self.convolution(x)))


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _Layer(channels, channels)
        self.second = nn.Sequential(_convolution(channels, channels), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        change: Tensor = self.second(self.first(x))
        return x + change


class PaperNetwork(Painter):
    """The published network.

    It has no gate: the guide ``projection`` is seven more input channels.

    Args:
        channels: input channels.
        blocks: residual blocks (the paper's Nr).
        projection: whether the last seven input channels are the guide ``projection``.
        alpha: whether the fourth output is an offset to the frame's alpha.
        coverage: as of ``Painter``.
    """

    def __init__(
        self,
        channels: int,
        blocks: int,
        *,
        projection: bool,
        alpha: bool,
        coverage: bool = False,
    ) -> None:
        super().__init__(channels, projection=projection, alpha=alpha, coverage=coverage)
        self.blocks = blocks
        self.enter = _Layer(channels, FINE, kernel=7)
        self.down_half = _Layer(FINE, HALF, stride=2)
        self.down_deep = _Layer(HALF, DEEP, stride=2)
        self.middle = nn.Sequential(*(_Residual(DEEP) for _ in range(blocks)))
        self.up_deep = _Layer(2 * DEEP, DEEP)
        self.up_half = _Layer(DEEP + HALF, DEEP)
        self.wide = _Layer(DEEP + FINE + channels, WIDE, kernel=7)
        self.smooth = nn.Sequential(_Layer(WIDE, WIDE), _Layer(WIDE, WIDE))
        self.last = nn.Conv2d(WIDE, 3 + alpha, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Paint as ``Painter.forward``."""
        height, width = x.shape[-2:]
        x = padded(x)
        fine = self.enter(x)
        half = self.down_half(fine)
        deep = self.down_deep(half)
        back = self.up_deep(_double(torch.cat([self.middle(deep), deep], 1)))
        back = self.up_half(_double(torch.cat([back, half], 1)))
        full = self.smooth(self.wide(torch.cat([back, fine, x], 1)))
        result: Tensor = torch.tanh(self.last(full))
        return result[..., :height, :width]

    @property
    def reach(self) -> int:
        """Largest distance in pixels at which an input pixel can change an output pixel."""
        down = 3 + 1 + 2
        up = 2 + 1 + 3 + 2
        return down + 4 * 2 * self.blocks + up + 2 * GRID


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        inputs,
        outputs,
        kernel,
        stride=stride,
        padding=kernel // 2,
        padding_mode="reflect",
        bias=False,
    )


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="nearest")
