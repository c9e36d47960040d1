# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the strokes of stylized frames with those of the nearest painting."""

from __future__ import annotations

from ..frames.frame import read_frame
from ..frames.keyframe import read_keyframe
from ..images.types import BoolArray, FloatArray
from ..shared.shot import Shot
from ..shared.style_header import read_style_header
from .results import mask_guides, mask_of
from .strokes import distance, stroke_quantiles


def keys_of(shot: Shot, style: str) -> set[int]:
    """Return the frames that a style was trained on; without a style, all keyframes of the shot."""
    path = shot.style_path(style)
    return set(read_style_header(path).trained_on if path.is_file() else shot.key_frames())


class PaintingStrokes:
    """Measures the strokes metric of pictures of a shot; keeps what it read of the paintings.

    Args:
        shot: the shot.
        style: the style; only paintings that it was trained on and that are still there count.
    """

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot = shot
        self._keys = sorted(key for key in keys_of(shot, style) if shot.key_is_painted(key))
        self._paintings: dict[int, FloatArray | None] = {}

    def distance(
        self, frame: int, picture: FloatArray, mask: BoolArray, where: BoolArray | None = None
    ) -> float | None:
        """Return the distance to the painting of the nearest keyframe, in 8-bit codes.

        Args:
            frame: the number of the frame that the picture shows.
            picture: (H, W, 3) float32, 0..1, display-referred.
            mask: (H, W) bool, the subject in it.
            where: (H, W) bool, the part of it to measure; None: all.

        Returns:
            None if there is no painting, or if picture or painting has too few patches.

        Raises:
            PaintoverError: the painting or its frame is damaged or of another size.
        """
        if not self._keys:
            return None
        painting = self._painting(min(self._keys, key=lambda key: abs(key - frame)))
        drawn = None if painting is None else stroke_quantiles(picture, mask, where)
        return None if painting is None or drawn is None else distance(drawn, painting)

    def _painting(self, key: int) -> FloatArray | None:
        if key not in self._paintings:
            keyframe = read_keyframe(self._shot, key)
            subject = mask_of(read_frame(self._shot, key, mask_guides(self._shot)))
            self._paintings[key] = stroke_quantiles(keyframe.paint, subject & keyframe.mask)
        return self._paintings[key]
