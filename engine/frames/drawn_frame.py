# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawn frames: parts of unpainted frames that were drawn from pieces of the paintings.

A style keeps a few of them, and their paint is carried to the other frames like that of keyframes.
"""

from __future__ import annotations

import dataclasses
import struct

import cv2
import numpy as np

from ..images.types import BoolArray, ByteArray
from .keyframe import Keyframe

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclasses.dataclass(frozen=True)
class DrawnFrame:
    """What was drawn of an unpainted frame.

    Attributes:
        frame: its number.
        paint: (H, W, 3) uint8, display-referred; 0 where nothing was drawn.
        mask: (H, W) bool, what was drawn.
        digest: ``Shot.input_digest`` of the frame at that time.
    """

    frame: int
    paint: ByteArray
    mask: BoolArray
    digest: str

    def packed(self) -> ByteArray:
        """Return paint and mask as the bytes (N,) of a PNG file."""
        layers = np.dstack([self.paint[..., ::-1], self.mask.astype(np.uint8) * 255])
        _, packed = cv2.imencode(".png", layers, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        return np.asarray(packed, np.uint8).reshape(-1)

    @classmethod
    def unpacked(
        cls, frame: int, packed: ByteArray, shape: tuple[int, int], digest: str
    ) -> DrawnFrame:
        """Return what ``packed`` packed.

        Args:
            frame: its number.
            packed: (N,) uint8.
            shape: height and width that it must have.
            digest: of the frame.

        Raises:
            ValueError: it is damaged or of another size.
        """
        head = packed[:24].tobytes()
        if head[:8] != _PNG or len(head) < 24:
            raise ValueError("a drawn frame is no picture")
        if struct.unpack(">II", head[16:24]) != (shape[1], shape[0]):
            raise ValueError("a drawn frame has another size")
        if not _is_plain(packed.tobytes()):  # OpenCV makes room for all that a chunk says to have
            raise ValueError("a drawn frame is cut short, or holds more than pixels")
        layers = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
        if layers is None or layers.shape != (*shape, 4) or layers.dtype != np.uint8:
            raise ValueError("a drawn frame is damaged")
        paint = np.ascontiguousarray(layers[..., 2::-1])
        return cls(frame, paint, np.asarray(layers[..., 3] > 127), digest)

    def as_keyframe(self) -> Keyframe:
        """Return it as a painting of its frame, masked by what was drawn."""
        paint = self.paint.astype(np.float32) / 255
        return Keyframe(self.frame, paint, np.ones(self.mask.shape, np.float32), self.mask, True)


def _is_plain(png: bytes) -> bool:
    """Return whether a PNG has a header, pixels and an end, as long as they say, and no more."""
    place = 8
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        place += 12 + length
        if kind not in (b"IHDR", b"IDAT", b"IEND") or place > len(png):
            return False
    return place == len(png)
