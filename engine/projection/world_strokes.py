# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries paint on the empty world, where there is no surface, along the motion of the camera.

The world counts as infinitely far away, as the background of a render does.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..frames.pass_cleaning import background_motion
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.shot import Shot
from .blending import Projected

SEEN = 0.5
"""Alpha from which on a pixel does not show the empty world."""


class WorldStrokes:
    """Projects the strokes on nothing of one keyframe into any frame.

    Args:
        shot: its cameras are used; without them nothing is carried to other frames.
        keyframe: the whole painting, as ``as_layer`` gives it.
        frame: its frame.
    """

    def __init__(self, shot: Shot, keyframe: Keyframe, frame: Frame) -> None:
        self._shot, self._number = shot, keyframe.frame
        strokes = keyframe.mask & (frame.alpha <= 0)
        self.any = bool(strokes.any())
        if self.any:
            self._layers = np.dstack([keyframe.paint, keyframe.alpha * strokes])

    def add(self, projected: Projected, frame: Frame) -> Projected:
        """Return a projection into a frame with the strokes where it shows the empty world."""
        height, width = frame.alpha.shape
        window = frame.window or Window.whole(height, width)
        places = np.nonzero(frame.alpha <= SEEN)
        moved = background_motion(self._shot, frame.number, self._number, places, window)
        if moved is None or not len(places[0]) or projected.offset is None:
            return projected
        maps = np.full((2, height, width), -9, np.float32)
        maps[0][places] = places[1] + window.left + moved[:, 0]
        maps[1][places] = places[0] + window.top + moved[:, 1]
        maps[~np.isfinite(maps)] = -9
        found: FloatArray = np.asarray(
            cv2.remap(self._layers, maps[0], maps[1], cv2.INTER_LINEAR), np.float32
        )
        where = (found[..., 3] > 0) & (frame.alpha <= SEEN)
        return _replaced(projected, where, found, frame.image)


def _replaced(
    projected: Projected, where: BoolArray, found: FloatArray, image: FloatArray
) -> Projected:
    """Return a projection with paint and alpha ``found`` (H, W, 4) on an empty world."""
    one = {name: getattr(projected, name).copy() for name in ("paint", "image", "stretch")}
    one["paint"][where] = found[where, :3]
    one["image"][where] = image[where]
    one["stretch"][where] = 1
    offset, strokes = projected.offset, projected.strokes
    assert offset is not None
    if strokes is not None:
        strokes = np.where(where[..., None], 0, strokes)
    return dataclasses.replace(
        projected,
        **one,
        strokes=strokes,
        offset=np.where(where, found[..., 3], offset).astype(np.float32),
        valid=projected.valid | where,
        outline=projected.outline & ~where,
        moved=projected.moved & ~where,
    )
