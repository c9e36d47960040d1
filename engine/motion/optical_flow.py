# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between frames: the renderer's where there is one, else estimated; warping; occlusion.

Offsets are (H, W, 2) float32 in pixels, x right, y down: the point at (x, y) of one picture is at
(x, y) + offsets of the other. NaN means not known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np

from ..frames.frame import read_frame
from ..images.types import BoolArray, FloatArray
from ..shared.shot import Shot

SMALLEST_FOR_FLOW = 16
"""Pictures narrower or lower than this are padded before motion is estimated."""
BAND = 256
"""Rows of large pictures that are looked at at once."""


def estimate_flow(first: FloatArray, second: FloatArray) -> FloatArray:
    """Estimate motion from one picture to another by dense inverse search.

    Kroeger, Timofte, Dai, Van Gool 2016, "Fast Optical Flow using Dense Inverse Search", as OpenCV
    has it (medium preset).

    Args:
        first, second: (H, W, 3) float32, 0..1, display-referred.

    Returns:
        Offsets (H, W, 2) from the first to the second.
    """
    height, width = first.shape[:2]
    pad = [max(SMALLEST_FOR_FLOW - size, 0) for size in (height, width)]
    greys = []
    for picture in (first, second):
        grey = cv2.cvtColor(np.clip(picture, 0, 1).astype(np.float32), cv2.COLOR_RGB2GRAY)
        codes = np.rint(grey * 255).astype(np.uint8)
        greys.append(np.pad(codes, ((0, pad[0]), (0, pad[1])), mode="edge"))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(greys[0], greys[1], np.zeros((*greys[0].shape, 2), np.float32))
    return np.ascontiguousarray(np.asarray(flow)[:height, :width], np.float32)


def warp(
    picture: FloatArray, offsets: FloatArray, top: int = 0, every: int = 1
) -> tuple[FloatArray, BoolArray]:
    """Fetch for each pixel what another picture shows at its offset, bilinearly.

    Args:
        picture: (H, W) or (H, W, C) float32.
        offsets: (H, W, 2), into that picture; they may be those of a band of rows.
        top: the first row that the offsets are of.
        every: they are of every so many rows and columns.

    Returns:
        The fetched picture, of the picture's shape, 0 where not valid; and (H, W) bool, False
        where the offset is not known or leads out of the picture.
    """
    height, width = offsets.shape[:2]
    x = np.arange(0, width * every, every, dtype=np.float32) + offsets[..., 0]
    rows = np.arange(top, top + height * every, every, dtype=np.float32)
    y = rows[:, None] + offsets[..., 1]
    last_y, last_x = picture.shape[0] - 1, picture.shape[1] - 1
    with np.errstate(invalid="ignore"):
        valid = (x >= 0) & (x <= last_x) & (y >= 0) & (y <= last_y)
    x, y = np.where(valid, x, 0), np.where(valid, y, 0)
    layers = picture[..., None] if picture.ndim == 2 else picture
    fetched = np.zeros((height, width, layers.shape[2]), np.float32)
    for first in range(0, layers.shape[2], 4):
        part = np.ascontiguousarray(layers[..., first : first + 4])
        values = cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        fetched[..., first : first + 4] = values.reshape(height, width, -1)
    fetched[~valid] = 0
    return (fetched[..., 0] if picture.ndim == 2 else fetched), valid


def occluded(
    forward: FloatArray,
    backward: FloatArray,
    every: int = 1,
    apart: tuple[int, int] = (0, 0),
) -> BoolArray:
    """Tell which pixels the other picture does not show, by going there and back.

    The test of Sundaram, Brox, Keutzer 2010, "Dense Point Trajectories by GPU-accelerated Large
    Displacement Optical Flow".

    Args:
        forward: (H, W, 2), from this picture to the other.
        backward: (H, W, 2), from the other to this one, both in full.
        every: ``forward`` is of every so many rows and columns.
        apart: how far right and down this picture begins of the other, where they show parts of
            frames.

    Returns:
        (H, W) bool, True as well where an offset is not known or leads out of the picture.
    """
    result = np.ones(forward.shape[:2], bool)
    for rows in _bands(len(forward)):
        there = forward[rows]
        moved = there + np.array(apart, np.float32)
        back, valid = warp(backward, moved, top=rows.start * every, every=every)
        with np.errstate(invalid="ignore"):
            missed = _squares(there + back)
            allowed = 0.01 * (_squares(there) + _squares(back)) + 0.5
            result[rows] = ~(valid & (missed <= allowed))
    return result


def _squares(offsets: FloatArray) -> FloatArray:
    x, y = offsets[..., 0], offsets[..., 1]
    return np.asarray(x * x + y * y)


def to_previous(shot: Shot, frame: int) -> tuple[FloatArray, BoolArray]:
    """Return where each pixel of a frame was in the previous frame.

    Exact where the shot has motion; elsewhere estimated from the two pictures.

    Returns:
        Offsets (H, W, 2), never NaN; and (H, W) bool, False where the previous frame does not
        show the point or is not in the shot.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    if frame - 1 not in shot.manifest.frames:
        shape = (shot.manifest.height, shot.manifest.width)
        return np.zeros((*shape, 2), np.float32), np.zeros(shape, bool)
    forward, backward = both_ways(shot, frame - 1, frame)
    return backward, ~occluded(backward, forward)


@dataclasses.dataclass(frozen=True)
class Step:
    """The motion from one frame to a neighbour, as both of them tell it.

    Attributes:
        there: (H, W, 2), from this frame to the neighbour; never NaN.
        back: (H, W, 2), from the neighbour to this frame; never NaN.
        exact: (H, W) bool, where the renderer told ``there``; elsewhere it is estimated.
    """

    there: FloatArray
    back: FloatArray
    exact: BoolArray


def step(shot: Shot, here: int, there: int) -> Step:
    """Return the motion from a frame of a shot to its neighbour, the next or the previous one.

    Exact where the shot has motion and the frames are successive; elsewhere estimated from the
    two pictures.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    first, second = (read_frame(shot, frame, {"motion"}) for frame in (here, there))
    shape = first.image.shape[:2]
    successive = abs(here - there) == 1
    side = 2 if there > here else 0
    offsets = _side(first.motion if successive else None, side, shape)
    back = _side(second.motion if successive else None, 2 - side, shape)
    exact = np.isfinite(offsets).all(axis=2)
    for field, start, end in ((offsets, first, second), (back, second, first)):
        unknown = np.isnan(field).any(axis=2)
        if unknown.any():
            field[unknown] = estimate_flow(start.image, end.image)[unknown]
    return Step(offsets, back, exact)


def both_ways(shot: Shot, before: int, after: int) -> tuple[FloatArray, FloatArray]:
    """Return the motion between two neighbouring frames of a shot, as ``step``.

    Returns:
        Offsets (H, W, 2) from the earlier frame to the later one, and back; never NaN.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    found = step(shot, before, after)
    return found.there, found.back


def _side(motion: FloatArray | None, first: int, shape: tuple[int, ...]) -> FloatArray:
    if motion is None:
        return np.full((*shape, 2), np.nan, np.float32)
    return motion[..., first : first + 2].copy()


def _bands(height: int) -> Iterator[slice]:
    """Cut rows into bands, to bound the memory of what is computed on the way."""
    for top in range(0, height, BAND):
        yield slice(top, min(top + BAND, height))
