# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guide is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..frames import Frame
from ..images import FloatArray


class Guide(ABC):
    """Turns a frame into input channels of the network.

    Attributes:
        name: as styles record it.
        needs: what ``read_frame`` must read for it.
        channels: how many channels ``compute`` returns.
    """

    name: str
    needs: tuple[str, ...]
    channels: int

    @abstractmethod
    def compute(self, frame: Frame) -> FloatArray:
        """Return (channels, H, W) float32 in −1..1, 0 where nothing is known; never NaN."""
