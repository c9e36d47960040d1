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
from .optical_flow import NeighbourMotion

AGREE = 1.5
"""Tracked positions that differ this many pixels from a linear map are not interpolated."""
EVEN = 0.5
"""Where the motion of neighbours differs by more pixels than this, each one is checked alone."""
TORN, COLLAPSED = 3.0, 0.15
"""Neighbouring pixels whose positions lie farther apart, or closer, than this are not connected."""
RENDERED_SLIP = (0.02, 0.0004)
"""Tolerance of the check for rendered motion, in squared pixels: constant, and relative."""
ESTIMATED_SLIP = (0.5, 0.01)
"""The same for estimated motion (Sundaram, Brox, Keutzer 2010)."""
SEEN = 0.5
"""Lowest presence of a pixel that counts as tracked."""
MOVING = 0.5
"""Least bilinear weight of the four neighbouring pixels that must pass the check."""
EDGE_GAIN = 1.5
"""Contrast gain on presence at each frame, which counters the blur of interpolation."""
CUT = 0.25
"""Where estimated motion leads on less than this share of the tracked pixels, there is a cut, and
what is left are places that look alike by chance."""
OUTSIDE = 0.25
"""Pixels beyond the centres of the outermost pixels that still count as inside the picture."""


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
        return np.asarray((self.presence >= SEEN) & np.isfinite(self.at).all(axis=2))


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
    height, width = shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns + step.forward[..., 0], rows + step.forward[..., 1]
    beyond = np.maximum(np.abs(x - (width - 1) / 2) - (width - 1) / 2, 0)
    beyond = np.maximum(beyond, np.abs(y - (height - 1) / 2) - (height - 1) / 2)
    inside = beyond <= OUTSIDE
    slip = _tolerance(step)
    left = np.clip(np.floor(x), 0, max(width - 2, 0)).astype(np.intp)
    top = np.clip(np.floor(y), 0, max(height - 2, 0)).astype(np.intp)
    corner = top * width + left
    known = np.isfinite(before.at).all(axis=2)
    field = np.dstack([np.where(known[..., None], before.at, 0), before.presence])
    fetched = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    back = cv2.remap(step.backward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    smooth = (beyond <= 0) & _is_smooth(before.at, step.backward).take(corner)
    smooth &= ((step.forward + back) ** 2).sum(axis=2) <= slip
    at: FloatArray = fetched[..., :2].astype(np.float32)
    presence: FloatArray = fetched[..., 2].astype(np.float32)
    exact = step.exact & before.exact.take(corner)
    at[~smooth], presence[~smooth] = np.nan, 0
    nearby = cv2.dilate(known.astype(np.uint8), np.ones((2, 2), np.uint8), anchor=(0, 0))
    rest = np.flatnonzero(inside & ~smooth & (nearby.take(corner) > 0))
    if len(rest):
        found = _pick(before, step, rest, np.stack([x.take(rest), y.take(rest)], -1), slip)
        at.reshape(-1, 2)[rest], presence.reshape(-1)[rest], exact.reshape(-1)[rest] = found
    presence *= 1 - beyond * (0.5 / OUTSIDE)
    presence = np.clip((presence - 0.5) * EDGE_GAIN + 0.5, 0, 1)
    lost = (presence <= 0) | ~_is_connected(at)
    at[lost], presence[lost] = np.nan, 0
    return Track(at, presence, exact & ~lost)


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


def _tolerance(step: NeighbourMotion) -> FloatArray:
    """Return (H, W) the tolerance of the forward-backward check, in squared pixels."""
    moved = (step.forward**2).sum(axis=2)
    rendered, estimated = (
        rest + 2 * relative * moved for rest, relative in (RENDERED_SLIP, ESTIMATED_SLIP)
    )
    return np.where(step.exact, rendered, estimated)


def _is_smooth(at: FloatArray, back: FloatArray) -> BoolArray:
    """Return (H, W) bool: position and motion of the 2×2 pixels from each one on vary smoothly."""
    height, width = at.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    result = np.zeros((height, width), bool)
    result[:-1, :-1] = True
    fields = (
        (at[..., 0] - columns, AGREE),
        (at[..., 1] - rows, AGREE),
        (back[..., 0], EVEN),
        (back[..., 1], EVEN),
    )
    for field, most in fields:
        high, low = np.maximum(field[:-1], field[1:]), np.minimum(field[:-1], field[1:])
        spread = np.maximum(high[:, :-1], high[:, 1:]) - np.minimum(low[:, :-1], low[:, 1:])
        result[:-1, :-1] &= spread <= most
    return result


def _pick(
    before: Track,
    step: NeighbourMotion,
    pixels: npt.NDArray[np.intp],
    ends: FloatArray,
    slip: FloatArray,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Interpolate the track at end points, using only pixels that pass the check.

    Args:
        before: track of the neighbour.
        step: the motion from the frame to the neighbour.
        pixels: (N), flat indices of pixels of the frame.
        ends: (N, 2), where their offsets end in the neighbour, x and y.
        slip: (H, W), tolerance in squared pixels.

    Returns:
        Positions (N, 2), presence (N) and exactness (N).
    """
    height, width = before.presence.shape
    there, allowed = step.forward.reshape(-1, 2)[pixels], 2 * slip.take(pixels)
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


def _is_connected(at: FloatArray) -> BoolArray:
    """Return (H, W) bool, True where the track connects to one of the four neighbours."""
    found = np.zeros(at.shape[:2], bool)
    for axis in (0, 1):
        apart = (np.diff(at, axis=axis) ** 2).sum(axis=2)
        even = (apart <= TORN**2) & (apart >= COLLAPSED**2)
        before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        before[axis], after[axis] = (0, 1), (1, 0)
        found |= np.pad(even, before) | np.pad(even, after)
    return found
