# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of all networks."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

GRID = 4
"""Networks compute on multiples of this many pixels, and pad other sizes."""


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
