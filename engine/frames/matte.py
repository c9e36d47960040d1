# SPDX-License-Identifier: GPL-3.0-or-later
"""Mattes: what of each frame is painted. Outside, the frame stays, or nothing is there."""

from __future__ import annotations

import numpy as np

from ..images.given_pictures import given_size, read_given_mask
from ..images.types import FloatArray
from ..images.window import Window, seen_window
from ..shared.errors import PaintoverError
from ..shared.shot import Shot

CUT = 2 / 255
"""A painting is cut out by its matte if its alpha is nowhere larger by more than this."""
NEAR = 4 / 255
"""Colours that differ by less are the same flat colour."""
MOST = 0.98
"""Share of pixels that must agree where a painting counts as cut out over a flat colour."""


def read_matte(shot: Shot, frame: int) -> FloatArray:
    """Read the matte of a frame; the shot must have mattes.

    Returns:
        (H, W) float32, 0..1: how much of the pixel is painted.

    Raises:
        PaintoverError: it is missing, damaged or of another size than the shot.
    """
    path = shot.matte_path(frame)
    if not path.is_file():
        raise PaintoverError(
            f"Frame {frame} has no matte: there is no {path}; a matte is needed for every frame, "
            "so add it, black where nothing is painted."
        )
    width, height = given_size(path)
    if (width, height) != (shot.manifest.width, shot.manifest.height):
        raise PaintoverError(
            f"The matte {path} is {width}×{height}, but the frame is {shot.manifest.width}×"
            f"{shot.manifest.height}; scale it to that size, or make it anew."
        )
    return read_given_mask(path)


def matte_window(matte: FloatArray, around: int) -> Window:
    """Return the window of what is painted, grown by so many pixels (see ``Window.grown``)."""
    return seen_window(matte, around)


def put_into(
    picture: FloatArray | None, painted: FloatArray, matte: FloatArray, window: Window
) -> FloatArray:
    """Put painted pixels into a frame's picture, or on transparency, as far as a matte says.

    Colours are mixed by their share of the alpha, so nothing is mixed in from under transparency.
    Outside the matte the result is the picture, value for value, or 0.

    Args:
        picture: (H, W, 4) float32, 0..1, the whole frame, straight alpha; None: transparency.
        painted: (h, w, 4) float32, 0..1, straight alpha, of the window.
        matte: (h, w) float32, 0..1, of the window; 0 around it.
        window: the part of the frame that was painted.

    Returns:
        (H, W, 4) with a picture, else (h, w, 4) of the window.
    """
    share = matte[..., None] * painted[..., 3:]
    if picture is None:
        alone: FloatArray = np.concatenate([painted[..., :3], share], axis=2)
        alone[share[..., 0] == 0] = 0
        return alone
    whole = picture.copy()
    under = whole[window.inside]
    rest = (1 - matte[..., None]) * under[..., 3:]
    alpha = share + rest
    colours = share * painted[..., :3] + rest * under[..., :3]
    mixed = np.concatenate([colours / np.where(alpha > 0, alpha, 1), alpha], axis=2)
    mixed[alpha[..., 0] == 0] = 0
    np.copyto(mixed, painted, where=matte[..., None] == 1)
    np.copyto(under, mixed, where=matte[..., None] > 0)
    return whole


def without_matte(alpha: FloatArray, matte: FloatArray) -> FloatArray:
    """Return the alpha of a painting as it is inside its matte.

    A painting that was cut out by the matte would else get its soft edge twice.

    Args:
        alpha: (H, W) float32, 0..1, the painting's.
        matte: (H, W) float32, 0..1.
    """
    if (alpha > matte + CUT).any():
        return alpha
    inside = np.minimum(alpha / np.where(matte > 0, matte, 1), 1)
    return np.asarray(np.where(matte > 0, inside, alpha), np.float32)


def without_surroundings(paint: FloatArray, matte: FloatArray) -> FloatArray:
    """Return the colours of an opaque painting as they are inside its matte.

    Where a figure was cut out by the matte and laid over a flat colour, such as black, that colour
    is in its soft edge, and would come along as a fringe.

    Args:
        paint: (H, W, 3) float32, 0..1, of an opaque painting.
        matte: (H, W) float32, 0..1.

    Returns:
        (H, W, 3) without the flat colour in the soft edge; ``paint`` if there is none.
    """
    outside, soft = paint[matte == 0], (matte > 0) & (matte < 1)
    if not len(outside) or not soft.any():
        return paint
    flat = np.median(outside, axis=0)
    if (np.abs(outside - flat).max(axis=1) < NEAR).mean() < MOST:
        return paint
    share = matte[soft][:, None]
    own = paint[soft] - (1 - share) * flat
    fits = ((own > -NEAR) & (own < share + NEAR)).all(axis=1)
    if fits.mean() < MOST:
        return paint
    result = paint.copy()
    result[soft] = np.clip(own / share, 0, 1)
    return result
