# SPDX-License-Identifier: GPL-3.0-or-later
"""The training set: the keyframes of a shot as examples of network input and paint."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np

from ..frames.alpha import alpha_of, as_layer, is_painted
from ..frames.frame import Frame, read_frame
from ..frames.keyframe import Keyframe, read_keyframes
from ..guides.network_input import Inputs
from ..images.types import FloatArray, HalfArray
from ..images.window import Window
from ..networks.device import give_back_freed
from ..projection.channels import PROJECTION_CHANNELS
from ..projection.keyframe_projection import Projection
from ..shared.files import read_unchanged
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_LEARNT, COVERAGE, PROJECTION
from .example import Example

AROUND_PAINT = 8
"""Pixels around paint whose colours are learnt too, where alpha is learnt …"""
AROUND_WEIGHT = 0.1
"""… with this weight, since learnt alpha is never quite 0 there."""


@dataclasses.dataclass(frozen=True)
class TrainingSet:
    """The keyframes as training examples, and the means to build the network's input of a frame.

    Attributes:
        examples: one per keyframe; empty once ``Patches`` has taken them over.
        digests: keyframe → ``Shot.key_digest`` when it was read.
        paintings: keyframe → ``Shot.painting_digest`` when it was read.
        alpha: ``frame``, ``opaque`` or ``learnt`` (see ``frames/alpha.py``).
        guides: names of the guides, in channel order.
        inputs: reads frames and computes their guides.
        projection: projects the keyframes; None if the guides do not include ``projection``.
    """

    examples: list[Example]
    digests: dict[int, str]
    paintings: dict[int, str]
    alpha: str
    guides: list[str]
    inputs: Inputs
    projection: Projection | None

    def input_of(self, frame: Frame, weights: Mapping[int, float]) -> FloatArray:
        """Return the network's input (C, H, W) float32, −1..1, of a frame.

        Args:
            frame: a frame read by ``inputs``.
            weights: keyframe → its weight on this frame (see ``Projection.carry``).
        """
        if not self.projection:
            return self.inputs.build(frame)
        return self.inputs.build(frame, self.projection.carry(frame, weights).channels)


def read_training_set(
    shot: Shot,
    keys: Sequence[int],
    names: Sequence[str],
    radius: int,
    report: Reporter,
    *,
    fixed: bool = False,
    change: Callable[[Keyframe], Keyframe] = lambda keyframe: keyframe,
) -> TrainingSet:
    """Read the keyframes and compute their guides and their projections onto each other.

    Args:
        shot: the shot.
        keys: keyframes to learn from; empty for all painted ones.
        names: guides, in channel order.
        radius: radius of the temporal filter in frames, 0 for none.
        report: gets the progress of slow steps, and may cancel them.
        fixed: whether to keep to these guides. Otherwise ``coverage`` is added where the paintings
            have an alpha of their own.
        change: is given each keyframe as read, and returns what is learnt of it.

    Raises:
        PaintoverError: as in ``read_keyframes`` and ``Inputs.read``.
        Cancelled: the reporter asked to stop.
    """
    training_set, _ = read_unchanged(
        lambda: {key: shot.key_digest(key) for key in keys or shot.painted_keys()},
        lambda: _read(shot, keys, names, radius, report, fixed, change),
        str(shot.folder / "keys"),
    )
    return training_set


def _read(
    shot: Shot,
    keys: Sequence[int],
    names: Sequence[str],
    radius: int,
    report: Reporter,
    fixed: bool,
    change: Callable[[Keyframe], Keyframe],
) -> TrainingSet:
    """Read the training set; the keyframes are not replaced meanwhile."""
    keyframes = list(map(change, read_keyframes(shot, keys, report)))
    digests = {keyframe.frame: shot.key_digest(keyframe.frame) for keyframe in keyframes}
    paintings = {key: shot.painting_digest(key) for key in digests}
    alpha = alpha_of(_with_alpha(shot, keyframes))
    if alpha == ALPHA_LEARNT and not fixed and PROJECTION in names and COVERAGE not in names:
        names = list(itertools.chain(names[:-1], [COVERAGE, PROJECTION]))
    inputs = Inputs(shot, names, digests, radius, report)
    inputs.prepare("train", digests)
    reach = inputs.reach if inputs.has_parts else None
    whole = Window.whole(shot.manifest.height, shot.manifest.width)
    again = whole.is_of_huge and reach is not None
    pairs, channels = [], []
    while keyframes:
        keyframe = keyframes.pop(0)
        frame = inputs.read(keyframe.frame)
        if not again:
            channels.append(_by_parts(whole, frame.cut, reach, inputs.build)[0])
        layer = as_layer(keyframe, frame.alpha) if alpha == ALPHA_LEARNT else keyframe
        pairs.append((layer, frame.lean()))
        del keyframe, frame, layer
    projection = None
    if PROJECTION in names:
        projection = Projection(shot, pairs, report, alpha=COVERAGE in names)
    examples = []
    while pairs:
        keyframe, frame = pairs.pop(0)
        if again:
            frame = dataclasses.replace(frame, image=frame.image[:0].copy())
        paint = paint_of(keyframe, frame, alpha)
        weight = weight_of(keyframe, alpha).astype(np.float16)
        read: Callable[[Window], Frame] = frame.cut
        if again:
            read = functools.partial(_read_again, inputs, keyframe.frame)
        del keyframe, frame
        if again:
            channels.append(_by_parts(whole, read, reach, inputs.build)[0])
        projections = np.empty((0, *whole.shape, PROJECTION_CHANNELS), np.float16)
        if projection:
            projections = _by_parts(whole, read, reach, projection.each)
        picture = _by_parts(whole, read, 0, picture_of)[0]
        examples.append(Example(channels.pop(0), picture, projections, paint, weight))
    return TrainingSet(examples, digests, paintings, alpha, list(names), inputs, projection)


def _read_again(inputs: Inputs, number: int, part: Window) -> Frame:
    """Read a part of a keyframe's frame, which is too large to be kept."""
    return inputs.read(number, part=part)


def _with_alpha(shot: Shot, keyframes: Sequence[Keyframe]) -> Iterator[tuple[Keyframe, Frame]]:
    """Yield keyframes, each with its frame, of which only picture and alpha are read."""
    for keyframe in keyframes:
        yield keyframe, read_frame(shot, keyframe.frame, ())


def _by_parts(
    window: Window,
    read: Callable[[Window], Frame],
    reach: int | None,
    compute: Callable[[Frame], FloatArray | Sequence[FloatArray]],
) -> HalfArray:
    """Compute channels of a frame, in bands of rows if it is large, to bound the memory.

    Args:
        window: the whole frame.
        read: returns a part of it.
        reach: radius in pixels that ``compute`` reads around a pixel; None if unbounded, which
            computes the whole frame at once.
        compute: returns channels (C, H, W), or a sequence of N of them, of a frame or band.

    Returns:
        (N, H, W, C) float16; N is 1 if ``compute`` returns a single array.
    """
    parts = [(window, window)] if reach is None else [*window.parts(reach)]
    result = np.empty(0, np.float16)
    for core, band in parts:
        computed = compute(read(band))
        arrays = [computed] if isinstance(computed, np.ndarray) else computed
        if not result.size:
            result = np.empty((len(arrays), *window.shape, len(arrays[0])), np.float16)
        for target, values in zip(result, arrays, strict=True):
            target[core.within(window)] = values[:, *core.within(band)].transpose(1, 2, 0)
        if len(parts) > 1:
            del computed, arrays, values
            give_back_freed()
    return result


def picture_of(frame: Frame) -> FloatArray:
    """Return the frame's picture (3, H, W), −1..1."""
    return _signed(frame.image).transpose(2, 0, 1)


def _signed(picture: FloatArray) -> FloatArray:
    """Map 0..1 to −1..1."""
    signed = 2 * picture
    signed -= 1
    return signed


def paint_of(keyframe: Keyframe, frame: Frame, alpha: str) -> HalfArray:
    """Return (H, W, 3 or 4) colours, −1..1, and the alpha offset if alpha is learnt."""
    is_learnt = alpha == ALPHA_LEARNT
    result = np.empty((*keyframe.alpha.shape, 3 + is_learnt), np.float16)
    for part, _ in Window.whole(*keyframe.alpha.shape).parts(0):
        result[*part.inside, :3] = _signed(keyframe.paint[part.inside])
        if is_learnt:
            result[*part.inside, 3] = keyframe.alpha[part.inside] - frame.alpha[part.inside]
    return result


def weight_of(keyframe: Keyframe, alpha: str) -> FloatArray:
    """Return (H, W, 1 or 2): mask × alpha for the colours, and the alpha mask if it is learnt."""
    learnt = keyframe.alpha_mask if alpha == ALPHA_LEARNT else keyframe.mask
    colours = learnt * keyframe.alpha
    if alpha != ALPHA_LEARNT:
        return colours[..., None]
    square = np.ones((2 * AROUND_PAINT + 1,) * 2, np.uint8)
    around = cv2.dilate(is_painted(keyframe).astype(np.uint8), square)
    colours = np.maximum(colours, np.float32(AROUND_WEIGHT) * (around * keyframe.alpha_mask))
    return np.dstack([colours, keyframe.alpha_mask.astype(np.float32)])
