# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of all networks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn
from torch.nn import functional

GRID = 4
"""Networks compute on multiples of this many pixels, and pad other sizes."""
SMALLEST = 2 * GRID
"""Sides of smaller inputs are padded to this many pixels.

Reflection needs enough pixels; and where a convolution of stride 2 in bfloat16 makes one column,
it makes garbage (oneDNN, on a CPU with AMX).
"""


class Painter(nn.Module, ABC):
    """A network that turns guides into paint.

    Args:
        channels: input channels, including those of the guide ``projection``.
        projection: whether the last seven input channels are the guide ``projection``.
        alpha: whether the fourth output is an offset to the frame's alpha.
        coverage: whether the channel before these seven is the guide ``coverage``; only with
            ``projection`` and ``alpha``.
    """

    def __init__(
        self, channels: int, *, projection: bool, alpha: bool, coverage: bool = False
    ) -> None:
        super().__init__()
        self.channels, self.projection, self.alpha = channels, projection, alpha
        self.coverage = coverage

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Paint.

        Args:
            x: (B, channels, H, W) guides, −1..1, of any height and width.

        Returns:
            (B, 3 or 4, H, W): display-referred colours, about −1..1, and the offset of alpha.
        """

    @property
    @abstractmethod
    def reach(self) -> int:
        """Largest distance in pixels at which an input pixel can change an output pixel."""


def padded(x: Tensor) -> Tensor:
    """Return inputs (B, C, H, W), padded by their last pixels to what networks compute on."""
    high, wide = (max(SMALLEST, size + -size % GRID) for size in x.shape[-2:])
    padding = (0, wide - x.shape[-1], 0, high - x.shape[-2])
    return functional.pad(x, padding, mode="replicate") if any(padding) else x
