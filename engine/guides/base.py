# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of guides: channels of the network's input, computed from a frame."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..frames.frame import Frame
from ..images.types import FloatArray


class Guide(ABC):
    """Turns a frame into input channels of the network.

    Attributes:
        name: name of the guide, as stored in styles.
        needs: passes and extra guides that ``read_frame`` must read.
        channels: number of channels.
    """

    name: str
    needs: tuple[str, ...]
    channels: int

    @abstractmethod
    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the channels, −1..1; 0 where unknown, never NaN.

        Args:
            frame: a frame (H, W) read with the passes in ``needs``.
            result: (channels, H, W) float32, uninitialized.

        Raises:
            PaintoverError: the frame lacks a pass or picture in ``needs``.
        """

    def compute(self, frame: Frame) -> FloatArray:
        """Return (channels, H, W) float32, as ``fill`` writes them."""
        result = np.empty((self.channels, *frame.alpha.shape), np.float32)
        self.fill(frame, result)
        return result
