# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``projection``: the paint of the keyframes projected into any frame.

Where the shot has the passes ``surface`` and ``object``, each pixel looks up its surface point in
the keyframes. Otherwise keyframes are tracked along the motion from frame to frame.
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
from ..motion.frame_chain import prepare_together
from ..motion.track_cache import TrackCache
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from ..shared.style_header import PROJECTION, SURFACE_NEEDS, has_surface
from .blending import Projected, blend, time_weights
from .channels import LIGHT, OFFSET, PAINT, VALID
from .motion_projector import MotionProjector
from .resampling import Ranged
from .surface_edges import SurfaceEdges, is_known
from .surface_projector import LEAST_OUTLINE, SurfaceProjector
from .world_strokes import WorldStrokes

BORDER = 2.0
"""Pixels over which validity falls towards surface that no keyframe saw."""
LIGHT_RADIUS = 4.0
"""Gaussian radius in pixels over which light is averaged along estimated motion."""
FAINT = 0.2
"""Total weight of keyframes below which paint and light fade to 0."""


class Carried(NamedTuple):
    """What the keyframes give to a frame of size (H, W).

    Attributes:
        channels: (7 or 8, H, W) float32, the guides (see ``channels``).
        strokes: (H, W, 3) float32, stroke residuals to add to paint 0..1; None if not carried.
    """

    channels: FloatArray
    strokes: FloatArray | None


class Projection:
    """Computes the guide's seven channels (see ``channels``): paint (3), light (3), validity (1).

    Light is the keyframe's picture minus the frame's: 0 where the light is as it was in the
    painted frame. Where alpha is learnt, an eighth channel has the offset of alpha.

    Args:
        shot: the shot; without a surface, motion is tracked through its frames.
        keyframes: the paintings, each with its frame, read with the passes in ``needs``. With a
            surface they may be windows of frames.
        alpha: whether to project the offset of alpha as well.
        report: receives the progress of ``prepare`` and may cancel it.
    """

    name = PROJECTION
    needs = SURFACE_NEEDS

    def __init__(
        self,
        shot: Shot,
        keyframes: Sequence[tuple[Keyframe, Frame]],
        report: Reporter | None = None,
        *,
        alpha: bool = False,
    ) -> None:
        report = report or Silent()
        self._shot, self._report, self._alpha = shot, report, alpha
        self._own = len(keyframes)
        self._keys = [keyframe.frame for keyframe, _ in keyframes]
        self._masks = [keyframe.mask for keyframe, _ in keyframes]
        self._along_surface: list[SurfaceProjector] = []
        self._on_world: list[WorldStrokes] = []
        self._along_motion: list[MotionProjector] = []
        for keyframe, frame in keyframes:
            if has_surface(shot.manifest.passes):
                self._along_surface.append(_surface_projector(keyframe, frame, alpha))
                if alpha:
                    self._on_world.append(WorldStrokes(shot, keyframe, frame))
            else:
                tracks = TrackCache(shot, keyframe.frame, report)
                self._along_motion.append(MotionProjector(keyframe, frame, tracks, alpha=alpha))

    def add_drawn(self, keyframe: Keyframe, frame: Frame) -> None:
        """Project a drawn frame along the motion, too, as ``carry`` does; ``each`` leaves it out.

        Args:
            keyframe: the drawn frame as a painting.
            frame: its frame, as for keyframes.
        """
        self._keys.append(keyframe.frame)
        tracks = TrackCache(self._shot, keyframe.frame, self._report)
        self._along_motion.append(MotionProjector(keyframe, frame, tracks, alpha=self._alpha))

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Track the keyframes to some frames; nothing to do where the shot has a surface.

        Args:
            step: name of the job's step in the progress, such as ``train``.
            frames: frames of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop; finished tracks stay in the cache.
        """
        prepare_together([projector.tracks for projector in self._along_motion], step, frames)

    def repaint(self, keyframe: Keyframe, frame: Frame) -> None:
        """Take another painting of one of the keyframes; quick where its mask is as it was.

        Args:
            keyframe: the new painting.
            frame: its frame, as for the class.
        """
        number = self._keys.index(keyframe.frame)
        if self._along_motion:
            tracks = self._along_motion[number].tracks
            new = MotionProjector(keyframe, frame, tracks, alpha=self._alpha)
            self._along_motion[number] = new
        elif np.array_equal(keyframe.mask, self._masks[number]):
            offset = keyframe.alpha - frame.alpha if self._alpha else None
            self._along_surface[number].repaint(keyframe.paint, offset)
        else:
            self._along_surface[number] = _surface_projector(keyframe, frame, self._alpha)
        if self._on_world:
            self._on_world[number] = WorldStrokes(self._shot, keyframe, frame)
        self._masks[number] = keyframe.mask

    def carry_strokes(self, strokes: Sequence[Ranged]) -> None:
        """From now on project stroke residuals along with the keyframes.

        Without a surface this does nothing.

        Args:
            strokes: for each keyframe (H, W, C), whose first three channels are to be added to
                paint 0..1.
        """
        for projector, drawn in zip(self._along_surface, strokes, strict=False):
            projector.strokes = drawn

    def compute(self, frame: Frame) -> FloatArray:
        """Return the channels (7 or 8, H, W) of ``carry`` with a weight of 1 for every keyframe."""
        return self.carry(frame).channels

    def carry(
        self,
        frame: Frame,
        weights: Mapping[int, float] | None = None,
        border: float = BORDER,
        edges: SurfaceEdges | None = None,
        candidates: Sequence[Projected] | None = None,
    ) -> Carried:
        """Project the keyframes into a frame and blend them (see ``blending``).

        Where the weights of the keyframes that show a pixel sum to less than 1, validity is that
        sum, so that paint fades where no other keyframe takes over. Paint and light fade as well
        where the sum is below ``FAINT``. Validity falls to 0 towards surface that no keyframe
        shows, which hides the seam; not in the keyframes' own frames.

        Args:
            frame: any frame of the shot, or a window of one, read with the passes in ``needs``.
            weights: frame number of a keyframe → its weight in this frame, 0..1; missing
                ones are 1, and 0 leaves the keyframe out.
            border: pixels over which validity falls; 0 turns this off.
            edges: the frame's, where they have been computed already.
            candidates: what ``project`` returned for the frame; None: it is called here.
        """
        if edges is None and self._along_surface:
            edges = SurfaceEdges.of(frame)
        given = weights or {}
        shares = [given.get(key, 1.0) for key in self._keys]
        candidates = self.project(frame, edges) if candidates is None else candidates
        blended = blend(candidates, time_weights(self._keys, shares, frame.number), frame.image)
        channels = blended.channels()
        total = np.zeros(channels.shape[1:], np.float32)
        for share, one in zip(shares, candidates, strict=True):
            total += np.float32(share) * one.valid
        if len(channels) > OFFSET:
            channels[OFFSET] *= np.minimum(total / np.float32(FAINT), 1)
        _compare(channels[PAINT], channels[LIGHT], channels[VALID], frame.image, total)
        if self._along_motion:
            _smooth_light(channels[LIGHT], channels[VALID])
        if border and edges is not None and frame.number not in self._keys:
            distance = _distance_to_unseen(frame, blended.valid | blended.moved, edges)
            channels[VALID] *= np.minimum(distance / border, 1)
        return Carried(channels, blended.strokes)

    def each(self, frame: Frame, key: int | None = None) -> list[FloatArray]:
        """Return the projection (7 or 8, H, W) of each keyframe alone, in order, for training.

        With a surface, the same follows again without outlines, since these seldom stay in place
        on the surface. ``LIGHT`` holds the keyframe's picture itself, −1..1, not a difference.

        Args:
            frame: a frame, read with the passes in ``needs``.
            key: frame number of the only keyframe to project; None: all.
        """
        if self._along_motion:
            return [one.channels() for one in self.project(frame, key=key)]
        projected = self.project(frame, SurfaceEdges.of(frame), key)
        whole = [one.channels() for one in projected]
        return [*whole, *(one.without_outlines().channels() for one in projected)]

    def project(
        self, frame: Frame, edges: SurfaceEdges | None = None, key: int | None = None
    ) -> list[Projected]:
        """Return each keyframe projected into a frame, in order, or one; arguments as above."""
        numbers = range(len(self._keys)) if key is None else [self._keys.index(key)]
        if self._along_motion:
            return [self._along_motion[number].project(frame) for number in numbers]
        found = [self._along_surface[number].project(frame, edges) for number in numbers]
        if not self._on_world:
            return found
        worlds = [self._on_world[number] for number in numbers]
        return [
            world.add(one, frame) if world.any else one
            for one, world in zip(found, worlds, strict=True)
        ]


@compiled
def _compare(
    paint: FloatArray, light: FloatArray, valid: FloatArray, image: FloatArray, total: FloatArray
) -> None:
    """Subtract the frame's picture from the keyframes' and fade by weight, in place.

    Args:
        paint: (3, H, W), −1..1.
        light: (3, H, W), the keyframes' pictures, −1..1; becomes the difference.
        valid: (H, W), 0..1.
        image: (H, W, 3), the frame's picture, 0..1.
        total: (H, W), sum of the weights of the keyframes that show a pixel.
    """
    height, width = total.shape
    for row in range(height):
        for column in range(width):
            validity, weight = valid[row, column], total[row, column]
            if validity == 0:
                continue
            fade = min(weight / np.float32(FAINT), np.float32(1))
            for channel in range(3):
                paint[channel, row, column] *= fade
                here = (2 * image[row, column, channel] - 1) * validity
                difference = light[channel, row, column] - here
                difference = min(max(difference, np.float32(-1)), np.float32(1))
                light[channel, row, column] = difference * fade
            valid[row, column] = min(validity, weight)


def _smooth_light(light: FloatArray, valid: FloatArray) -> None:
    """Smooth differences of pictures (3, H, W), in place, where motion is estimated.

    A track that is off by a pixel makes differences of both signs in every texture. These say
    nothing of the light.

    Args:
        light: differences, 0 where not valid.
        valid: (H, W), 0..1.
    """
    weight = np.maximum(cv2.GaussianBlur(valid, (0, 0), LIGHT_RADIUS), np.float32(1e-3))
    for channel in light:
        smooth = cv2.GaussianBlur(channel, (0, 0), LIGHT_RADIUS) / weight
        channel[...] = smooth * valid


def _distance_to_unseen(frame: Frame, seen: BoolArray, edges: SurfaceEdges) -> FloatArray:
    """Return (H, W) float32, the distance in pixels to the nearest surface that is not seen.

    Surface within ``LEAST_OUTLINE`` pixels of an occlusion edge is ignored.
    """
    assert frame.surface is not None and frame.object is not None
    unseen = ~seen & (frame.object > 0) & is_known(frame.surface)
    unseen &= edges.distance > LEAST_OUTLINE
    if not unseen.any():
        return np.full(seen.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~unseen).astype(np.uint8), cv2.DIST_L2, 3))


def _surface_projector(keyframe: Keyframe, frame: Frame, alpha: bool) -> SurfaceProjector:
    assert frame.surface is not None and frame.object is not None
    width = frame.window.width if frame.window else None
    picture = keyframe.paint, frame.image, keyframe.mask
    offset = keyframe.alpha - frame.alpha if alpha else None
    return SurfaceProjector(frame.surface, frame.object, *picture, width, offset)
