# SPDX-License-Identifier: GPL-3.0-or-later
"""The input of a style: the passes of a frame without gaps, its light and its edges."""

from __future__ import annotations

import dataclasses
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from engine.frames.frame import Frame
from engine.images.colour.srgb import decode_srgb
from engine.images.types import BoolArray

from .noise import DoubleArray

FAR = 50.0
BACKGROUND = 0
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
CREASE = 1.0
"""Smallest sum of |difference| of neighbouring normals at a crease."""
BEND = 0.03
"""Smallest second difference of 1/depth, relative to 1/depth, at an occlusion edge."""
LIGHT_BLUR = 1.2
"""Standard deviation, in pixels of the painting, of the blur of the light in each object."""


@dataclasses.dataclass(frozen=True)
class Painted:
    """A painted frame: colour (H, W, 3), 0..1, straight; alpha (H, W), None for the frame's own."""

    colour: DoubleArray
    alpha: DoubleArray | None = None


class Look:
    """A frame as input of a style.

    Args:
        frame: a frame with all passes.
        fine: pixels of the frame per pixel of the painting, in x and in y.
        strokes: factor for the surface coordinates.

    Attributes:
        fine: see above.
        image, albedo: (H, W, 3), 0..1, display-referred; albedo is the image on the background.
        alpha: (H, W), 0..1.
        normal: (H, W, 3). depth: (H, W), at most ``FAR``.
        things: (H, W) int32, an id for every pixel, 0 on the background.
        place: (H, W, 3) surface coordinates to draw in, with another offset for every object.
    """

    def __init__(self, frame: Frame, fine: int = 1, strokes: float = 1.0) -> None:
        assert frame.object is not None and frame.surface is not None
        assert frame.depth is not None and frame.normal is not None and frame.albedo is not None
        self.fine = fine
        self.image = frame.image.astype(np.float64)
        self.alpha = frame.alpha.astype(np.float64)
        self.normal, depth = frame.normal.astype(np.float64), frame.depth.astype(np.float64)
        self.depth = np.minimum(depth, FAR)
        known = (frame.object > 0) & np.isfinite(frame.surface).all(axis=2)
        sure = known | (frame.object == BACKGROUND)
        near = tuple(distance_transform_edt(~sure, return_distances=False, return_indices=True))
        self.things = np.where(sure, frame.object, frame.object[near]).astype(np.int32)
        surface = np.where(known[..., None], frame.surface, 0)[near]
        shift = (self.things % 1009 * 7.31)[..., None]
        self.place: DoubleArray = surface.astype(np.float64) * strokes + shift
        lit = (self.things != BACKGROUND) & (frame.albedo.max(axis=2) > 0.01)
        self.albedo = np.where(lit[..., None], frame.albedo.astype(np.float64), self.image)

    @cached_property
    def light(self) -> DoubleArray:
        """(H, W), the light on each pixel, 0..2; at 1 a surface shows its own colour."""
        reflected, own = (
            np.asarray(decode_srgb(picture), np.float64) @ LUMINANCE
            for picture in (self.image, self.albedo)
        )
        return self.within(np.clip(reflected / np.maximum(own, 0.01), 0, 2), LIGHT_BLUR)

    @cached_property
    def borders(self) -> BoolArray:
        """(H, W), pixels before another object (to the right or below) or at an occlusion edge."""
        near = 1 / np.maximum(self.depth, 1e-6)
        found = np.zeros(self.things.shape, bool)
        for axis in (0, 1):
            found |= _before(np.diff(self.things, axis=axis) != 0, axis)
            bend = np.abs(np.diff(near, n=2, axis=axis))
            middle = np.take(near, range(1, near.shape[axis] - 1), axis=axis)
            padding = [(0, 0), (0, 0)]
            padding[axis] = (1, 1)
            found |= np.pad(bend > BEND * middle, padding)
        return found

    @cached_property
    def creases(self) -> BoolArray:
        """(H, W), pixels whose right or lower neighbour has a sharply different normal."""
        found = np.zeros(self.things.shape, bool)
        for axis in (0, 1):
            turn = np.abs(np.diff(self.normal, axis=axis)).sum(axis=-1)
            found |= _before(turn > CREASE, axis)
        return found

    @cached_property
    def outside(self) -> tuple[DoubleArray, npt.NDArray[np.intp]]:
        """(H, W), the distance of each pixel from all things, and its nearest one on a thing.

        The distance is in pixels of the painting, 0 on things; the nearest is a flat index.
        """
        inside = self.things != BACKGROUND
        reach, nearest = cv2.distanceTransformWithLabels(
            (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        rows, columns = np.nonzero(inside)
        source = np.zeros(int(nearest.max()) + 1, np.intp)
        source[nearest[rows, columns]] = rows * inside.shape[1] + columns
        return np.asarray(reach, np.float64), source[nearest]

    def lines(self, width: float) -> DoubleArray:
        """Return coverage (H, W), 0..1, of lines on borders and creases, ``width`` pixels wide."""
        marked = (self.borders | self.creases).astype(np.float32)
        radius = width * self.fine / 2
        reach = cv2.distanceTransform((marked == 0).astype(np.uint8), cv2.DIST_L2, 5)
        return np.asarray(np.clip(radius + 0.5 - reach, 0, 1), np.float64)

    def within(self, values: DoubleArray, radius: float) -> DoubleArray:
        """Blur values (H, W) inside each object; ``radius`` is sigma in pixels of the painting."""
        result = values.copy()
        spread = int(3 * radius * self.fine) + 1
        for thing, (rows, columns) in self._boxes.items():
            box = np.s_[
                max(0, rows.start - spread) : rows.stop + spread,
                max(0, columns.start - spread) : columns.stop + spread,
            ]
            inside = (self.things[box] == thing).astype(np.float64)
            sigma = radius * self.fine
            total = cv2.GaussianBlur(values[box] * inside, (0, 0), sigma)
            weight = cv2.GaussianBlur(inside, (0, 0), sigma)
            chosen = inside > 0
            result[box][chosen] = (total / np.maximum(weight, 1e-9))[chosen]
        return result

    @cached_property
    def _boxes(self) -> dict[int, tuple[slice, slice]]:
        boxes = {}
        for thing in np.unique(self.things):
            rows, columns = np.nonzero(self.things == thing)
            boxes[int(thing)] = (
                slice(rows.min(), rows.max() + 1),
                slice(columns.min(), columns.max() + 1),
            )
        return boxes


def _before(steps: BoolArray, axis: int) -> BoolArray:
    padding = [(0, 0), (0, 0)]
    padding[axis] = (0, 1)
    return np.pad(steps, padding)


def smoothstep(low: float, high: float, values: DoubleArray) -> DoubleArray:
    """Return 0 below ``low``, 1 above ``high``, and a smooth step between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
