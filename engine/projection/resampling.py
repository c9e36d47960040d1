# SPDX-License-Identifier: GPL-3.0-or-later
"""Resampling a keyframe's pictures at fractional positions, without mixing two objects.

Interpolation is bicubic (Keys 1981, "Cubic convolution interpolation for digital image processing")
inside an object, bilinear near its border, and nearest-neighbour on the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..images.jit import compiled
from ..images.pictures import from_codes
from ..images.types import BoolArray, FloatArray, IdArray
from ..images.window import Window

LENGTH = 1024
"""Positions in a row of the grid given to OpenCV, at least."""
MOST_ROWS = 32000
"""Rows of that grid; OpenCV takes no side of 32767 or more."""
BLOCK = 512
"""Rows of a picture that are packed at once."""


class Located(NamedTuple):
    """For each pixel (H, W) of a frame, the position in the keyframe that shows the same point.

    Attributes:
        x, y: float32, pixels of the keyframe; pixel centres are whole numbers.
        valid: bool, False where the keyframe does not show the point.
        stretch: float32, side of the keyframe's pixel there, in surface units or frame pixels;
            smaller means that the keyframe saw the point in more detail.
    """

    x: FloatArray
    y: FloatArray
    valid: BoolArray
    stretch: FloatArray


class Ranged(NamedTuple):
    """A picture (H, W, C ≤ 4) and the range that resampling clips to.

    The values are float32, or codes as ``packed`` makes them.
    """

    values: FloatArray | IdArray
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: FloatArray) -> Ranged:
        """Return a picture with the range of its values."""
        return cls(values, float(values.min()), float(values.max()))

    @classmethod
    def packed(cls, values: FloatArray) -> Ranged:
        """Return a picture 0..1 in half the memory, as codes of 16 bits."""
        codes: IdArray = np.empty(values.shape, np.uint16)
        for top in range(0, len(values), BLOCK):
            rows = slice(top, top + BLOCK)
            codes[rows] = np.rint(values[rows] * np.float32(65535))
        return cls(codes, float(values.min()), float(values.max()))


class Resampler:
    """Prepares resampling of one keyframe's pictures.

    Args:
        objects: (H, W) integer ids of the keyframe; pixels of different ids are never mixed.
    """

    def __init__(self, objects: IdArray) -> None:
        self._height, self._width = objects.shape
        whole3, whole5 = (_same_object(objects, size) for size in (3, 5))
        self._room = np.where(whole5, 2, whole3).astype(np.uint8)

    @property
    def inside(self) -> BoolArray:
        """(H, W) bool, True where no other object is within two pixels."""
        inside: BoolArray = self._room == 2
        return inside

    def at(self, located: Located) -> Sampler:
        """Return a sampler for located positions."""
        places = np.flatnonzero(located.valid)
        x, y = located.x.reshape(-1)[places], located.y.reshape(-1)[places]
        columns = np.clip(np.rint(x).astype(np.intp), 0, self._width - 1)
        rows = np.clip(np.rint(y).astype(np.intp), 0, self._height - 1)
        room = self._room[rows, columns]
        groups = []
        for least, how in enumerate((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)):
            part = np.flatnonzero(room == least)
            groups.append((places[part], x[part], y[part], how))
        return Sampler(located.valid.shape, groups)


class Sampler:
    """Resamples pictures of one keyframe at fixed positions; made by ``Resampler.at``.

    Args:
        shape: height and width of the frame.
        groups: for each interpolation, flat indices of frame pixels, x and y in the keyframe, and
            OpenCV's flag.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        groups: Sequence[tuple[npt.NDArray[np.intp], FloatArray, FloatArray, int]],
    ) -> None:
        self._shape, self._groups = shape, groups

    def sample(self, picture: Ranged) -> FloatArray:
        """Resample a picture of the keyframe.

        Returns:
            (H, W, C) float32 of the frame, within the picture's range; 0 where not valid.
        """
        values, lowest, highest = picture
        result = np.zeros((*self._shape, values.shape[2]), np.float32)
        flat = result.reshape(-1, values.shape[2])
        for places, x, y, how in self._groups:
            found = _fetch(values, x, y, how)
            _put(found, places, np.float32(lowest), np.float32(highest), flat)
        return result


@compiled
def _put(
    found: FloatArray,
    places: npt.NDArray[np.intp],
    lowest: np.float32,
    highest: np.float32,
    result: FloatArray,
) -> None:
    """Write values (N, C), clipped to a range, to flat indices (N) of a picture (H × W, C)."""
    count, channels = found.shape
    for number in range(count):
        place = places[number]
        for channel in range(channels):
            result[place, channel] = min(max(found[number, channel], lowest), highest)


def _fetch(picture: FloatArray | IdArray, x: FloatArray, y: FloatArray, how: int) -> FloatArray:
    """Interpolate a picture (H, W, C ≤ 4) at positions (N) as OpenCV does; return (N, C)."""
    length = max(LENGTH, -(-len(x) // MOST_ROWS))
    rows = -(-len(x) // length)
    if not rows:
        return np.zeros((0, picture.shape[2]), np.float32)
    grids = np.zeros((2, rows * length), np.float32)
    grids[:, : len(x)] = x, y
    places = grids.reshape(2, rows, length)
    found = cv2.remap(picture, places[0], places[1], how, borderMode=cv2.BORDER_REPLICATE)
    values = from_codes(found) if found.dtype == np.uint16 else np.asarray(found, np.float32)
    return values.reshape(rows * length, -1)[: len(x)]


def _same_object(objects: IdArray, size: int) -> BoolArray:
    """Return (H, W) bool, True where the square of this size around a pixel has one id."""
    square = np.ones((size, size), np.uint8)
    result = np.empty(objects.shape, bool)
    for core, band in Window.whole(*objects.shape).parts(size // 2):
        part = objects[band.inside]
        ids = np.unique(part, return_inverse=True)[1].reshape(part.shape).astype(np.float32)
        same = np.asarray(cv2.dilate(ids, square) == cv2.erode(ids, square))
        result[core.inside] = same[core.within(band)]
    return result
