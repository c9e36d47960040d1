# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what renderers write into passes mean the same everywhere, and marks what is not known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.manifest import Camera
from ..shared.shot import Shot

BACKGROUND_DEPTH = 1e9


def finite(values: FloatArray) -> FloatArray:
    """Replace NaN and infinity by 0."""
    return np.where(np.isfinite(values), values, np.float32(0))


def bounded(values: FloatArray, lowest: float, highest: float) -> FloatArray:
    """Clip values (H, W, C); NaN and infinity become 0."""
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
    """Clip an alpha to 0..1; NaN becomes 0."""
    return np.ascontiguousarray(np.fmin(np.fmax(alpha, np.float32(0)), np.float32(1)))


def all_finite(values: FloatArray) -> BoolArray:
    """Tell (H, W) where all components of (H, W, C) are finite."""
    known: BoolArray = np.isfinite(values[..., 0])
    for component in range(1, values.shape[-1]):
        known &= np.isfinite(values[..., component])
    return known


def far_depth(shot: Shot, frame: int) -> float:
    """Return the depth from which on a pixel is background.

    Cycles writes 1e10 there; EEVEE of Blender 4.5 and 5.0 writes the camera's clip end, which
    follows from the matrix of a perspective camera (not of an orthographic one).
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
    """Return depth with infinity on the background and where the renderer wrote no number."""
    there = np.isfinite(values) & (values < far)
    return np.where(there, values, np.float32(np.inf)).astype(np.float32, copy=False)


def surface(
    values: FloatArray, share: FloatArray, objects: npt.NDArray[np.int32] | None
) -> FloatArray:
    """Return surface coordinates, NaN where not known.

    Args:
        values: (H, W, 3), coordinates times the share of the pixel that has them.
        share: (H, W), that share, 0..1.
        objects: (H, W) ids; mixed pixels are not known.
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
    """Turn Blender's Vector pass into offsets to the previous and the next frame, y down.

    Background motion is computed from the cameras, since Cycles writes none or a wrong one.

    Args:
        values: (H, W, 4), as rendered.
        shot, frame: which frame it is.
        background: (H, W).
        window: the part of the frame that the arrays show.

    Returns:
        (H, W, 4) or None where the pass cannot be used, and the reason in words or "".
    """
    reason = _why_unusable(values, shot, frame, background)
    if reason:
        return None, reason
    cameras = [_cameras(shot, frame, frame + step) for step in (-1, 1)]
    still = [pair is not None and _same_view(*pair) for pair in cameras]
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
    return offsets, ""


@compiled
def _turn_down(
    values: FloatArray, background: BoolArray, fill: FloatArray, offsets: FloatArray
) -> None:
    """Turn Blender's Vector pass (H, W, 4) so that y points down; the background is filled (4)."""
    height, width = background.shape
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
                offsets[row, column, component] = value


def _why_unusable(values: FloatArray, shot: Shot, frame: int, background: BoolArray) -> str:
    path = shot.passes_path(frame)
    cameras = [
        record.camera
        for number in (frame - 1, frame, frame + 1)
        if (record := shot.manifest.frames.get(number)) is not None
    ]
    known = [camera for camera in cameras if camera is not None]
    camera_moves = any(not _same_view(known[0], camera) for camera in known[1:])
    if camera_moves and not background.all() and not _moves(values, background):
        return (
            f"{path} has no motion although the camera moves; turn motion blur off and capture "
            "again (until then motion is estimated)."
        )
    return ""


@compiled
def _moves(values: FloatArray, background: BoolArray) -> bool:
    """Tell whether any component of motion (H, W, 4) is a number but 0 off the background."""
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
    """Return the cameras of two frames; None if one is not known."""
    here, there = (shot.manifest.frames.get(number) for number in (frame, other))
    if here is None or there is None or here.camera is None or there.camera is None:
        return None
    return here.camera, there.camera


def _same_view(first: Camera, second: Camera) -> bool:
    return bool(np.allclose(first.world_to_clip, second.world_to_clip, rtol=1e-5, atol=1e-6))


def _background_motion(
    camera: Camera, other: Camera, places: tuple[npt.NDArray[np.intp], ...], window: Window
) -> FloatArray:
    """Return how a background at infinity moves at N places (rows, columns) of a window, (N, 2).

    Args:
        camera, other: of the frame and of the one that it moves to; perspective.
        places, window: see above.
    """
    here, there = (
        np.array(one.world_to_clip, np.float64).reshape(4, 4)[[0, 1, 3], :3]
        for one in (camera, other)
    )
    rows, columns = places
    x, y = columns + (window.left + 0.5), rows + (window.top + 0.5)
    width, height = window.width, window.height
    rays = np.stack([2 * x / width - 1, 1 - 2 * y / height, np.ones_like(x)], -1)
    seen = rays @ (there @ np.linalg.inv(here)).T
    with np.errstate(divide="ignore", invalid="ignore"):
        to_x = (seen[..., 0] / seen[..., 2] + 1) / 2 * width
        to_y = (1 - seen[..., 1] / seen[..., 2]) / 2 * height
    field = np.stack([to_x - x, to_y - y], -1)
    field[seen[..., 2] <= 0] = np.nan
    return np.asarray(field, np.float32)
