# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to learn: the keyframes of a shot as training examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from .alpha import ALPHA_LEARNT, alpha_of
from .device import give_back_freed
from .frames import Frame
from .guides import PROJECTION_CHANNELS
from .guides.projection import Projection
from .images import FloatArray
from .inputs import Inputs
from .keyframes import Keyframe, read_keyframes
from .network_base import GRID
from .patches import Example, Halves
from .reporting import Reporter
from .shot import Shot
from .style_header import PROJECTION
from .window import Window, seen_window

SQUARE = 256
"""Side of the parts of keyframes that show what a network sees."""


@dataclasses.dataclass(frozen=True)
class Lessons:
    """The keyframes as examples.

    Attributes:
        examples: one for each keyframe.
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

    def squares(self) -> Iterator[Tensor]:
        """Yield parts of the keyframes' inputs, (1, C, H, W), with their paint and without."""
        for number, example in enumerate(self.examples):
            for part in seen_window(example.weight.max(0), GRID).squares(SQUARE):
                guides = example.guides[:, *part.inside].astype(np.float32)
                if not example.projections:
                    yield torch.from_numpy(guides)[None]
                    continue
                own = example.projections[number][:, *part.inside].astype(np.float32)
                own[3:6] = 0  # the keyframe's picture is the frame's
                for carried in (own, np.zeros_like(own)):
                    yield torch.from_numpy(np.concatenate([guides, carried]))[None]


def read_lessons(
    shot: Shot, keys: Sequence[int], names: list[str], radius: int, report: Reporter
) -> Lessons:
    """Read the keyframes and compute their guides and their projections onto each other.

    Args:
        keys: keyframes to learn from; none means all that are painted.
        names: guides, in channel order.
        radius: of the filter over time, 0 for none.
        report: hears what takes long, and may cancel it.

    Raises:
        PaintoverError: as ``keyframes.read_keyframes`` and ``inputs.Inputs.read``.
        Cancelled: the reporter asked to stop.
    """
    keyframes = read_keyframes(shot, keys)
    digests = {keyframe.frame: shot.key_digest(keyframe.frame) for keyframe in keyframes}
    inputs = Inputs(shot, names, digests, radius, report)
    inputs.prepare("train", digests)
    pairs = [(keyframe, inputs.read(keyframe.frame)) for keyframe in keyframes]
    alpha = alpha_of(pairs)
    projection = Projection(shot, pairs, report) if PROJECTION in names else None
    if projection:
        projection.prepare("train", digests)
    reach = inputs.reach if inputs.local else None
    examples = []
    for keyframe, frame in pairs:
        examples.append(
            Example(
                guides=_by_parts(frame, reach, inputs.build),
                picture=_signed(frame.image).astype(np.float16),
                projections=_projections(frame, reach, projection) if projection else [],
                paint=_paint(keyframe, frame, alpha).astype(np.float16),
                weight=_weight(keyframe, alpha).astype(np.float16),
            )
        )
    return Lessons(examples, digests, alpha, inputs, projection)


def _projections(frame: Frame, reach: int | None, projection: Projection) -> list[Halves]:
    found = _by_parts(frame, reach, lambda part: np.concatenate(projection.each(part)))
    return [*found.reshape(-1, PROJECTION_CHANNELS, *found.shape[1:])]


def _by_parts(frame: Frame, reach: int | None, compute: Callable[[Frame], FloatArray]) -> Halves:
    """Compute channels (C, H, W) of a frame, of a large one part by part, to bound the memory.

    Args:
        frame: the frame.
        reach: how many pixels around a pixel are looked at; None: at all.
        compute: gives the channels of a frame, or of a part of one.
    """
    window = frame.window or Window.whole(*frame.alpha.shape)
    parts = [(window, window)] if reach is None else [*window.parts(reach)]
    if len(parts) == 1:
        return compute(frame).astype(np.float16)
    result = np.empty((0, *window.shape), np.float16)
    for core, band in parts:
        values = compute(frame.cut(band))[:, *core.within(band)]
        if not len(result):
            result = np.empty((len(values), *window.shape), np.float16)
        result[:, *core.within(window)] = values
        give_back_freed()
    return result


def _signed(picture: FloatArray) -> FloatArray:
    """(H, W, 3), 0..1 → (3, H, W), −1..1."""
    return picture.transpose(2, 0, 1) * 2 - 1


def _paint(keyframe: Keyframe, frame: Frame, alpha: str) -> FloatArray:
    colours = _signed(keyframe.paint)
    if alpha != ALPHA_LEARNT:
        return colours
    return np.concatenate([colours, (keyframe.alpha - frame.alpha)[None]])


def _weight(keyframe: Keyframe, alpha: str) -> FloatArray:
    """Return (1 or 2, H, W): colours count as far as they are seen, learnt alpha everywhere."""
    mask = keyframe.mask.astype(np.float32)
    colours = mask * keyframe.alpha
    return np.stack([colours, mask] if alpha == ALPHA_LEARNT else [colours])
