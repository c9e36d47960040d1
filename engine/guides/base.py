# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guide is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..frames.frame import Frame
from ..images.types import FloatArray


class Guide(ABC):
    """Turns a frame into input channels of the network.

    Attributes:
        name: as styles record it.
        needs: what ``read_frame`` must read for it.
        channels: how many there are.
    """

    name: str
    needs: tuple[str, ...]
    channels: int

    @abstractmethod
    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the channels, −1..1, 0 where nothing is known and never NaN.

        Args:
            frame: read with what the guide ``needs``.
            result: (channels, H, W), not set at first.

        Raises:
            PaintoverError: the frame lacks what the guide needs.
        """

    def compute(self, frame: Frame) -> FloatArray:
        """Return (channels, H, W) float32, as ``fill`` writes them."""
        result = np.empty((self.channels, *frame.alpha.shape), np.float32)
        self.fill(frame, result)
        return result
