# SPDX-License-Identifier: GPL-3.0-or-later
"""What all networks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

GRID = 4
"""Networks work on multiples of this many pixels; they pad what is not one."""


class Painter(nn.Module, ABC):
    """A network that turns guides into paint.

    Args:
        channels: of the input, the projection's included.
        projection: whether the last seven channels are the guide ``projection``.
        alpha: whether to learn an offset to the frame's alpha as fourth output.
    """

    def __init__(self, channels: int, *, projection: bool, alpha: bool) -> None:
        super().__init__()
        self.channels, self.projection, self.alpha = channels, projection, alpha

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Paint.

        Args:
            x: (B, channels, H, W) guides, −1..1, any size.

        Returns:
            (B, 3 or 4, H, W): paint, display-referred, about −1..1, and the offset of alpha.
        """

    @property
    @abstractmethod
    def reach(self) -> int:
        """How many pixels away an input pixel can still change an output pixel."""
