# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks ``fast`` and ``small``: a U-Net whose gate blends projected paint with its own.

Space-to-depth (Shi et al., "Real-Time Single Image and Video Super-Resolution", CVPR 2016), then a
small U-Net with residual blocks (He et al., "Deep Residual Learning for Image Recognition", CVPR
2016) at a half and a quarter of the resolution, then a few channels at full resolution, which
treat all four pixels of a 2×2 block alike.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..images.types import BoolArray, FloatArray
from ..projection.channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID
from .base import GRID, Painter, padded

GATE_SLOPE = 4.0
"""Factor on the gate's output, so that it learns faster than the others to open or close."""
TRUST = 2.0
"""Bias of the untrained gate, as log-odds, where the frame looks like the keyframe."""
RELIT = 0.1
"""Mean difference of the channels, of −1..1, at which that bias has fallen to 0 (half open); from
twice as much on it is −``TRUST``."""
LIGHT_SLOPE = 2.0
"""Factor on the log-odds of ``light``, so that pictures change about evenly from 0 to 1."""
LEAK = 0.2
"""Slope of the leaky ReLUs below 0."""


@dataclasses.dataclass(frozen=True)
class Size:
    """Size of a network.

    Attributes:
        width: channels at half resolution; twice as many at a quarter.
        blocks: residual blocks at a quarter of the resolution.
        fine: channels at full resolution.
    """

    width: int
    blocks: int
    fine: int


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        change: Tensor = self.second(functional.relu(self.first(functional.relu(x))))
        return x + change


class GatedPainter(Painter):
    """A small U-Net whose gate blends projected paint with its own.

    Args:
        channels: input channels, including those of the guide ``projection``.
        size: its channels and residual blocks.
        projection: whether the last seven input channels are the guide ``projection``.
        alpha: whether the fourth output is an offset to the frame's alpha.
        coverage: as of ``Painter``.
    """

    def __init__(
        self,
        channels: int,
        size: Size,
        *,
        projection: bool,
        alpha: bool,
        coverage: bool = False,
    ) -> None:
        super().__init__(channels, projection=projection, alpha=alpha, coverage=coverage)
        self.size = size
        self.light = 0.5
        """0 keeps projected paint wherever there is any, 1 uses none of it, 0.5 is as trained."""
        self.choice = 1.0
        """Above 1 the gate chooses between projected and own paint where it would mix them."""
        width, fine, outputs = size.width, size.fine, 4 + alpha
        self.stem = nn.Conv2d(4 * channels, width, 3, padding=1)
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.middle = nn.Sequential(*(_Residual(2 * width) for _ in range(size.blocks)))
        self.up = nn.Conv2d(2 * width, 4 * width, 1)
        self.join = nn.Conv2d(2 * width, width, 3, padding=1)
        self.refine = _Residual(width)
        self.open = nn.Conv2d(width, 4 * fine, 1)
        self.gather = nn.Conv2d(fine + channels, fine, 3, padding=1)
        self.last = nn.Conv2d(fine, outputs, 3, padding=1)
        _start_smooth(self.up)
        _start_smooth(self.open)
        with torch.no_grad():
            self.last.weight[3:] *= 0.1
            self.last.bias[3] = 0  # type: ignore[index]

    def forward(self, x: Tensor, strokes: Tensor | None = None) -> Tensor:
        """Paint as ``Painter.forward``; with strokes as in ``apply_gate``."""
        height, width = x.shape[-2:]
        x = padded(x)
        stem = functional.leaky_relu(self.stem(functional.pixel_unshuffle(x, 2)), LEAK)
        deep = self.middle(functional.leaky_relu(self.down(stem), LEAK))
        back = functional.pixel_shuffle(self.up(deep), 2)
        half = self.refine(functional.relu(self.join(torch.cat([back, stem], 1))))
        full = functional.pixel_shuffle(self.open(half), 2)
        full = functional.relu(self.gather(torch.cat([full, x], 1)))
        out = self.last(full)
        projected = x[:, -self.projected_channels :, :height, :width]
        return self.apply_gate(out[..., :height, :width], projected, strokes)

    def apply_gate(self, out: Tensor, projected: Tensor, strokes: Tensor | None = None) -> Tensor:
        """Blend the network's own paint with projected paint.

        Args:
            out: (B, 4 or 5, H, W): colours, log-odds of the gate over ``GATE_SLOPE``, and the
                offset of alpha.
            projected: (B, 7 or 8, H, W), the guides ``coverage``, if the network has it, and
                ``projection``; ignored if the network has none.
            strokes: (B, 3, H, W), added to the network's own paint; differences of colours 0..1.

        Returns:
            As ``forward``.
        """
        out = out.to(projected.dtype)
        carried, projected = (
            projected[:, :-PROJECTION_CHANNELS],
            projected[:, -PROJECTION_CHANNELS:],
        )
        offset = out[:, 4:]
        paint = out[:, :3] if strokes is None else out[:, :3] + 2 * strokes
        if self.projection:
            relit = projected[:, LIGHT].abs().mean(1, keepdim=True) / RELIT
            opening = GATE_SLOPE * out[:, 3:4] + TRUST * (1 - relit).clamp_min(-1)
            opening = self.choice * (opening + LIGHT_SLOPE * log_odds(1 - self.light))
            gate = torch.sigmoid(opening) * projected[:, VALID, None]
            paint = torch.lerp(paint, projected[:, PAINT], gate)
            if self.coverage:
                offset = torch.lerp(offset, carried, gate)
        return torch.cat([paint, offset], 1) if self.alpha else paint

    @property
    def projected_channels(self) -> int:
        """Number of channels of the guides ``coverage`` and ``projection``, the last ones."""
        return PROJECTION_CHANNELS + self.coverage

    @property
    def blocks(self) -> Iterator[_Residual]:
        """The residual blocks of ``middle``."""
        for block in self.middle:
            yield cast(_Residual, block)

    @property
    def reach(self) -> int:
        """Largest distance in pixels at which an input pixel can change an output pixel."""
        return 2 + 2 * (1 + 2 + 1 + 1) + 4 * (1 + 2 * self.size.blocks) + GRID


def shows_own_paint(projected: FloatArray) -> BoolArray:
    """Return (H, W), where the untrained gate prefers the network's own paint.

    That is where no paint is projected, or onto another light.

    Args:
        projected: (7, H, W), the guide ``projection``.
    """
    relit = np.abs(projected[LIGHT]).mean(axis=0) > RELIT
    return np.asarray((projected[VALID] < 0.5) | relit)


def log_odds(share: float) -> float:
    """Return log(share / (1 − share)), −∞ at 0 and ∞ at 1."""
    if share in (0, 1):
        return math.inf if share else -math.inf
    return math.log(share / (1 - share))


def _start_smooth(layer: nn.Conv2d) -> None:
    """Initialize a layer before a pixel-shuffle so that all pixels of a 2×2 block are equal.

    "ICNR" of Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017.
    """
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(layer.weight[::4].repeat_interleave(4, 0))
        layer.bias.copy_(layer.bias[::4].repeat_interleave(4, 0))
