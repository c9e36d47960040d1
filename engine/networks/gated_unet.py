# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own network, which turns a frame's guides into paint: a U-shape with a gate.

After space-to-depth (Shi et al., "Real-Time Single Image and Video Super-Resolution", CVPR 2016)
comes a small U-shape with residual blocks (He et al., CVPR 2016) at a half and a quarter of the
resolution, then a few channels at full resolution, so that no pixel of a 2×2 block is treated
differently. A gate mixes projected paint with the network's own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..projection.channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID
from .base import GRID, Painter

GATE_SLOPE = 4.0
"""How much faster than other outputs the gate moves, so that it soon is open or closed."""
TRUST = 2.0
"""How far the gate is open before it has learnt anything, where the light is the keyframe's; …"""
RELIT = 0.1
"""… where the picture differs by this, −1..1 a channel, it is half open, beyond twice this shut."""
LIGHT_SLOPE = 2.0
"""How fast light moves the gate; so it changes pictures about evenly along its way."""
LEAK = 0.2
"""Slope of the leaky ReLUs below 0."""


@dataclasses.dataclass(frozen=True)
class Size:
    """A named size: channels at half resolution, residual blocks, channels at full resolution."""

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
    """Our own network, of any size.

    Args:
        channels: of the input, the projection's included.
        size: how large the network is.
        projection: whether the last seven channels are the guide ``projection``.
        alpha: whether to learn an offset to the frame's alpha as fourth output.
    """

    def __init__(self, channels: int, size: Size, *, projection: bool, alpha: bool) -> None:
        super().__init__(channels, projection=projection, alpha=alpha)
        self.size = size
        self.light = 0.5
        """0 keeps projected paint wherever there is any, 1 uses none of it; 0.5 as learnt."""
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
        """Paint, as ``Painter.forward`` says; with strokes as of ``mix``."""
        height, width = x.shape[-2:]
        spare = (0, -width % GRID, 0, -height % GRID)
        x = functional.pad(x, spare, mode="replicate") if any(spare) else x
        stem = functional.leaky_relu(self.stem(functional.pixel_unshuffle(x, 2)), LEAK)
        deep = self.middle(functional.leaky_relu(self.down(stem), LEAK))
        back = functional.pixel_shuffle(self.up(deep), 2)
        half = self.refine(functional.relu(self.join(torch.cat([back, stem], 1))))
        full = functional.pixel_shuffle(self.open(half), 2)
        full = functional.relu(self.gather(torch.cat([full, x], 1)))
        out = self.last(full)
        return self.mix(
            out[..., :height, :width], x[:, -PROJECTION_CHANNELS:, :height, :width], strokes
        )

    def mix(self, out: Tensor, projected: Tensor, strokes: Tensor | None = None) -> Tensor:
        """Mix the network's own paint with projected paint.

        Args:
            out: (B, 4 or 5, H, W): paint, opening of the gate, and the offset of alpha.
            projected: (B, 7, H, W), the guide ``projection`` where the network has it.
            strokes: (B, 3, H, W), added to the network's own paint, differences of paint 0..1.

        Returns:
            What ``forward`` returns.
        """
        out = out.to(projected.dtype)
        paint = out[:, :3] if strokes is None else out[:, :3] + 2 * strokes
        if self.projection:
            relit = projected[:, LIGHT].abs().mean(1, keepdim=True) / RELIT
            opening = GATE_SLOPE * out[:, 3:4] + TRUST * (1 - relit).clamp_min(-1)
            opening = opening + LIGHT_SLOPE * log_odds(1 - self.light)
            gate = torch.sigmoid(opening) * projected[:, VALID, None]
            paint = torch.lerp(paint, projected[:, PAINT], gate)
        return torch.cat([paint, out[:, 4:]], 1) if self.alpha else paint

    @property
    def blocks(self) -> Iterator[_Residual]:
        """The residual blocks of ``middle``."""
        return (cast(_Residual, block) for block in self.middle)

    @property
    def reach(self) -> int:
        """How many pixels away an input pixel can still change an output pixel."""
        return 2 + 2 * (1 + 2 + 1 + 1) + 4 * (1 + 2 * self.size.blocks) + GRID


def log_odds(share: float) -> float:
    """Return the logarithm of a share's odds: 0 for a half, infinite at the ends."""
    if share in (0, 1):
        return math.inf if share else -math.inf
    return math.log(share / (1 - share))


def _start_smooth(layer: nn.Conv2d) -> None:
    """Make the four pixels that a pixel-shuffle opens equal at first, so that none stands out.

    "ICNR" of Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017.
    """
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.copy_(layer.weight[::4].repeat_interleave(4, 0))
        layer.bias.copy_(layer.bias[::4].repeat_interleave(4, 0))
