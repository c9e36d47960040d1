# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the alpha of painted frames comes from."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..images.types import FloatArray
from .frame import Frame
from .keyframe import Keyframe

ALPHA = "alpha"
"""Setting of a style: where the alpha of its pictures comes from."""
ALPHA_FRAME, ALPHA_OPAQUE, ALPHA_LEARNT = "frame", "opaque", "learnt"
MIN_CHANGE = 3 / 255
"""Offsets of learnt alpha up to this are residue of training, and would show as a haze."""
SAME_ALPHA = 1.5 / 255
"""Painted alpha this close to the frame's counts as the frame's."""


def alpha_of(pairs: Sequence[tuple[Keyframe, Frame]]) -> str:
    """Return what the alpha of paintings follows.

    Args:
        pairs: the paintings, each with its frame.

    Returns:
        ``frame`` where they keep the frame's, ``opaque`` where they are opaque, else ``learnt``.
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
    """Put colours and alpha together.

    Args:
        painted: what ``TiledInference.paint`` returns.
        frame_alpha: (H, W), 0..1.
        alpha: ``frame`` keeps the frame's, ``opaque`` is 1, ``learnt`` adds the painted offset
            where it is larger than ``MIN_CHANGE``.

    Returns:
        (H, W, 4), 0..1, display-referred, straight alpha.
    """
    if alpha == ALPHA_FRAME:
        there = frame_alpha
    elif alpha == ALPHA_OPAQUE:
        there = np.ones_like(frame_alpha)
    else:
        changed = np.clip(frame_alpha + painted[3], 0, 1)
        there = np.where(np.abs(painted[3]) > MIN_CHANGE, changed, frame_alpha)
    return np.asarray(cv2.merge([*painted[:3], there]))
