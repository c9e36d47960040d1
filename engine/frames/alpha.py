# SPDX-License-Identifier: GPL-3.0-or-later
"""The alpha of stylized frames: taken from the frame, opaque, or learnt from the paintings."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..images.types import FloatArray
from .frame import Frame
from .keyframe import Keyframe

ALPHA = "alpha"
"""Name of the style setting whose values follow."""
ALPHA_FRAME, ALPHA_OPAQUE, ALPHA_LEARNT = "frame", "opaque", "learnt"
MIN_CHANGE = 3 / 255
"""Offsets of learnt alpha up to this are residue of training, and would show as a haze."""
SAME_ALPHA = 1.5 / 255
"""Largest difference at which a painting's alpha counts as equal to the frame's."""


def alpha_of(pairs: Sequence[tuple[Keyframe, Frame]]) -> str:
    """Choose the alpha setting for a style from its paintings.

    Args:
        pairs: the paintings, each with its frame; at least one.

    Returns:
        ``frame`` if all keep the frame's alpha, ``opaque`` if all are opaque, otherwise ``learnt``.
    """
    changes = [
        float(np.abs(keyframe.alpha - frame.alpha)[keyframe.mask].max())
        for keyframe, frame in pairs
    ]
    if max(changes) <= SAME_ALPHA:
        return ALPHA_FRAME
    if all(keyframe.alpha[keyframe.alpha_mask].min() == 1 for keyframe, _ in pairs):
        return ALPHA_OPAQUE
    return ALPHA_LEARNT


def finish(painted: FloatArray, frame_alpha: FloatArray, alpha: str) -> FloatArray:
    """Combine painted colours with alpha.

    Args:
        painted: (3 or 4, H, W) float32, colours 0..1 and, if learnt, the offset of alpha; from
            ``TiledInference.paint``.
        frame_alpha: (H, W) float32, 0..1, the frame's alpha.
        alpha: ``frame`` keeps the frame's alpha, ``opaque`` gives 1, ``learnt`` adds the offset
            where it is larger than ``MIN_CHANGE``.

    Returns:
        (H, W, 4) float32, 0..1, display-referred, straight alpha.
    """
    if alpha == ALPHA_FRAME:
        result = frame_alpha
    elif alpha == ALPHA_OPAQUE:
        result = np.ones_like(frame_alpha)
    else:
        changed = np.clip(frame_alpha + painted[3], 0, 1)
        result = np.where(np.abs(painted[3]) > MIN_CHANGE, changed, frame_alpha)
    return np.asarray(cv2.merge([*painted[:3], result]))
