# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures for Blender to show, in the slots of a memory-mapped file."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..shared.live_files import PictureSlots
from ..shared.live_protocol import LivePictures
from .types import FloatArray


def put_picture(
    slots: PictureSlots, slot: int, frame: int, pixels: FloatArray, shows: str, change: int = 0
) -> int:
    """Write a picture into a slot, scaled to its size.

    Args:
        slots: the file.
        slot: number of the slot.
        frame: number of the picture's frame.
        pixels: (H, W, 4) float32, 0..1, straight alpha, top row first.
        shows: one of ``live_protocol.KINDS``.
        change: the last change of the paint that it shows.

    Returns:
        The sequence number of its header.
    """
    converted = _converted(slots.place, pixels)
    with slots.writing(slot, frame, shows, change) as sequence:
        target = slots.pixels(slot)
        target.cast("B")[:] = converted
        target.release()
    return sequence


def _converted(place: LivePictures, pixels: FloatArray) -> bytes:
    size = place.width, place.height
    if pixels.shape[1::-1] != size:
        pixels = _scaled(pixels, size)
    if place.bottom_first:
        pixels = pixels[::-1]
    if not place.floats:
        codes = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
        return bytes(codes.tobytes())
    return bytes(np.clip(pixels, 0, 1).astype(np.float32).tobytes())


def _scaled(pixels: FloatArray, size: Sequence[int]) -> FloatArray:
    """Scale straight pixels; colours count by their alpha."""
    premultiplied = pixels.copy()
    premultiplied[..., :3] *= pixels[..., 3:]
    scaled = cv2.resize(premultiplied, tuple(size), interpolation=cv2.INTER_AREA)
    found: FloatArray = np.asarray(scaled, np.float32)
    found[..., :3] /= np.where(found[..., 3:] > 0, found[..., 3:], 1)
    return found
