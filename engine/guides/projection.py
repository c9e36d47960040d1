# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``projection``: the paint of the keyframes, carried to any frame.

It is carried along the surface where the shot has ``surface`` and ``object``, else along the
motion from frame to frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ..blending import Projected, blend, turns
from ..chains import MotionChain
from ..frames import Frame
from ..images import FloatArray
from ..keyframes import Keyframe
from ..motion_projection import MotionProjector
from ..projection import KeyProjector
from ..reporting import Reporter, Silent
from ..shot import Shot
from ..style_header import PROJECTION, SURFACE_NEEDS, has_surface
from . import PROJECTION_CHANNELS
from .base import Guide

FAINT = 0.2
"""Weight below which the network is to see less and less of a keyframe."""


class Projection(Guide):
    """Seven channels: projected paint (3), the keyframe's own picture carried alike (3), validity.

    Args:
        shot: the shot; the motion is followed through its frames where it has no surface.
        keyframes: the paintings, each with its frame, read with what ``needs`` names.
        report: hears how far ``prepare`` is, and may cancel it.
    """

    name = PROJECTION
    needs = SURFACE_NEEDS
    channels = PROJECTION_CHANNELS

    def __init__(
        self,
        shot: Shot,
        keyframes: Sequence[tuple[Keyframe, Frame]],
        report: Reporter | None = None,
    ) -> None:
        report = report or Silent()
        self._keys = [keyframe.frame for keyframe, _ in keyframes]
        self._along_surface: list[KeyProjector] = []
        self._along_motion: list[MotionProjector] = []
        for keyframe, frame in keyframes:
            if has_surface(shot.manifest.passes):
                self._along_surface.append(_surface_projector(keyframe, frame))
            else:
                chain = MotionChain(shot, keyframe.frame, report)
                self._along_motion.append(MotionProjector(keyframe, frame, chain))

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Do ahead, with progress, what leads from the keyframes to some frames.

        Args:
            step: of the progress, such as ``train``.
            frames: of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop; what was found is kept.
        """
        wanted = list(frames)
        for projector in self._along_motion:
            projector.chain.prepare(step, wanted)

    def compute(self, frame: Frame, weights: Mapping[int, float] | None = None) -> FloatArray:
        """Return the projection of the keyframes that suit each pixel of the frame best.

        Where the weights of the keyframes that see a pixel sum to less than 1, validity is that
        sum, so that paint fades where no other keyframe takes over. The other channels fade below
        ``FAINT``, to be 0 like the validity at last.

        Args:
            frame: any of the shot.
            weights: keyframe → how much it counts on this frame, 0 or more; 1 where not named,
                0 leaves it out.
        """
        given = weights or {}
        shares = [given.get(key, 1.0) for key in self._keys]
        candidates = self._projected(frame)
        blended = blend(candidates, turns(self._keys, shares, frame.number), frame.image)
        channels = blended.channels()
        total = np.zeros(channels.shape[1:], np.float32)
        for share, one in zip(shares, candidates, strict=True):
            total += share * one.valid
        channels[:-1] *= np.minimum(total / FAINT, 1)
        channels[-1] = np.minimum(channels[-1], total)
        return channels

    def each(self, frame: Frame) -> list[FloatArray]:
        """Return the (7, H, W) projections of each keyframe, in their order, for training.

        First as they are, then, of those along a surface, without outlines, which seldom stay
        where they are on the surface.
        """
        projected = self._projected(frame)
        whole = [one.channels() for one in projected]
        if self._along_motion:
            return whole
        return [*whole, *(one.without_outlines().channels() for one in projected)]

    def _projected(self, frame: Frame) -> list[Projected]:
        return [projector.project(frame) for projector in self._along_motion or self._along_surface]


def _surface_projector(keyframe: Keyframe, frame: Frame) -> KeyProjector:
    assert frame.surface is not None and frame.object is not None
    return KeyProjector(frame.surface, frame.object, keyframe.paint, frame.image, keyframe.mask)
