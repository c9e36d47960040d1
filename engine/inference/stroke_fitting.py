# SPDX-License-Identifier: GPL-3.0-or-later
"""Stroke residuals of keyframes: each painting minus what the network paints without seeing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..frames.alpha import is_painted
from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.types import FloatArray
from ..images.window import Window
from ..networks.device import give_back_freed
from ..projection.stroke_residuals import Source, StrokeResiduals
from .tiled_inference import TiledInference


def fit_strokes(
    inference: TiledInference,
    keyframes: Sequence[tuple[Keyframe, Frame]],
    input_without_paint: Callable[[Frame, Window], FloatArray],
    reach: int | None = None,
) -> StrokeResiduals:
    """Compute stroke residuals of keyframes, to be carried to other frames.

    Args:
        inference: of a network whose last guide is ``projection``.
        keyframes: the paintings, or windows of them, each with its frame, which has ``surface``
            and ``object``.
        input_without_paint: returns the network's input (C, H, W) of a part of such a frame, with
            the projection set to 0.
        reach: pixels around a pixel that change its paint, to paint large frames in bands; None:
            paint each keyframe at once.

    Raises:
        PaintoverError: a keyframe's frame cannot be read.
    """
    sources = []
    for keyframe, frame in keyframes:
        assert frame.surface is not None and frame.object is not None
        whole = frame.window or Window.whole(*frame.alpha.shape)
        residual = keyframe.paint.copy()
        masked = keyframe.mask & (frame.object > 0)
        for core, band in whole.parts(reach) if reach is not None else [(whole, whole)]:
            inside, here = core.within(band), core.within(whole)
            wanted = np.zeros(band.shape, bool)
            wanted[inside] = masked[here]
            painted = inference.paint(input_without_paint(frame, band), wanted)[:3]
            residual[here] -= painted.transpose(1, 2, 0)[inside]
            give_back_freed()
        residual[~is_painted(keyframe)] = 0
        sources.append(Source(frame.surface, frame.object, keyframe.mask, residual))
    return StrokeResiduals(sources)
