# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to learn: the keyframes of a shot as training examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..frames.alpha import ALPHA_LEARNT, alpha_of
from ..frames.frame import Frame
from ..frames.keyframe import Keyframe, read_keyframes
from ..guides.network_input import Inputs
from ..images.types import FloatArray, HalfArray
from ..images.window import Window
from ..networks.device import give_back_freed
from ..projection.channels import PROJECTION_CHANNELS
from ..projection.keyframe_projection import Projection
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import PROJECTION
from .patch_sampler import Example


@dataclasses.dataclass(frozen=True)
class TrainingSet:
    """The keyframes as examples.

    Attributes:
        examples: one for each keyframe; empty once they have been handed on.
        digests: keyframe → its digest when it was read.
        alpha: ``frame``, ``opaque`` or ``learnt`` (see ``alpha``).
        inputs: gives the network's input of any frame.
        projection: the projection of the keyframes, where the guides have it.
    """

    examples: list[Example]
    digests: dict[int, str]
    alpha: str
    inputs: Inputs
    projection: Projection | None

    def input_of(self, frame: Frame, weights: Mapping[int, float]) -> FloatArray:
        """Return the network's input (C, H, W) of any frame that ``inputs`` has read.

        Args:
            weights: keyframe → how much it counts on this frame (see ``Projection.carry``).
        """
        if not self.projection:
            return self.inputs.build(frame)
        return self.inputs.build(frame, self.projection.carry(frame, weights).channels)


def read_training_set(
    shot: Shot, keys: Sequence[int], names: list[str], radius: int, report: Reporter
) -> TrainingSet:
    """Read the keyframes and compute their guides and their projections onto each other.

    Args:
        keys: keyframes to learn from; none means all that are painted.
        names: guides, in channel order.
        radius: of the filter over time, 0 for none.
        report: hears what takes long, and may cancel it.

    Raises:
        PaintoverError: as ``keyframe.read_keyframes`` and ``network_input.Inputs.read``.
        Cancelled: the reporter asked to stop.
    """
    keyframes = read_keyframes(shot, keys)
    digests = {keyframe.frame: shot.key_digest(keyframe.frame) for keyframe in keyframes}
    inputs = Inputs(shot, names, digests, radius, report)
    inputs.prepare("train", digests)
    reach = inputs.reach if inputs.local else None
    pairs, guides = [], []
    for keyframe in keyframes:
        frame = inputs.read(keyframe.frame)
        guides.append(_by_parts(frame, reach, inputs.build)[0])
        frame = frame.lean()
        pairs.append((keyframe, frame))
    alpha = alpha_of(pairs)
    projection = Projection(shot, pairs, report) if PROJECTION in names else None
    if projection:
        projection.prepare("train", digests)
    examples = []
    for (keyframe, frame), own in zip(pairs, guides, strict=True):
        projections = np.empty((0, *own.shape[:2], PROJECTION_CHANNELS), np.float16)
        if projection:
            projections = _by_parts(frame, reach, projection.each)
        examples.append(
            Example(
                guides=own,
                picture=_signed(frame.image).astype(np.float16),
                projections=projections,
                paint=_paint(keyframe, frame, alpha).astype(np.float16),
                weight=_weight(keyframe, alpha).astype(np.float16),
            )
        )
    return TrainingSet(examples, digests, alpha, inputs, projection)


def _by_parts(
    frame: Frame, reach: int | None, compute: Callable[[Frame], FloatArray | Sequence[FloatArray]]
) -> HalfArray:
    """Compute channels of a frame, of a large one part by part, to bound the memory.

    Args:
        frame: the frame.
        reach: how many pixels around a pixel are looked at; None: at all.
        compute: gives the channels (C, H, W), or several such, of a frame or of a part of one.

    Returns:
        (N, H, W, C).
    """
    window = frame.window or Window.whole(*frame.alpha.shape)
    parts = [(window, window)] if reach is None else [*window.parts(reach)]
    result = np.empty(0, np.float16)
    for core, band in parts:
        found = compute(frame if band == window else frame.cut(band))
        several = [found] if isinstance(found, np.ndarray) else found
        if not result.size:
            result = np.empty((len(several), *window.shape, len(several[0])), np.float16)
        for target, values in zip(result, several, strict=True):
            target[core.within(window)] = values[:, *core.within(band)].transpose(1, 2, 0)
        if len(parts) > 1:
            del found, several, values
            give_back_freed()
    return result


def _signed(picture: FloatArray) -> FloatArray:
    """0..1 → −1..1."""
    signed = 2 * picture
    signed -= 1
    return signed


def _paint(keyframe: Keyframe, frame: Frame, alpha: str) -> FloatArray:
    colours = _signed(keyframe.paint)
    if alpha != ALPHA_LEARNT:
        return colours
    return np.dstack([colours, keyframe.alpha - frame.alpha])


def _weight(keyframe: Keyframe, alpha: str) -> FloatArray:
    """Return (H, W, 1 or 2): colours count as far as they are seen, learnt alpha everywhere."""
    mask = keyframe.mask.astype(np.float32)
    colours = mask * keyframe.alpha
    return np.dstack([colours, mask] if alpha == ALPHA_LEARNT else [colours])
