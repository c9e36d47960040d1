# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``projection``: the paint of the keyframes, carried to any frame.

It is carried along the surface where the shot has ``surface`` and ``object``, else along the
motion from frame to frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..motion.track_cache import TrackCache
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from ..shared.style_header import PROJECTION, SURFACE_NEEDS, has_surface
from .blending import Projected, blend, turns
from .channels import LIGHT, PAINT, VALID
from .motion_projector import MotionProjector
from .resampling import Ranged
from .surface_edges import SurfaceEdges, is_known
from .surface_projector import LEAST_OUTLINE, KeyProjector

BORDER = 2.0
"""Pixels over which paint gives way towards surface that no keyframe saw."""
FAINT = 0.2
"""Weight below which the network is to see less and less of a keyframe."""


class Carried(NamedTuple):
    """What keyframes show of a frame: (7, H, W) channels of the guide, (H, W, 3) strokes or None.

    Strokes are differences of paint 0..1.
    """

    channels: FloatArray
    strokes: FloatArray | None


class Projection:
    """Seven channels: projected paint (3), how much lighter the keyframe was (3), validity.

    The middle three are the keyframe's own picture, carried like the paint, less the frame's: 0
    where the light is as it was when the paint was put on.

    Args:
        shot: the shot; the motion is followed through its frames where it has no surface.
        keyframes: the paintings, each with its frame, read with what ``needs`` names; along a
            surface parts of them will do.
        report: hears how far ``prepare`` is, and may cancel it.
    """

    name = PROJECTION
    needs = SURFACE_NEEDS

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
                tracks = TrackCache(shot, keyframe.frame, report)
                self._along_motion.append(MotionProjector(keyframe, frame, tracks))

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
            projector.tracks.prepare(step, wanted)

    def carry_strokes(self, strokes: Sequence[Ranged]) -> None:
        """From now on carry strokes along with the keyframes, in their order.

        Their first three channels are (H, W, 3) differences of paint.

        Where keyframes are carried along the motion, strokes are not.
        """
        for projector, drawn in zip(self._along_surface, strokes, strict=False):
            projector.strokes = drawn

    def compute(self, frame: Frame) -> FloatArray:
        """Return the channels of ``carry``, every keyframe counting alike."""
        return self.carry(frame).channels

    def carry(
        self,
        frame: Frame,
        weights: Mapping[int, float] | None = None,
        border: float = BORDER,
        edges: SurfaceEdges | None = None,
    ) -> Carried:
        """Carry the keyframes that suit each pixel of the frame best.

        Where the weights of the keyframes that see a pixel sum to less than 1, validity is that
        sum, so that paint fades where no other keyframe takes over. The other channels fade below
        ``FAINT``, to be 0 like the validity at last. Towards surface that no keyframe saw, validity
        falls, so that no seam is left; on the keyframes themselves it does not.

        Args:
            frame: any of the shot.
            weights: keyframe → how much it counts on this frame, 0 or more; 1 where not named,
                0 leaves it out.
            border: pixels over which validity falls; 0: not at all.
            edges: the frame's, where they have been computed already.
        """
        if edges is None and self._along_surface:
            edges = SurfaceEdges.of(frame)
        given = weights or {}
        shares = [given.get(key, 1.0) for key in self._keys]
        candidates = self._projected(frame, edges)
        blended = blend(candidates, turns(self._keys, shares, frame.number), frame.image)
        channels = blended.channels()
        total = np.zeros(channels.shape[1:], np.float32)
        for share, one in zip(shares, candidates, strict=True):
            total += np.float32(share) * one.valid
        _compare(channels[PAINT], channels[LIGHT], channels[VALID], frame.image, total)
        if border and edges is not None and frame.number not in self._keys:
            distance = _distance_to_unseen(frame, blended.valid | blended.moved, edges)
            channels[VALID] *= np.minimum(distance / border, 1)
        return Carried(channels, blended.strokes)

    def each(self, frame: Frame) -> list[FloatArray]:
        """Return the (7, H, W) projections of each keyframe, in their order, for training.

        First as they are, then, of those along a surface, without outlines, which seldom stay
        where they are on the surface. The middle channels are the keyframe's picture itself,
        −1..1, not yet compared with the frame's.
        """
        if self._along_motion:
            return [one.channels() for one in self._projected(frame, None)]
        projected = self._projected(frame, SurfaceEdges.of(frame))
        whole = [one.channels() for one in projected]
        return [*whole, *(one.without_outlines().channels() for one in projected)]

    def _projected(self, frame: Frame, edges: SurfaceEdges | None) -> list[Projected]:
        if self._along_motion:
            return [projector.project(frame) for projector in self._along_motion]
        return [projector.project(frame, edges) for projector in self._along_surface]


@compiled
def _compare(
    paint: FloatArray, light: FloatArray, valid: FloatArray, image: FloatArray, total: FloatArray
) -> None:
    """Turn keyframes' pictures into what they differ from the frame's, and fade what is faint.

    Args:
        paint, light: (3, H, W), and ``valid``: (H, W), channels of the guide, changed in place;
            light holds the keyframes' pictures at first.
        image: (H, W, 3), the frame's picture, 0..1.
        total: (H, W), how much the keyframes that see a pixel count.
    """
    height, width = total.shape
    for row in range(height):
        for column in range(width):
            seen, counts = valid[row, column], total[row, column]
            if seen == 0:
                continue
            fade = min(counts / np.float32(FAINT), np.float32(1))
            for channel in range(3):
                paint[channel, row, column] *= fade
                here = (2 * image[row, column, channel] - 1) * seen
                difference = light[channel, row, column] - here
                difference = min(max(difference, np.float32(-1)), np.float32(1))
                light[channel, row, column] = difference * fade
            valid[row, column] = min(seen, counts)


def _distance_to_unseen(frame: Frame, seen: BoolArray, edges: SurfaceEdges) -> FloatArray:
    """Return (H, W) how far, in pixels, surface is that is not seen.

    What lies within ``LEAST_OUTLINE`` of an occlusion edge is left aside.
    """
    assert frame.surface is not None and frame.object is not None
    unseen = ~seen & (frame.object > 0) & is_known(frame.surface)
    unseen &= edges.distance > LEAST_OUTLINE
    if not unseen.any():
        return np.full(seen.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~unseen).astype(np.uint8), cv2.DIST_L2, 3))


def _surface_projector(keyframe: Keyframe, frame: Frame) -> KeyProjector:
    assert frame.surface is not None and frame.object is not None
    width = frame.window.width if frame.window else None
    picture = keyframe.paint, frame.image, keyframe.mask
    return KeyProjector(frame.surface, frame.object, *picture, width)
