# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between two frames, warping a picture along it, and finding occluded pixels.

Motion comes from the renderer where the shot has a motion pass; otherwise optical flow estimates it
from the two pictures.

Offsets are (H, W, 2) float32 in pixels, x right, y down: the point at (x, y) in one picture is at
(x, y) + offset in the other. NaN means unknown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import cv2
import numpy as np

from ..frames.frame import Frame, read_frame
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.shot import Shot

SMALLEST_FOR_FLOW = 16
"""Smaller pictures are padded to this many pixels a side before motion is estimated."""
GRID = 1 << 24
"""Pixels of the grid on which the motion of huge pictures is followed, at most."""
BAND = 256
"""Rows of a picture that ``occluded`` processes at once, to bound its memory."""


def motion_shape(shot: Shot) -> tuple[int, int]:
    """Return height and width of the grid on which motion is followed: huge frames are reduced."""
    height, width = shot.manifest.height, shot.manifest.width
    if not Window.whole(height, width).is_of_huge:
        return height, width
    every = math.ceil(math.sqrt(height * width / GRID))
    return -(-height // every), -(-width // every)


def estimate_flow(first: FloatArray, second: FloatArray) -> FloatArray:
    """Estimate the motion from one picture to another with DIS optical flow.

    Kroeger, Timofte, Dai, Van Gool 2016, "Fast Optical Flow using Dense Inverse Search"; OpenCV's
    implementation, medium preset, on 8-bit greys. Patches farther apart, or fewer steps for each,
    take two thirds of the time, but lost a third of the pixels of a head that turns quickly.

    Args:
        first, second: (H, W, 3) float32, 0..1, display-referred.

    Returns:
        Offsets (H, W, 2) from the first to the second; never NaN.
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
    """Sample a picture at each pixel plus its offset, with bilinear interpolation.

    Args:
        picture: (H, W) or (H, W, C) float32.
        offsets: (h, w, 2) into that picture, for all of its pixels, a band of rows, or a coarser
            grid.
        top: row of the picture that the first row of ``offsets`` belongs to.
        every: spacing in pixels of the grid that ``offsets`` has values for.

    Returns:
        (h, w) or (h, w, C) float32, 0 where not valid; and (h, w) bool, False where the offset is
        unknown or points outside the picture.
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
    """Find the pixels that the other picture does not show, with a forward-backward check.

    A pixel is occluded if following its offset forward and then backward misses it. The tolerance
    is that of Sundaram, Brox, Keutzer 2010, "Dense Point Trajectories by GPU-accelerated Large
    Displacement Optical Flow".

    Args:
        forward: (h, w, 2), from this picture to the other.
        backward: (H, W, 2), from the other picture to this one, at full resolution.
        every: spacing in pixels of the grid that ``forward`` has values for.
        apart: how many pixels right of and below the other picture this one begins, where they are
            crops of frames.

    Returns:
        (h, w) bool; also True where an offset is unknown or points outside the picture.
    """
    result = np.ones(forward.shape[:2], bool)
    for rows in _bands(len(forward)):
        offsets = forward[rows]
        moved = offsets + np.array(apart, np.float32)
        back, valid = warp(backward, moved, top=rows.start * every, every=every)
        with np.errstate(invalid="ignore"):
            error = _squared_length(offsets + back)
            tolerance = 0.01 * (_squared_length(offsets) + _squared_length(back)) + 0.5
            result[rows] = ~(valid & (error <= tolerance))
    return result


def _squared_length(offsets: FloatArray) -> FloatArray:
    x, y = offsets[..., 0], offsets[..., 1]
    return np.asarray(x * x + y * y)


def to_previous(shot: Shot, frame: int) -> tuple[FloatArray, BoolArray]:
    """Return the motion from a frame to the previous one, exact where the shot has motion.

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
class NeighbourMotion:
    """The motion between a frame and a neighbouring one, in both directions.

    Attributes:
        forward: (H, W, 2), offsets from the frame to the neighbour; never NaN.
        backward: (H, W, 2), offsets from the neighbour to the frame; never NaN.
        exact: (H, W) bool, where ``forward`` is the renderer's; elsewhere it is estimated.
    """

    forward: FloatArray
    backward: FloatArray
    exact: BoolArray


def neighbour_motion(
    shot: Shot, frame: int, neighbour: int, shape: tuple[int, int] | None = None
) -> NeighbourMotion:
    """Return the motion between a frame of a shot and the next or the previous one.

    It is exact where the shot has motion and the frames are consecutive numbers; elsewhere it is
    estimated from the two pictures.

    Args:
        shot: the shot.
        frame, neighbour: numbers of the two frames.
        shape: height and width to which the frames are reduced first; offsets are in pixels of
            these. None: as they are.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    shape = shape or (shot.manifest.height, shot.manifest.width)
    return motion_between(
        *(reduced(read_frame(shot, number, {"motion"}), shape) for number in (frame, neighbour))
    )


def motion_between(first: Frame, second: Frame) -> NeighbourMotion:
    """Return the motion from a frame to a neighbour; see ``neighbour_motion``.

    Args:
        first, second: of one size, with the pass ``motion`` where the shot has it.
    """
    side = 2 if second.number > first.number else 0
    if abs(first.number - second.number) != 1:
        first, second = (dataclasses.replace(one, motion=None) for one in (first, second))
    forward, exact = _offsets(first, second, side)
    backward, _ = _offsets(second, first, 2 - side)
    return NeighbourMotion(forward, backward, exact)


def reduced(frame: Frame, shape: tuple[int, int]) -> Frame:
    """Return a frame reduced to a height and width: picture, alpha, matte and motion, no more."""
    whole = frame.alpha.shape
    if whole == shape:
        return frame
    size = shape[::-1]
    image, alpha, matte = (
        None
        if part is None
        else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        for part in (frame.image, frame.alpha, frame.matte)
    )
    motion = frame.motion
    if motion is not None:
        motion = np.asarray(cv2.resize(motion, size, interpolation=cv2.INTER_NEAREST), np.float32)
        motion *= np.array(2 * [size[0] / whole[1], size[1] / whole[0]], np.float32)
    assert image is not None and alpha is not None
    return Frame(frame.number, image, alpha, motion=motion, matte=matte)


def both_ways(shot: Shot, before: int, after: int) -> tuple[FloatArray, FloatArray]:
    """Return the motion between two neighbouring frames of a shot; see ``neighbour_motion``.

    Returns:
        Offsets (H, W, 2) from the earlier frame to the later one, and back; never NaN.

    Raises:
        PaintoverError: a frame cannot be read.
    """
    motion = neighbour_motion(shot, before, after)
    return motion.forward, motion.backward


def _offsets(start: Frame, end: Frame, side: int) -> tuple[FloatArray, BoolArray]:
    """Return the offsets (H, W, 2) from a frame to another, and (H, W) where they are rendered.

    Args:
        start, end: the frames.
        side: first component of the motion to use: 0 to the previous frame, 2 to the next.
    """
    if start.motion is None:
        return estimate_flow(start.image, end.image), np.zeros(start.alpha.shape, bool)
    offsets = start.motion[..., side : side + 2].copy()
    exact = np.isfinite(offsets[..., 0]) & np.isfinite(offsets[..., 1])
    if not exact.all():
        np.copyto(offsets, estimate_flow(start.image, end.image), where=~exact[..., None])
    return offsets, exact


def _bands(height: int) -> Iterator[slice]:
    """Split rows into bands of at most ``BAND``."""
    for top in range(0, height, BAND):
        yield slice(top, min(top + BAND, height))
