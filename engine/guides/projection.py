# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``projection``: the paint of the keyframes, carried along the surface to any frame."""

from __future__ import annotations

from collections.abc import Sequence

from ..frames import Frame
from ..images import FloatArray
from ..keyframes import Keyframe
from ..projection import KeyProjector, Projected, choose
from . import PROJECTION_CHANNELS
from .base import Guide


class Projection(Guide):
    """Seven channels: projected paint (3), the keyframe's own picture carried alike (3), validity.

    Args:
        keyframes: the paintings, each with its frame, which has ``surface`` and ``object``.
    """

    name = "projection"
    needs = ("surface", "object")
    channels = PROJECTION_CHANNELS

    def __init__(self, keyframes: Sequence[tuple[Keyframe, Frame]]) -> None:
        self._projectors = [_projector(keyframe, frame) for keyframe, frame in keyframes]

    def compute(self, frame: Frame) -> FloatArray:
        """Return the projection of the keyframe that suits each pixel of the frame best."""
        return choose(self._projected(frame), frame.image).channels()

    def each(self, frame: Frame) -> list[FloatArray]:
        """Return the (7, H, W) projections of each keyframe, in their order, for training.

        Twice as many as keyframes: first as they are, then without outlines, which seldom stay
        where they are on the surface.
        """
        projected = self._projected(frame)
        return [
            *(one.channels() for one in projected),
            *(one.without_outlines().channels() for one in projected),
        ]

    def _projected(self, frame: Frame) -> list[Projected]:
        assert frame.surface is not None and frame.object is not None
        return [projector.project(frame.surface, frame.object) for projector in self._projectors]


def _projector(keyframe: Keyframe, frame: Frame) -> KeyProjector:
    assert frame.surface is not None and frame.object is not None
    return KeyProjector(frame.surface, frame.object, keyframe.paint, frame.image, keyframe.mask)
