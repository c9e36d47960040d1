# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching a keyframe's pictures at places between its pixels, sharply."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

LENGTH = 1024
"""Positions in a row; OpenCV takes grids of at most 32767 a side."""


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
        whole3, whole5 = (_same_object(objects, size) for size in (3, 5))
        self._room = np.where(whole5, 2, whole3).astype(np.uint8)

    @property
    def inside(self) -> Bools:
        """Where (H, W) no other object is within two pixels."""
        inside: Bools = self._room == 2
        return inside

    def sample(self, picture: Floats, located: Located) -> Floats:
        """Resample a picture of the keyframe (H, W, C ≤ 4) at located positions.

        Bicubic (Keys 1981) inside an object, bilinear near its border, the nearest pixel at it.

        Returns:
            (H, W, C) of the frame; not valid positions are 0; nothing exceeds the picture's range.
        """
        places = np.flatnonzero(located.valid)
        x, y = located.x.reshape(-1)[places], located.y.reshape(-1)[places]
        columns = np.clip(np.rint(x).astype(np.intp), 0, self._width - 1)
        rows = np.clip(np.rint(y).astype(np.intp), 0, self._height - 1)
        found = np.empty((len(places), picture.shape[2]), np.float32)
        room = self._room[rows, columns]
        for least, how in enumerate((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)):
            part = np.flatnonzero(room == least)
            found[part] = fetch(picture, x[part], y[part], how, cv2.BORDER_REPLICATE)
        result = np.zeros((*located.valid.shape, picture.shape[2]), np.float32)
        result.reshape(-1, picture.shape[2])[places] = np.clip(
            found, picture.min(), picture.max(), out=found
        )
        return result


def fetch(picture: Floats, x: Floats, y: Floats, how: int, border: int) -> Floats:
    """Interpolate a picture (H, W, C ≤ 4) at N positions.

    Args:
        picture: the picture.
        x, y: (N), in pixels.
        how, border: of OpenCV.

    Returns:
        (N, C).
    """
    rows = -(-len(x) // LENGTH)
    if not rows:
        return np.zeros((0, picture.shape[2]), np.float32)
    grids = np.zeros((2, rows * LENGTH), np.float32)
    grids[:, : len(x)] = x, y
    places = grids.reshape(2, rows, LENGTH)
    found = cv2.remap(picture, places[0], places[1], how, borderMode=border)
    return np.asarray(found, np.float32).reshape(rows * LENGTH, -1)[: len(x)]


def _same_object(objects: npt.NDArray[np.int32], size: int) -> Bools:
    ids = np.unique(objects, return_inverse=True)[1].reshape(objects.shape).astype(np.float32)
    square = np.ones((size, size), np.uint8)
    return np.asarray(cv2.dilate(ids, square) == cv2.erode(ids, square))
