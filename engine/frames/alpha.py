# SPDX-License-Identifier: GPL-3.0-or-later
"""The alpha of stylized frames: taken from the frame, opaque, or learnt from the paintings.

A painting whose alpha is neither the frame's nor 1 everywhere tells by its alpha what is painted.
Where it is transparent, nothing is painted: the frame shows there, or nothing, as chosen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import cv2
import numpy as np

from ..images.types import BoolArray, FloatArray
from ..shared.style_header import ALPHA_FRAME, ALPHA_LEARNT, ALPHA_OPAQUE
from .frame import Frame
from .keyframe import Keyframe

MIN_CHANGE, SURE_CHANGE = 3 / 255, 16 / 255
"""Offsets of learnt alpha, and learnt alpha, up to the first are residue of training, which would
show as a haze; from the second on they are taken as they are."""
SAME_ALPHA = 1.5 / 255
"""Largest difference at which a painting's alpha counts as equal to the frame's."""
OUTLINE_PIXELS, OUTLINE_SHARE = 8.0, 0.03
"""Strokes within so many pixels of a silhouette, or this share of the width, are its outline."""


def alpha_of(pairs: Iterable[tuple[Keyframe, Frame]]) -> str:
    """Choose the alpha setting for a style from its paintings.

    Args:
        pairs: the paintings, each with its frame; at least one.

    Returns:
        ``frame`` if all keep the frame's alpha, ``opaque`` if all are opaque, otherwise ``learnt``.
    """
    largest, lowest = 0.0, 1.0
    for keyframe, frame in pairs:
        learnt = keyframe.alpha_mask
        largest = max(largest, float(np.abs(keyframe.alpha - frame.alpha)[learnt].max()))
        lowest = min(lowest, float(keyframe.alpha[learnt].min()))
    if largest <= SAME_ALPHA:
        return ALPHA_FRAME
    return ALPHA_OPAQUE if lowest == 1 else ALPHA_LEARNT


def is_painted(keyframe: Keyframe) -> BoolArray:
    """Return (H, W) bool, where a painting is not transparent."""
    return np.asarray(keyframe.alpha > MIN_CHANGE)


def as_layer(keyframe: Keyframe, frame_alpha: FloatArray) -> Keyframe:
    """Return a painting with an alpha of its own as it is carried to other frames.

    Transparent pixels get the colour of the nearest painted one, so that no colours from under
    nothing are mixed in where an edge is resampled or learnt. Without a mask file, the mask is all
    that the frame shows, since what is left unpainted is carried too, and ``strokes_on_nothing``.

    Args:
        keyframe: the painting.
        frame_alpha: (H, W) float32, 0..1, its frame's alpha.
    """
    mask = keyframe.mask
    if not keyframe.masked:
        mask = (frame_alpha > 0) | strokes_on_nothing(keyframe, frame_alpha)
    painted = is_painted(keyframe)
    if painted.all() or not painted.any():
        return dataclasses.replace(keyframe, mask=mask)
    _, labels = cv2.distanceTransformWithLabels(
        (~painted).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(labels.max()) + 1, np.intp)
    place[labels[painted]] = np.flatnonzero(painted)
    nearest = keyframe.paint.reshape(-1, 3)[place[labels]]
    return dataclasses.replace(keyframe, paint=np.ascontiguousarray(nearest), mask=mask)


def strokes_on_nothing(keyframe: Keyframe, frame_alpha: FloatArray) -> BoolArray:
    """Return (H, W) bool, paint on the empty world around what a frame shows.

    Strokes that lie mostly along the silhouette are outlines. They follow it, not the world, so
    they are left out.
    """
    shown = frame_alpha > 0.5
    strokes = is_painted(keyframe) & ~shown
    if not strokes.any() or not shown.any():
        return strokes
    reach = max(OUTLINE_PIXELS, OUTLINE_SHARE * shown.shape[1])
    near = cv2.distanceTransform((~shown).astype(np.uint8), cv2.DIST_L2, 5) <= reach
    count, labels = cv2.connectedComponents(strokes.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.reshape(-1), minlength=count)
    close = np.bincount(labels[near], minlength=count)
    return np.asarray(strokes & (2 * close < sizes)[labels])


def finish(
    painted: FloatArray, frame_alpha: FloatArray, alpha: str, picture: FloatArray | None = None
) -> FloatArray:
    """Combine painted colours with alpha.

    Args:
        painted: (3 or 4, H, W) float32, colours 0..1 and, if learnt, the offset of alpha; from
            ``TiledInference.paint``.
        frame_alpha: (H, W) float32, 0..1, the frame's alpha.
        alpha: ``frame`` keeps the frame's alpha, ``opaque`` gives 1, ``learnt`` adds the offset,
            without haze.
        picture: (H, W, 3) float32, 0..1, the frame's picture, to show where learnt alpha is less
            than the frame's; None: nothing shows there.

    Returns:
        (H, W, 4) float32, 0..1, display-referred, straight alpha.
    """
    if alpha == ALPHA_FRAME:
        result = frame_alpha
    elif alpha == ALPHA_OPAQUE:
        result = np.ones_like(frame_alpha)
    else:
        changed = np.clip(frame_alpha + _without_haze(painted[3]), 0, 1)
        result = np.where(changed == frame_alpha, frame_alpha, _without_haze(changed))
    finished = np.asarray(cv2.merge([*painted[:3], result]), np.float32)
    if alpha == ALPHA_LEARNT and picture is not None:
        fill_unpainted(finished, picture, frame_alpha)
    return finished


def _without_haze(values: FloatArray) -> FloatArray:
    """Return values without those up to ``MIN_CHANGE``; up to ``SURE_CHANGE`` they fade in."""
    share = np.clip((np.abs(values) - MIN_CHANGE) / (SURE_CHANGE - MIN_CHANGE), 0, 1)
    return np.asarray(values * (share * share * (3 - 2 * share)), np.float32)


def fill_unpainted(pixels: FloatArray, picture: FloatArray, alpha: FloatArray) -> None:
    """Let a frame show where pixels have less alpha than it, in place.

    Args:
        pixels: (H, W, 4) float32, 0..1, straight alpha.
        picture: (H, W, 3) float32, 0..1, the frame's picture.
        alpha: (H, W) float32, 0..1, the frame's alpha.
    """
    lacking = np.maximum(alpha - pixels[..., 3], 0)
    where = lacking > 0
    total = pixels[..., 3] + lacking
    share = (lacking / np.where(where, total, 1))[..., None]
    mixed = pixels[..., :3] + share * (picture - pixels[..., :3])
    np.copyto(pixels[..., :3], np.where(share == 1, picture, mixed), where=where[..., None])
    np.copyto(pixels[..., 3], total, where=where)
