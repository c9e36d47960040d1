# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network cannot foretell of its keyframes, learnt by painting them without their paint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..frames.frame import Frame
from ..frames.keyframe import Keyframe
from ..images.types import FloatArray
from ..images.window import Window
from ..networks.device import give_back_freed
from ..projection.stroke_residuals import Source, StrokeResiduals
from .tiled_inference import TiledInference


def learn_strokes(
    inference: TiledInference,
    keyframes: Sequence[tuple[Keyframe, Frame]],
    without_paint: Callable[[Frame, Window], FloatArray],
    reach: int | None = None,
) -> StrokeResiduals:
    """Learn the strokes of keyframes that a network does not foretell without their paint.

    Args:
        inference: of a network whose last guide is ``projection``.
        keyframes: the paintings, or parts of them, each with its frame, which has ``surface`` and
            ``object``.
        without_paint: gives the network's input of a part of such a frame, its projection 0.
        reach: how many pixels around a pixel the network and its guides look at, for large
            frames; None: at all.

    Raises:
        PaintoverError: a keyframe's frame cannot be read.
    """
    sources = []
    for keyframe, frame in keyframes:
        assert frame.surface is not None and frame.object is not None
        whole = frame.window or Window.whole(*frame.alpha.shape)
        residue = keyframe.paint.copy()
        counted = keyframe.mask & (frame.object > 0)
        for core, band in whole.parts(reach) if reach is not None else [(whole, whole)]:
            inside, here = core.within(band), core.within(whole)
            wanted = np.zeros(band.shape, bool)
            wanted[inside] = counted[here]
            painted = inference.paint(without_paint(frame, band), wanted)[:3]
            residue[here] -= painted.transpose(1, 2, 0)[inside]
            give_back_freed()
        sources.append(Source(frame.surface, frame.object, keyframe.mask, residue))
    return StrokeResiduals(sources)
