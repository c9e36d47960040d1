# SPDX-License-Identifier: GPL-3.0-or-later
"""Projection of a keyframe along the tracked motion, for shots without a surface pass.

Estimated motion drifts. So a pixel whose projected picture differs too much from the frame's is not
valid, except where all the motion on the way is the renderer's.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..motion.track_cache import TrackCache
from ..motion.tracking import pixel_scale
from .blending import Projected
from .resampling import Located, Ranged, Resampler

DRIFT_RADIUS = 3.0
"""Gaussian radius in pixels over which the projected picture is compared with the frame's."""
DRIFT = 0.12
"""Mean difference (0..1 a channel) above which estimated motion counts as wrong."""
OTHER_ALPHA = 0.5
"""Difference of alpha above which two pixels do not show the same point."""


class MotionProjector:
    """Projects the paint and the picture of one keyframe into any frame along the motion.

    Of a huge keyframe nothing is kept but 16 bits a channel.

    Args:
        keyframe: the painting; nothing outside its mask is projected.
        frame: the painted frame; its ``object``, if any, prevents mixing pixels of two objects.
        tracks: the keyframe's tracks.
        alpha: whether to project the offset of alpha as well.
    """

    def __init__(
        self, keyframe: Keyframe, frame: Frame, tracks: TrackCache, *, alpha: bool = False
    ) -> None:
        self.tracks = tracks
        objects = np.zeros_like(keyframe.mask, np.int32) if frame.object is None else frame.object
        self._resampler = Resampler(np.where(keyframe.mask, objects, -2).astype(np.int32))
        is_huge = Window.whole(*keyframe.mask.shape).is_of_huge
        kept = Ranged.packed if is_huge else Ranged.of
        self._paint, self._image = kept(keyframe.paint), kept(frame.image)
        self._alpha = frame.alpha.astype(np.float16) if is_huge else frame.alpha
        self._mask = keyframe.mask
        self._offset = Ranged.of((keyframe.alpha - frame.alpha)[..., None]) if alpha else None

    def project(self, frame: Frame) -> Projected:
        """Project the keyframe into a frame or a window of one; the arrays have its size.

        Raises PaintoverError as ``TrackCache.track``.
        """
        track = self.tracks.track(frame.number, frame.window)
        known = track.known()
        at = np.where(known[..., None], track.at, 0)
        x, y = np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1])
        column, row = np.rint(x).astype(np.intp), np.rint(y).astype(np.intp)
        height, width = self._mask.shape
        valid = known & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        nearest = np.where(valid, row * width + column, 0)
        valid &= self._mask.take(nearest)
        valid &= np.abs(self._alpha.take(nearest) - frame.alpha) <= OTHER_ALPHA
        located = Located(x, y, valid, 1 / pixel_scale(track))
        sampler = self._resampler.at(located)
        image = sampler.sample(self._image)
        valid = valid & (track.exact | ~_drifted(image, frame.image, valid))
        return Projected(
            paint=sampler.sample(self._paint) * valid[..., None],
            image=image * valid[..., None],
            valid=valid,
            stretch=located.stretch,
            outline=np.zeros_like(valid),
            moved=np.zeros_like(valid),
            offset=None if self._offset is None else sampler.sample(self._offset)[..., 0] * valid,
            located=located,
        )


def _drifted(carried: FloatArray, image: FloatArray, valid: BoolArray) -> BoolArray:
    """Return (H, W) bool, True where the projected picture differs too much from the frame's."""
    wrong = np.abs(carried - image).mean(axis=2) * valid
    weight = valid.astype(np.float32)
    blurred, weights = (
        cv2.GaussianBlur(values, (0, 0), DRIFT_RADIUS, borderType=cv2.BORDER_REFLECT)
        for values in (wrong, weight)
    )
    return np.asarray(blurred > DRIFT * np.maximum(weights, 1e-6))
