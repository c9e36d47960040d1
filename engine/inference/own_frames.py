# SPDX-License-Identifier: GPL-3.0-or-later
"""On its own frame a painting is what comes out, pixel for pixel."""

from __future__ import annotations

import numpy as np

from ..frames.alpha import fill_unpainted
from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.types import FloatArray
from ..images.window import Window
from ..shared.style_header import ALPHA_LEARNT, ALPHA_OPAQUE


def painting_share(light: float, weight: float) -> float:
    """Return the share of the painting in its own frame, 0..1.

    Args:
        light: as ``protocol.Stylize.light``; above 0.5 the network repaints more and more.
        weight: the keyframe's weight at its own frame, 0..1.
    """
    return min(1.0, 2 * (1 - light)) * weight


def put_painting(
    pixels: FloatArray,
    keyframe: Keyframe,
    frame: Frame,
    alpha: str,
    share: float,
    *,
    keep_frame: bool,
) -> None:
    """Blend a painting into the stylized pixels of its own frame, in place, inside its mask file.

    Args:
        pixels: (H, W, 4) float32, 0..1, straight alpha.
        keyframe: the whole painting.
        frame: its frame, or the window of it that the pixels show.
        alpha: the style's alpha setting.
        share: of the painting, 0..1.
        keep_frame: whether the frame shows where the painting is transparent and alpha is learnt.
    """
    window = frame.window or Window.whole(*frame.alpha.shape)
    own = keyframe.cut(window)
    painting = np.dstack(
        [own.paint, np.ones_like(own.alpha) if alpha == ALPHA_OPAQUE else own.alpha]
    )
    painting[painting[..., 3] == 0] = 0
    if alpha == ALPHA_LEARNT and keep_frame:
        fill_unpainted(painting, frame.picture, frame.alpha)
    inside = np.ones_like(own.mask) if own.by_matte else own.alpha_mask
    if share < 1:
        painting = pixels + np.float32(share) * (painting - pixels)
    np.copyto(pixels, painting, where=inside[..., None])
