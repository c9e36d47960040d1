# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts passes to the conventions of ``Frame`` and marks unknown pixels (NaN, 0 or infinity)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.manifest import Camera
from ..shared.shot import Shot

BACKGROUND_DEPTH = 1e9
"""Depth from which on a pixel is background, unless the camera says otherwise."""
LONGEST_MOTION = 32768.0
"""Motion is clipped to this many pixels, which leads out of every picture. Cameras that are cut or
whipped around give millions, whose squares and halves would overflow."""


def finite(values: FloatArray) -> FloatArray:
    """Return values of any shape with NaN and infinity replaced by 0."""
    return np.where(np.isfinite(values), values, np.float32(0))


def bounded(values: FloatArray, lowest: float, highest: float) -> FloatArray:
    """Return values (H, W, C) clipped to a range; NaN and infinity become 0 first."""
    result = np.empty(values.shape, np.float32)
    _bound(values, np.float32(lowest), np.float32(highest), result)
    return result


@compiled
def _bound(values: FloatArray, lowest: np.float32, highest: np.float32, result: FloatArray) -> None:
    height, width, channels = values.shape
    for row in range(height):
        for column in range(width):
            for channel in range(channels):
                value = values[row, column, channel]
                value = value if np.isfinite(value) else np.float32(0)
                result[row, column, channel] = min(max(value, lowest), highest)


def coverage(alpha: FloatArray) -> FloatArray:
    """Return alpha of any shape clipped to 0..1; NaN becomes 0."""
    return np.ascontiguousarray(np.fmin(np.fmax(alpha, np.float32(0)), np.float32(1)))


def surface_share(alpha: FloatArray) -> FloatArray:
    """Return the share of each pixel that has a surface, (H, W), from the alpha of its AOV.

    Cycles adds up what lies behind each other in a see-through place, so that alpha exceeds 1.
    Such a sum is no surface: its share becomes a half, which counts as unknown.
    """
    share = coverage(alpha)
    share[alpha > np.float32(1.001)] = 0.5
    return share


def all_finite(values: FloatArray) -> BoolArray:
    """Return (H, W) bool, True where all components of (H, W, C) are finite."""
    known: BoolArray = np.isfinite(values[..., 0])
    for component in range(1, values.shape[-1]):
        known &= np.isfinite(values[..., component])
    return known


def far_depth(shot: Shot, frame: int) -> float:
    """Return the depth from which on a pixel is background, in scene units.

    Cycles writes 1e10 there; EEVEE of Blender 4.5 and 5.0 writes the camera's clip end, which is
    computed here from the matrix of a perspective camera.
    """
    camera = shot.manifest.frames[frame].camera
    if camera is None or camera.orthographic:
        return BACKGROUND_DEPTH
    matrix = np.array(camera.world_to_clip, np.float64).reshape(4, 4)
    scale = matrix[2, :3] @ matrix[3, :3] / (matrix[3, :3] @ matrix[3, :3])
    offset = matrix[2, 3] - scale * matrix[3, 3]
    if scale <= 1 or offset >= 0:
        return BACKGROUND_DEPTH
    return float(min(BACKGROUND_DEPTH, 0.99 * offset / (1 - scale)))


def depth(values: FloatArray, far: float) -> FloatArray:
    """Return depth (H, W) with infinity where it is at least ``far``, NaN or infinite."""
    known = np.isfinite(values) & (values < far)
    return np.where(known, values, np.float32(np.inf)).astype(np.float32, copy=False)


def surface(
    values: FloatArray, share: FloatArray, objects: npt.NDArray[np.int32] | None
) -> FloatArray:
    """Return surface coordinates (H, W, 3) float32, NaN where unknown.

    Args:
        values: (H, W, 3) float32, coordinates times the coverage.
        share: (H, W) float32, the coverage, 0..1; at most half counts as unknown.
        objects: (H, W) int32 ids, below 1 where unknown; None treats all pixels as one object.
    """
    result = np.full(values.shape, np.nan, np.float32)
    ids = objects if objects is not None else np.ones(share.shape, np.int32)
    _undo_share(values, share, ids, result)
    return result


@compiled
def _undo_share(
    values: FloatArray, share: FloatArray, objects: npt.NDArray[np.int32], result: FloatArray
) -> None:
    height, width = share.shape
    for row in range(height):
        for column in range(width):
            x, y, z = values[row, column, 0], values[row, column, 1], values[row, column, 2]
            is_finite = np.isfinite(x) and np.isfinite(y) and np.isfinite(z)
            if share[row, column] > 0.5 and objects[row, column] > 0 and is_finite:
                result[row, column, 0] = x / share[row, column]
                result[row, column, 1] = y / share[row, column]
                result[row, column, 2] = z / share[row, column]


def motion(
    values: FloatArray, shot: Shot, frame: int, background: BoolArray, window: Window
) -> tuple[FloatArray | None, str]:
    """Convert Blender's Vector pass to offsets to the previous and the next frame, y down.

    The motion of the background is computed from the cameras, since Cycles writes none or a wrong
    one. Across a cut to another camera motion is unknown: renderers write that of the same camera.

    Args:
        values: (H, W, 4) float32, as rendered.
        shot: the shot.
        frame: number of the frame.
        background: (H, W) bool.
        window: the part of the frame that the arrays show.

    Returns:
        Offsets (H, W, 4) float32 in pixels, at most ``LONGEST_MOTION``, NaN where unknown, and "";
        or None and a sentence that says why the pass cannot be used.
    """
    reason = _why_unusable(values, shot, frame, background)
    if reason:
        return None, reason
    cameras = [_cameras(shot, frame, frame + step) for step in (-1, 1)]
    still = [
        pair is not None and pair[0].name == pair[1].name and _same_view(*pair) for pair in cameras
    ]
    fill = np.where(np.repeat(still, 2), 0, np.nan).astype(np.float32)
    offsets = np.empty(values.shape, np.float32)
    _turn_down(values, background, fill, offsets)
    if all(still):
        return offsets, ""
    places = np.nonzero(background)
    for side, pair in enumerate(cameras):
        if pair and not still[side] and not (pair[0].orthographic or pair[1].orthographic):
            moved = _background_motion(*pair, places, window)
            offsets[..., 2 * side : 2 * side + 2][places] = moved
        if pair and pair[0].name != pair[1].name:
            offsets[..., 2 * side : 2 * side + 2] = np.nan
    return offsets, ""


@compiled
def _turn_down(
    values: FloatArray, background: BoolArray, fill: FloatArray, offsets: FloatArray
) -> None:
    """Flip y of Blender's Vector pass (H, W, 4) and set the background to ``fill`` (4)."""
    height, width = background.shape
    longest = np.float32(LONGEST_MOTION)
    for row in range(height):
        for column in range(width):
            for component in range(4):
                value = values[row, column, component]
                if component in (1, 2):
                    value = -value
                if background[row, column]:
                    value = fill[component]
                elif not np.isfinite(value):
                    value = np.float32(np.nan)
                else:
                    value = min(max(value, -longest), longest)
                offsets[row, column, component] = value


def _why_unusable(values: FloatArray, shot: Shot, frame: int, background: BoolArray) -> str:
    """Return a sentence that says why the Vector pass cannot be used, or ""."""
    path = shot.passes_path(frame)
    cameras = [
        record.camera
        for number in (frame - 1, frame, frame + 1)
        if (record := shot.manifest.frames.get(number)) is not None
    ]
    own = shot.manifest.frames[frame].camera
    known = [one for one in cameras if own is not None and one is not None and one.name == own.name]
    camera_moves = any(not _same_view(known[0], camera) for camera in known[1:])
    if camera_moves and not background.all() and not _moves(values, background):
        return (
            f"{path} has no motion although the camera moves; turn motion blur off and capture "
            "again (until then motion is estimated)."
        )
    return ""


@compiled
def _moves(values: FloatArray, background: BoolArray) -> bool:
    """Return whether motion (H, W, 4) is other than 0 or NaN anywhere off the background."""
    height, width = background.shape
    for row in range(height):
        for column in range(width):
            if not background[row, column]:
                for component in range(4):
                    value = values[row, column, component]
                    if value != 0 and not np.isnan(value):
                        return True
    return False


def _cameras(shot: Shot, frame: int, other: int) -> tuple[Camera, Camera] | None:
    """Return the cameras of two frames; None if one is unknown."""
    first, second = (shot.manifest.frames.get(number) for number in (frame, other))
    if first is None or second is None or first.camera is None or second.camera is None:
        return None
    return first.camera, second.camera


def _same_view(first: Camera, second: Camera) -> bool:
    return bool(np.allclose(first.world_to_clip, second.world_to_clip, rtol=1e-5, atol=1e-6))


def _background_motion(
    camera: Camera, other: Camera, places: tuple[npt.NDArray[np.intp], ...], window: Window
) -> FloatArray:
    """Return the motion of a background at infinity between two perspective cameras.

    Args:
        camera: that of the frame.
        other: that of the other frame.
        places: rows (N) and columns (N) of pixels in the window.
        window: the part of the frame.

    Returns:
        Offsets (N, 2) float32 in pixels, x right, y down; NaN where the point is behind ``other``.
    """
    here, there = (
        np.array(one.world_to_clip, np.float64).reshape(4, 4)[[0, 1, 3], :3]
        for one in (camera, other)
    )
    rows, columns = places
    x, y = columns + (window.left + 0.5), rows + (window.top + 0.5)
    width, height = window.width, window.height
    rays = np.stack([2 * x / width - 1, 1 - 2 * y / height, np.ones_like(x)], -1)
    turned = rays @ (there @ np.linalg.inv(here)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        to_x = (turned[..., 0] / turned[..., 2] + 1) / 2 * width
        to_y = (1 - turned[..., 1] / turned[..., 2]) / 2 * height
    field = np.stack([to_x - x, to_y - y], -1)
    field[turned[..., 2] <= 0] = np.nan
    return np.asarray(np.clip(field, -LONGEST_MOTION, LONGEST_MOTION), np.float32)


def background_motion(
    shot: Shot,
    frame: int,
    other: int,
    places: tuple[npt.NDArray[np.intp], ...],
    window: Window,
) -> FloatArray | None:
    """Return the motion of a background at infinity between any two frames of a shot.

    Args:
        shot: the shot.
        frame, other: numbers of the frames.
        places: rows (N) and columns (N) of pixels in the window.
        window: the part of the frame.

    Returns:
        Offsets (N, 2) as of ``motion``; None where the cameras are unknown, or differ and are
        orthographic.
    """
    if frame == other:
        return np.zeros((len(places[0]), 2), np.float32)
    cameras = _cameras(shot, frame, other)
    if cameras is None:
        return None
    if _same_view(*cameras):
        return np.zeros((len(places[0]), 2), np.float32)
    if cameras[0].orthographic or cameras[1].orthographic:
        return None
    return _background_motion(*cameras, places, window)
