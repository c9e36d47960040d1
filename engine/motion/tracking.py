# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracking a keyframe along the motion, one frame at a time.

A track gives for each pixel of a frame the position in the keyframe that it shows. A frame's track
follows from the track of its neighbour nearer to the keyframe: each pixel follows its offset into
the neighbour and interpolates the four tracked positions around the end point. A neighbour's pixel
counts only if its own backward motion returns to the start (the forward-backward check of Sundaram,
Brox, Keutzer 2010). So nothing is interpolated across a motion boundary, and a point that was
hidden once stays unknown.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt

from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from .optical_flow import NeighbourMotion
from .track_kernels import (
    AGREE,
    ESTIMATED_SLIP,
    OUTSIDE,
    RENDERED_SLIP,
    find_lost,
    follow_smooth,
)

SEEN = 0.5
"""Lowest presence of a pixel that counts as tracked."""
MOVING = 0.5
"""Least bilinear weight of the four neighbouring pixels that must pass the check."""
EDGE_GAIN = 1.5
"""Contrast gain on presence at each frame, which counters the blur of interpolation."""
CUT = 0.25
"""Where estimated motion leads on less than this share of the tracked pixels, there is a cut, and
what is left are places that look alike by chance."""


@dataclasses.dataclass(frozen=True)
class Track:
    """For each pixel of a frame, the position in the keyframe that it shows.

    Attributes:
        at: (H, W, 2) float32, x and y in pixels of the keyframe; NaN where unknown.
        presence: (H, W) float32, 0..1: 1 where the point was visible in all frames on the way;
            from ``SEEN`` on it counts as tracked.
        exact: (H, W) bool, where all the motion on the way is the renderer's.
    """

    at: FloatArray
    presence: FloatArray
    exact: BoolArray

    def known(self) -> BoolArray:
        """Return (H, W) bool, True where the position is known and was never hidden."""
        return np.asarray((self.presence >= SEEN) & ~np.isnan(self.at[..., 0]))

    def cut(self, window: Window) -> Track:
        """Return the track of a window."""
        inside = window.inside
        return Track(self.at[inside], self.presence[inside], self.exact[inside])


def start_track(shape: tuple[int, int]) -> Track:
    """Return the track of the keyframe itself, of this height and width."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    at = np.stack([columns, rows], -1)
    return Track(at, np.ones(shape, np.float32), np.ones(shape, bool))


def extend_track(before: Track, step: NeighbourMotion) -> Track:
    """Return the track of a frame from that of its neighbour nearer to the keyframe.

    Args:
        before: track of the neighbour.
        step: the motion from the frame to the neighbour.
    """
    shape = before.presence.shape
    at, presence = np.empty((*shape, 2), np.float32), np.empty(shape, np.float32)
    exact, rest, lost = (np.empty(shape, bool) for _ in range(3))
    known = before.at, before.presence, before.exact
    motion = step.forward, step.backward, step.exact
    follow_smooth(*known, *motion, at, presence, exact, rest)
    pixels = np.flatnonzero(rest)
    if len(pixels):
        found = _pick(before, step, pixels)
        at.reshape(-1, 2)[pixels], presence.reshape(-1)[pixels], exact.reshape(-1)[pixels] = found
    presence = np.clip((presence - 0.5) * EDGE_GAIN + 0.5, 0, 1)
    find_lost(at, presence, lost)
    at[lost], presence[lost] = np.nan, 0
    return Track(at, presence, exact & ~lost)


def enlarge_track(track: Track, window: Window) -> Track:
    """Return the track of a window of a larger frame, of which the given one is a reduction.

    Where the track ends, the pixels around its last ones move with these.

    Args:
        track: of the whole frame in the reduced size; positions are in the reduced keyframe.
        window: the part of the frame to return, in its full size; so are the returned positions.
    """
    height, width = track.presence.shape
    scale = np.array([window.width / width, window.height / height], np.float32)
    (top, bottom), (left, right) = ((s.start, s.stop) for s in window.inside)
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    own = np.stack([columns, rows], -1)
    x, y = (np.ascontiguousarray((own[..., i] + 0.5) / scale[i] - 0.5) for i in (0, 1))
    first, last = max(0, int(y[0, 0]) - 2), int(y[-1, 0]) + 3
    at, presence, exact = track.at[first:last], track.presence[first:last], track.exact[first:last]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(first, first + len(at))), -1)
    moved = (at - grid.astype(np.float32)) * scale
    y -= first
    edge = cv2.BORDER_REPLICATE
    offset = cv2.remap(moved, x, y, cv2.INTER_LINEAR, borderMode=edge)
    nearest = cv2.remap(moved, x, y, cv2.INTER_NEAREST, borderMode=edge)
    offset = np.where(np.isnan(offset), nearest, offset)
    present = cv2.remap(presence, x, y, cv2.INTER_NEAREST, borderMode=edge)
    sure = cv2.remap(exact.astype(np.uint8), x, y, cv2.INTER_NEAREST, borderMode=edge) > 0
    return Track(own + offset, np.asarray(present, np.float32), np.asarray(sure))


def is_cut(before: Track, after: Track, step: NeighbourMotion) -> bool:
    """Return whether a track was cut off at a step of estimated motion."""
    if 2 * step.exact.sum() > step.exact.size:
        return False
    return bool(after.known().sum() < CUT * before.known().sum())


def no_track(shape: tuple[int, int]) -> Track:
    """Return the track of a frame of this height and width that shows nothing of the keyframe."""
    nowhere = np.full((*shape, 2), np.nan, np.float32)
    return Track(nowhere, np.zeros(shape, np.float32), np.zeros(shape, bool))


def pixel_scale(places: Track) -> FloatArray:
    """Return (H, W) float32, the side of each pixel measured in pixels of the keyframe, 0.1..10."""
    along = [_gradient(places.at, axis) for axis in (1, 0)]
    area = np.abs(along[0][..., 0] * along[1][..., 1] - along[0][..., 1] * along[1][..., 0])
    side = np.sqrt(np.nan_to_num(area, nan=1.0))
    return np.asarray(np.clip(side, 0.1, 10), np.float32)


def _gradient(at: FloatArray, axis: int) -> FloatArray:
    """Return the gradient of positions (H, W, 2) along an axis; NaN if that is one pixel long."""
    if at.shape[axis] < 2:
        return np.full_like(at, np.nan)
    return np.asarray(np.gradient(at, axis=axis), np.float32)


def _tolerance(moved: FloatArray, exact: BoolArray) -> FloatArray:
    """Return the tolerance of the forward-backward check, in squared pixels.

    Args:
        moved: (N, 2), offsets.
        exact: (N), where they are the renderer's.
    """
    length = (moved**2).sum(axis=1)
    rendered, estimated = (
        still + 2 * relative * length for still, relative in (RENDERED_SLIP, ESTIMATED_SLIP)
    )
    return np.where(exact, rendered, estimated)


def _pick(
    before: Track,
    step: NeighbourMotion,
    pixels: npt.NDArray[np.intp],
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Interpolate the track where offsets end, using only pixels that pass the check.

    Args:
        before: track of the neighbour.
        step: the motion from the frame to the neighbour.
        pixels: (N), flat indices of pixels of the frame whose offsets end inside the neighbour.

    Returns:
        Positions (N, 2), presence (N) and exactness (N).
    """
    height, width = before.presence.shape
    middle = np.array([width - 1, height - 1], np.float32) / 2
    there = step.forward.reshape(-1, 2)[pixels]
    ends = there + np.stack(np.divmod(pixels, width)[::-1], -1).astype(np.float32)
    allowed = 2 * _tolerance(there, step.exact.take(pixels))
    left = np.clip(np.floor(ends[:, 0]), 0, max(width - 2, 0)).astype(np.intp)
    top = np.clip(np.floor(ends[:, 1]), 0, max(height - 2, 0)).astype(np.intp)
    part_x, part_y = (np.clip(ends[:, i] - (left, top)[i], 0, 1) for i in (0, 1))
    moving, shares, places, guesses, corners = [], [], [], [], []
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner = np.minimum(top + down, height - 1) * width + np.minimum(left + right, width - 1)
        miss = ((there + step.backward.reshape(-1, 2)[corner]) ** 2).sum(axis=1)
        share = (part_x if right else 1 - part_x) * (part_y if down else 1 - part_y)
        place = before.at.reshape(-1, 2)[corner]
        moving.append((miss <= allowed) * (share + 1e-6))
        shares.append(moving[-1] * np.isfinite(place).all(axis=1))
        places.append(place)
        guesses.append(place + ends - np.stack([left + right, top + down], -1))
        corners.append(corner)
    best = np.argmax(shares, axis=0)
    each = np.arange(len(pixels))
    corner, guess = np.stack(corners)[best, each], np.stack(guesses)[best, each]
    apart = np.linalg.norm(np.stack(guesses) - guess, axis=2)
    agree = (np.stack(shares) > 0) & (apart <= AGREE)
    offset = ends - np.stack(np.divmod(corner, width)[::-1], -1)
    at = before.at.reshape(-1, 2)[corner].astype(np.float64)
    for axis in (0, 1):
        at += _slope(before.at, corner, axis) * offset[:, axis, None]
    mixed = (np.stack(shares)[..., None] * np.nan_to_num(np.stack(places))).sum(axis=0)
    at = np.where(agree.all(axis=0)[:, None], mixed, at)
    amount = np.stack(moving)
    presence = (amount * before.presence.reshape(-1)[np.stack(corners)]).sum(axis=0)
    presence /= np.maximum(amount.sum(axis=0), 1e-6)
    missed = (np.stack(shares)[best, each] <= 0) | (amount.sum(axis=0) < MOVING)
    at[missed], presence[missed] = np.nan, 0
    beyond = np.abs(ends - middle) - middle
    presence *= 1 - np.clip(beyond.max(axis=1), 0, OUTSIDE) * (0.5 / OUTSIDE)
    exact = step.exact.take(pixels) & before.exact.take(corner)
    return at.astype(np.float32), presence.astype(np.float32), exact


def _slope(at: FloatArray, pixels: npt.NDArray[np.intp], axis: int) -> FloatArray:
    """Return (N, 2), the change of positions per pixel to the right (axis 0) or down (1).

    It is taken on the side where the positions vary more linearly.
    """
    height, width = at.shape[:2]
    rows, columns = np.divmod(pixels, width)
    step = (0, 1) if axis == 0 else (1, 0)

    def place(distance: int) -> FloatArray:
        row = np.clip(rows + distance * step[0], 0, height - 1)
        column = np.clip(columns + distance * step[1], 0, width - 1)
        found = at[row, column]
        outside = (row != rows + distance * step[0]) | (column != columns + distance * step[1])
        return np.where(outside[:, None], np.float32(np.nan), found)

    here = place(0)
    usual = np.array([1, 0] if axis == 0 else [0, 1], np.float32)
    slopes, bends = [], []
    for sign in (1, -1):
        near, far = place(sign), place(2 * sign)
        slopes.append(sign * (near - here))
        bends.append(np.nan_to_num(np.linalg.norm(far - 2 * near + here, axis=1), nan=np.inf))
    chosen = np.where((bends[0] <= bends[1])[:, None], slopes[0], slopes[1])
    sure = np.isfinite(chosen).all(axis=1) & (np.minimum(*bends) <= AGREE)
    return np.where(sure[:, None], chosen, usual)
