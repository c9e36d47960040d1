# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network cannot foretell of its keyframes, learnt by painting them without their paint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .continuation import Continuation, Source
from .device import give_back_freed
from .frames import Frame
from .guides import PROJECTION_CHANNELS
from .images import FloatArray
from .inputs import Inputs
from .keyframes import Keyframe
from .motion import BoolArray
from .painting import Brush
from .window import Window


def learn_strokes(
    brush: Brush,
    keyframes: Sequence[tuple[Keyframe, Frame]],
    inputs: Inputs,
    reach: int | None = None,
) -> Continuation:
    """Learn the strokes of keyframes that a network does not foretell without their paint.

    Args:
        brush: of a network whose last guide is ``projection``.
        keyframes: the paintings, or parts of them, each with its frame, which has ``surface`` and
            ``object``.
        inputs: reads what the network looks at, of large frames a part at a time.
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
            residue[here] -= _without_paint(brush, inputs, frame.number, band, wanted)[inside]
            give_back_freed()
        sources.append(Source(frame.surface, frame.object, keyframe.mask, residue))
    return Continuation(sources)


def _without_paint(
    brush: Brush, inputs: Inputs, frame: int, part: Window, wanted: BoolArray
) -> FloatArray:
    """Return what a network paints of a part of a frame (H, W, 3) without paint to carry along."""
    nothing = np.zeros((PROJECTION_CHANNELS, *part.shape), np.float32)
    x = inputs.build(inputs.read(frame, part=part), nothing)
    return brush.paint(x, wanted)[:3].transpose(1, 2, 0)
