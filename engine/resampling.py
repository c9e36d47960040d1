# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a keyframe's pictures at places between its pixels, sharply."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Located:
    """Where a keyframe shows what a frame shows; x and y in pixels, centres at whole numbers."""

    x: Floats
    y: Floats
    valid: Bools
    stretch: Floats
    """How large the keyframe's pixel is there, in any unit that its other frames share."""


class Resampler:
    """Fetches pictures of one keyframe.

    Args:
        objects: (H, W) ids of the keyframe; what has another id is never mixed in.
    """

    def __init__(self, objects: npt.NDArray[np.int32]) -> None:
        self._height, self._width = objects.shape
        self._whole3, self._whole5 = (_same_object(objects, size) for size in (3, 5))

    def sample(self, picture: Floats, located: Located) -> Floats:
        """Resample a picture of the keyframe (H, W, C ≤ 4) at located positions.

        Bicubic (Keys 1981) inside an object, bilinear near its border, the nearest pixel at it.

        Returns:
            (H, W, C) of the frame; not valid positions are 0; nothing exceeds the picture's range.
        """
        cubic, linear, nearest = (
            cv2.remap(picture, located.x, located.y, how, borderMode=cv2.BORDER_REPLICATE)
            for how in (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        )
        columns = np.clip(np.rint(located.x).astype(np.intp), 0, self._width - 1)
        rows = np.clip(np.rint(located.y).astype(np.intp), 0, self._height - 1)
        whole3, whole5 = self._whole3[rows, columns], self._whole5[rows, columns]
        cubic, linear, nearest = (
            found.reshape(*found.shape[:2], -1) for found in (cubic, linear, nearest)
        )
        result = np.where(whole5[..., None], cubic, np.where(whole3[..., None], linear, nearest))
        result = np.clip(result, picture.min(), picture.max()) * located.valid[..., None]
        return np.asarray(result, np.float32)


def _same_object(objects: npt.NDArray[np.int32], size: int) -> Bools:
    ids = np.unique(objects, return_inverse=True)[1].reshape(objects.shape).astype(np.float32)
    square = np.ones((size, size), np.uint8)
    return np.asarray(cv2.dilate(ids, square) == cv2.erode(ids, square))
