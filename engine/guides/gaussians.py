# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``gaussians``: coloured spots that move with the picture.

They let the network tell apart places that look alike. Texler et al. introduced them ("Interactive
Video Stylization Using Few-Shot Patch-Based Training", ACM TOG 39(4):73, 2020): Gaussians of random
colour at Poisson-disk points of a keyframe, moved along the motion to every other frame. Where they
leave holes, new points are added.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.hashing import hash_unit
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..motion.frame_chain import FrameChain
from ..motion.optical_flow import NeighbourMotion, occluded
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from .base import Guide

VERSION = 2
"""Raised whenever the same shot would give other points, so that caches are not reused."""
HOLE = 1.5
"""Pixels farther than this many radii from every point belong to a hole."""
FADE = 4
"""Frames over which a new point fades in."""
BLUR_REACH = 4
"""Standard deviations up to which OpenCV computes a Gaussian."""
SPARSE = 3
"""In huge frames, new points lie only on every so many pixels in x and y."""


@dataclasses.dataclass(frozen=True)
class GaussianSettings:
    """Spacing and size of the Gaussians.

    Attributes:
        radius: least distance between new points, in pixels.
        sigma: standard deviation of each Gaussian, in pixels.
    """

    radius: float = 10.0
    sigma: float = 10.0


@dataclasses.dataclass(frozen=True)
class Points:
    """The centres of the Gaussians in one frame.

    Attributes:
        places: (N, 2) float32, x and y in pixels.
        colours: (N, 3) float32, −1..1.
        ages: (N,) int32, frames since the point was added, at most ``FADE``.
    """

    places: FloatArray
    colours: FloatArray
    ages: npt.NDArray[np.int32]

    def scaled(self, by: FloatArray) -> Points:
        """Return the points in a picture whose pixels are so many times (x, y) as many."""
        if (by == 1).all():
            return self
        places = (self.places + np.float32(0.5)) * by - np.float32(0.5)
        return dataclasses.replace(self, places=places)

    def inside(self, window: Window) -> Points:
        """Return the points in a window, with their places in it."""
        x, y = self.places.T
        there = (x >= window.left) & (x <= window.right - 1)
        there &= (y >= window.top) & (y <= window.bottom - 1)
        places = self.places[there] - np.array([window.left, window.top], np.float32)
        return Points(places, self.colours[there], self.ages[there])


class MovingGaussians(Guide):
    """Three channels: the colours of the Gaussians, −1..1.

    The points are cached in ``cache/gaussians`` of the shot (see ``FrameChain``).

    Args:
        shot: any shot; its motion is exact where it has ``motion``, otherwise estimated.
        keyframe: the frame that the first points are placed in.
        settings: spacing and size of the Gaussians.
        report: receives the progress of ``prepare_together`` and may cancel it.

    Attributes:
        chain: computes the points, frame by frame.
    """

    name = "gaussians"
    needs = ("image",)
    channels = 3

    def __init__(
        self,
        shot: Shot,
        keyframe: int,
        settings: GaussianSettings | None = None,
        report: Reporter | None = None,
    ) -> None:
        self._settings = settings or GaussianSettings()
        self.chain = _PointChain(shot, keyframe, self._settings, report or Silent())
        self._last: tuple[int, Points] | None = None

    def points(self, frame: int) -> Points:
        """Return the points of a frame. Raises PaintoverError as ``FrameChain.state``."""
        return self.chain.state(frame)

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the colours, −1..1; 0 far from any point."""
        height, width = frame.alpha.shape
        window = frame.window or Window.whole(height, width)
        if self._last is None or self._last[0] != frame.number:
            self._last = frame.number, self.points(frame.number)
        result[:] = draw(self._last[1], window, self._settings.sigma)


class _PointChain(FrameChain[Points]):
    """The points of every frame of a shot."""

    folder = "gaussians"

    def __init__(
        self, shot: Shot, keyframe: int, settings: GaussianSettings, report: Reporter
    ) -> None:
        super().__init__(shot, keyframe, report, [VERSION, dataclasses.astuple(settings)])
        self._radius = settings.radius
        self._shape = (shot.manifest.height, shot.manifest.width)

    def begin(self) -> Points:
        places = self._scatter(np.ones(self._shape, bool), self.keyframe)
        return _new_points(places, self.keyframe, FADE)

    def advance(self, state: Points, motion: NeighbourMotion, frame: int) -> Points:
        hidden = occluded(motion.backward, motion.forward)
        height, width = hidden.shape
        scale = np.array([self._shape[1] / width, self._shape[0] / height], np.float32)
        moved = move(state.scaled(1 / scale), motion.backward, hidden).scaled(scale)
        hole = _distances(moved.places, self._shape) > HOLE * self._radius
        fresh = _new_points(self._scatter(hole, frame), frame, 0)
        return Points(
            *(
                np.concatenate([getattr(moved, field.name), getattr(fresh, field.name)])
                for field in dataclasses.fields(Points)
            )
        )

    def _scatter(self, allowed: BoolArray, seed: int) -> FloatArray:
        """Choose new points as ``scatter`` does, in huge frames among fewer pixels."""
        if not Window.whole(*self._shape).is_of_huge:
            return scatter(allowed, self._radius, seed)
        few = np.ascontiguousarray(allowed[::SPARSE, ::SPARSE])
        return scatter(few, self._radius / SPARSE, seed) * np.float32(SPARSE)

    def pack(self, state: Points) -> dict[str, npt.NDArray[Any]]:
        return dataclasses.asdict(state)

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Points:
        points = Points(arrays["places"], arrays["colours"], arrays["ages"])
        largest = np.array([self._shape[1] - 1, self._shape[0] - 1])
        is_whole = (
            points.places.shape == (len(points.ages), 2)
            and points.colours.shape == (len(points.ages), 3)
            and [one.dtype for one in arrays.values()].count(np.dtype(np.float32)) == 2
            and points.ages.dtype == np.int32
            and ((points.places >= 0) & (points.places <= largest)).all()
            and (np.abs(points.colours) <= 1).all()
            and ((points.ages >= 0) & (points.ages <= FADE)).all()
        )
        if not is_whole:
            raise ValueError("the points are damaged")
        return points


def scatter(allowed: BoolArray, radius: float, seed: int) -> FloatArray:
    """Choose Poisson-disk points: no two nearer than a radius, and no room for another.

    Args:
        allowed: (H, W) bool, where points may lie.
        radius: least distance in pixels.
        seed: the points depend on it.

    Returns:
        (N, 2) float32, x and y in pixels.
    """
    height, width = allowed.shape
    places = np.flatnonzero(allowed)
    chance = hash_unit(places.astype(np.uint32) + _salt(seed))
    reach = int(np.ceil(radius))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = np.hypot(rows, columns) < radius
    free = allowed.copy()
    chosen = []
    for place in places[np.argsort(chance, kind="stable")].tolist():
        row, column = divmod(place, width)
        if not free[row, column]:
            continue
        chosen.append((column, row))
        top, left = max(0, row - reach), max(0, column - reach)
        bottom, right = min(height, row + reach + 1), min(width, column + reach + 1)
        free[top:bottom, left:right] &= ~near[
            top - row + reach : bottom - row + reach, left - column + reach : right - column + reach
        ]
    return np.array(chosen, np.float32).reshape(-1, 2)


def move(points: Points, offsets: FloatArray, hidden: BoolArray) -> Points:
    """Move points to another frame; drop those that become hidden or leave the picture.

    Args:
        points: the points of one frame.
        offsets: (H, W, 2) to the other frame, in pixels, x right, y down.
        hidden: (H, W) bool, pixels that the other frame does not show.
    """
    from scipy.ndimage import map_coordinates  # noqa: PLC0415  (most styles do without it)

    height, width = hidden.shape
    at = points.places[:, ::-1].T
    step = [map_coordinates(offsets[..., axis], at, order=1, mode="nearest") for axis in (0, 1)]
    places = points.places + np.stack(step, -1).astype(np.float32)
    column, row = np.rint(points.places).astype(np.int64).T
    x, y = places.T
    kept = ~hidden[row, column] & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    ages = np.minimum(points.ages + 1, FADE)
    return Points(places[kept], points.colours[kept], ages[kept].astype(np.int32))


def draw(points: Points, window: Window, sigma: float) -> FloatArray:
    """Draw overlapping Gaussians with the same contrast, however many overlap.

    The weighted sum of the colours is divided by the root of the sum of squared weights, which
    keeps the variance of the colours.

    Args:
        points: their centres, colours and ages.
        window: the part of the picture to draw.
        sigma: standard deviation in pixels.

    Returns:
        (3, H, W) float32, −1..1.
    """
    around = window.grown(math.ceil(BLUR_REACH * sigma) + 2)
    points, shape = points.inside(around), around.shape
    weights = (points.ages + 1).astype(np.float32) / (FADE + 1)
    colours = _splat(points.places, points.colours * weights[:, None], shape)
    squares = _splat(points.places, weights[:, None] ** 2, shape)
    zero = cv2.BORDER_CONSTANT
    summed = cv2.GaussianBlur(colours, (0, 0), sigma, borderType=zero)
    power = cv2.GaussianBlur(squares, (0, 0), sigma / np.sqrt(2), borderType=zero)
    power = power.reshape(shape) / (4 * np.pi * sigma**2)
    alone = np.exp(-(3.0**2) / 2) / (2 * np.pi * sigma**2)
    picture = summed / np.sqrt(np.maximum(power, 0) + alone**2)[..., None]
    picture = np.clip(picture[window.within(around)], -1, 1)
    return np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)


def _new_points(places: FloatArray, frame: int, age: int) -> Points:
    """Return points at places (N, 2) in random colours, which depend on the frame."""
    serial = np.arange(len(places) * 3, dtype=np.uint32) + _salt(frame + 1)
    colours = hash_unit(serial).reshape(-1, 3) * 2 - 1
    return Points(places, colours, np.full(len(places), age, np.int32))


def _salt(seed: int) -> np.uint32:
    return np.uint32((seed * 0x9E3779B1) & 0xFFFFFFFF)


def _distances(places: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return (H, W) float32, the distance in pixels to the nearest point."""
    if not len(places):
        return np.full(shape, np.inf, np.float32)
    empty = np.ones(shape, np.uint8)
    column, row = np.rint(places).astype(np.int64).T
    empty[row, column] = 0
    return np.asarray(cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _splat(places: FloatArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Add values (N, C) at places (N, 2) to (H, W, C) with bilinear weights."""
    height, width = shape
    left, top = np.floor(places).astype(np.int64).T
    part_x, part_y = (places - np.floor(places)).T
    result = np.zeros((height * width, values.shape[1]), np.float32)
    for down in (0, 1):
        for right in (0, 1):
            share = (part_x if right else 1 - part_x) * (part_y if down else 1 - part_y)
            row, column = np.minimum(top + down, height - 1), np.minimum(left + right, width - 1)
            for channel in range(values.shape[1]):
                result[:, channel] += np.bincount(
                    row * width + column, share * values[:, channel], height * width
                ).astype(np.float32)
    return result.reshape(height, width, -1)
