# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``gaussians``: coloured spots that move with the picture, to tell like places apart.

From few-shot patch-based training (Texler et al., ACM TOG 39(4):73, 2020): Gaussians of random
colour, drawn on Poisson-disk points of a keyframe and moved along the motion to every other frame.
Where they leave holes, further layers of them begin.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from ..frames.frame import Frame
from ..images.hashing import hash_unit
from ..images.types import BoolArray, FloatArray
from ..motion.frame_chain import FrameChain
from ..motion.optical_flow import both_ways, occluded
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from .base import Guide

VERSION = 1
"""Changes whenever the same shot would give other points."""
HOLE = 1.5
"""Pixels that are farther than this many radii from every point are a hole."""
FADE = 4
"""Frames in which a new point gets its full weight."""


@dataclasses.dataclass(frozen=True)
class GaussianSettings:
    """Least distance of new points, and standard deviation of each Gaussian, in pixels."""

    radius: float = 10.0
    sigma: float = 10.0


@dataclasses.dataclass(frozen=True)
class Points:
    """The centres in one frame.

    Attributes:
        places: (N, 2) float32, x and y in pixels.
        colours: (N, 3) float32, −1..1.
        ages: (N,) int32, frames since a point began, at most ``FADE``.
    """

    places: FloatArray
    colours: FloatArray
    ages: npt.NDArray[np.int32]


class MovingGaussians(Guide):
    """Three channels: the colours of the Gaussians.

    The points are cached in ``cache/gaussians`` of the shot (see ``FrameChain``).

    Args:
        shot: any shot; its motion is exact where it has ``motion``, otherwise estimated.
        keyframe: the frame where the first layer is drawn.
        settings: spacing and size of the Gaussians.
        report: receives the progress of ``prepare`` and may cancel it.
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
        self._chain = _PointChain(shot, keyframe, self._settings, report or Silent())

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Compute the points up to some frames; see ``FrameChain.prepare``."""
        self._chain.prepare(step, frames)

    def points(self, frame: int) -> Points:
        """Return the points of a frame of the shot. Raises PaintoverError as ``prepare``."""
        return self._chain.state(frame)

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the colours, −1..1, 0 far from any point."""
        height, width = frame.alpha.shape
        result[:] = draw(self.points(frame.number), (height, width), self._settings.sigma)


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
        places = scatter(np.ones(self._shape, bool), self._radius, self._keyframe)
        return _begin(places, self._keyframe, FADE)

    def advance(self, state: Points, before: int, frame: int) -> Points:
        low, high = sorted((before, frame))
        forward, backward = both_ways(self._shot, low, high)
        if frame < before:
            forward, backward = backward, forward
        moved = move(state, forward, occluded(forward, backward))
        hole = _distances(moved.places, self._shape) > HOLE * self._radius
        fresh = _begin(scatter(hole, self._radius, frame), frame, 0)
        return Points(
            *(
                np.concatenate([getattr(moved, field.name), getattr(fresh, field.name)])
                for field in dataclasses.fields(Points)
            )
        )

    def pack(self, state: Points) -> dict[str, npt.NDArray[Any]]:
        return dataclasses.asdict(state)

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Points:
        return Points(arrays["places"], arrays["colours"], arrays["ages"])


def scatter(allowed: BoolArray, radius: float, seed: int) -> FloatArray:
    """Choose Poisson-disk points: none nearer to another than a radius, and no room for more.

    Args:
        allowed: (H, W), where points may be.
        radius: in pixels.
        seed: another number gives other points.

    Returns:
        (N, 2) float32, x and y.
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
    """Move points along offsets; those that get hidden or leave the picture end.

    Args:
        points: of one frame.
        offsets: (H, W, 2) to the other frame, in pixels, x right, y down.
        hidden: (H, W), which pixels the other frame does not show.
    """
    height, width = hidden.shape
    at = points.places[:, ::-1].T
    step = [map_coordinates(offsets[..., axis], at, order=1, mode="nearest") for axis in (0, 1)]
    places = points.places + np.stack(step, -1).astype(np.float32)
    column, row = np.rint(points.places).astype(np.int64).T
    x, y = places.T
    kept = ~hidden[row, column] & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    ages = np.minimum(points.ages + 1, FADE)
    return Points(places[kept], points.colours[kept], ages[kept].astype(np.int32))


def draw(points: Points, shape: tuple[int, int], sigma: float) -> FloatArray:
    """Draw Gaussians over each other, with even contrast however many overlap.

    The weighted sum of the colours is divided by the root of the sum of squared weights, so it
    varies as much as the colours themselves wherever there are any points.

    Args:
        points: where, in what colours.
        shape: height and width.
        sigma: standard deviation in pixels.

    Returns:
        (3, H, W) float32, −1..1.
    """
    weights = (points.ages + 1).astype(np.float32) / (FADE + 1)
    colours = _splat(points.places, points.colours * weights[:, None], shape)
    squares = _splat(points.places, weights[:, None] ** 2, shape)
    zero = cv2.BORDER_CONSTANT
    summed = cv2.GaussianBlur(colours, (0, 0), sigma, borderType=zero)
    power = cv2.GaussianBlur(squares, (0, 0), sigma / np.sqrt(2), borderType=zero)
    power = power.reshape(shape) / (4 * np.pi * sigma**2)
    alone = np.exp(-(3.0**2) / 2) / (2 * np.pi * sigma**2)
    picture = summed / np.sqrt(np.maximum(power, 0) + alone**2)[..., None]
    return np.ascontiguousarray(np.clip(picture, -1, 1).transpose(2, 0, 1), np.float32)


def _begin(places: FloatArray, frame: int, age: int) -> Points:
    serial = np.arange(len(places) * 3, dtype=np.uint32) + _salt(frame + 1)
    colours = hash_unit(serial).reshape(-1, 3) * 2 - 1
    return Points(places, colours, np.full(len(places), age, np.int32))


def _salt(seed: int) -> np.uint32:
    return np.uint32((seed * 0x9E3779B1) & 0xFFFFFFFF)


def _distances(places: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return how far each pixel (H, W) is from the nearest point, in pixels."""
    if not len(places):
        return np.full(shape, np.inf, np.float32)
    empty = np.ones(shape, np.uint8)
    column, row = np.rint(places).astype(np.int64).T
    empty[row, column] = 0
    return np.asarray(cv2.distanceTransform(empty, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _splat(places: FloatArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Add values (N, C) to the four pixels around each place, by nearness: (H, W, C)."""
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
