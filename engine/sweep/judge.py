# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a network by paint that it has not seen, by its strokes and by its flicker.

The network is judged as it is: without the stroke residuals that stylizing adds, and not in int8.
Of large frames a window is judged, to bound time and memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import torch

from ..evaluation.flicker_meter import FlickerInput, MeasuredFrame, flicker_between
from ..evaluation.results import mask_guides, mask_of
from ..evaluation.strokes import distance, stroke_quantiles
from ..frames.alpha import finish
from ..frames.frame import Frame, read_frame
from ..frames.keyframe import read_keyframe
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..inference.tiled_inference import TiledInference
from ..shared.frame_lists import counted
from ..shared.keyframes.weights import weights_at
from ..shared.style_header import ALPHA_LEARNT
from ..training.losses.paint_loss import held_out_loss
from .material import Channels, Material

SIDE = 512
"""Longest side of a window, in pixels."""
PAIRS = 3
"""Pairs of unpainted frames that are looked at, at most."""
STROKES, FLICKER = 2.0, 1.0
"""Weights of strokes and of flicker, in codes for a code of held-out paint."""
CODES = 127.5
"""8-bit codes of a unit of −1..1."""


@dataclasses.dataclass(frozen=True)
class Scores:
    """How good a network is, in 8-bit codes; lower is better.

    Attributes:
        held_out: mean |difference| from the paint that was left out, plus that of the texture.
        strokes: distance of the strokes of unpainted frames from those of the nearest painting;
            None without such frames.
        flicker: what it flickers more than the pictures themselves, at least 0; None likewise.
    """

    held_out: float
    strokes: float | None
    flicker: float | None

    @property
    def total(self) -> float:
        """The sum that a sweep makes small."""
        return self.held_out + STROKES * (self.strokes or 0) + FLICKER * (self.flicker or 0)


@dataclasses.dataclass(frozen=True)
class _Part:
    """A window of a frame.

    Attributes:
        x: (C, h, w) float16, −1..1, the network's input with all guides.
        frame: the frame in the window.
    """

    x: npt.NDArray[np.float16]
    frame: Frame


@dataclasses.dataclass(frozen=True)
class _HeldPart(_Part):
    """A window with paint that was left out: (h, w, 3), 0..1, and its weight (h, w), 0..1."""

    truth: FloatArray
    weight: FloatArray


class Judge:
    """Judges networks; reads all that it needs once.

    Args:
        material: what the networks train on.

    Raises:
        PaintoverError: a frame or a painting cannot be read.
    """

    def __init__(self, material: Material) -> None:
        self._material = material
        shot, held_out = material.shot, material.held_out
        self._passes = {"motion", *mask_guides(shot)}
        keys = held_out.keys or held_out.learnt
        pairs = _spread_pairs(shot.frames, {*held_out.learnt, *held_out.keys})
        numbers = [*keys, *(number for pair in pairs for number in pair)]
        material.training_set.inputs.prepare("sweep", numbers)
        self._paintings = {
            key: self._quantiles(key) for key in sorted({*held_out.learnt, *held_out.keys})
        }
        self._held = [self._read_held(key) for key in keys]
        self._pairs = [self._read_pair(*pair) for pair in pairs]

    def describe(self) -> str:
        """Return in words what the paint is compared with."""
        keys = self._material.held_out.keys
        if not keys:
            return "blocks of the only keyframe that were left out"
        return f"{counted(len(keys), 'keyframe')} left out: {', '.join(map(str, keys))}"

    def scores(self, inference: TiledInference, channels: Channels) -> Scores:
        """Judge a network.

        Args:
            inference: the network.
            channels: indices of its channels in those of all guides.
        """
        held = [self._held_out(part, self._paint(part, inference, channels)) for part in self._held]
        strokes, flickers = [], []
        for pair in self._pairs:
            painted = [self._paint(part, inference, channels) for part in pair]
            drawn = self._strokes(pair[1].frame, painted[1])
            before, now = (
                MeasuredFrame(source := FlickerInput.of(part.frame), source.fitting(picture))
                for part, picture in zip(pair, painted, strict=True)
            )
            found = flicker_between(before, now)
            strokes += [] if drawn is None else [drawn]
            flickers += [] if found is None else [max(0.0, found.excess)]
        return Scores(float(np.mean(held)), _mean(strokes), _mean(flickers))

    def _paint(self, part: _Part, inference: TiledInference, channels: Channels) -> FloatArray:
        """Return (h, w, 3), 0..1, the stylized window."""
        painted = inference.paint(part.x[channels].astype(np.float32))
        alpha = self._material.training_set.alpha
        return np.ascontiguousarray(
            finish(painted, part.frame.alpha, alpha, part.frame.picture)[..., :3]
        )

    def _held_out(self, part: _HeldPart, picture: FloatArray) -> float:
        result, truth = (
            torch.from_numpy(2 * values.transpose(2, 0, 1)[None] - 1)
            for values in (picture, part.truth)
        )
        return CODES * float(
            held_out_loss(result, truth, torch.from_numpy(part.weight)[None, None])
        )

    def _strokes(self, frame: Frame, picture: FloatArray) -> float | None:
        nearest = min(self._paintings, key=lambda key: abs(key - frame.number))
        painting = self._paintings[nearest]
        drawn = None if painting is None else stroke_quantiles(picture, mask_of(frame))
        return None if painting is None or drawn is None else distance(drawn, painting)

    def _quantiles(self, key: int) -> FloatArray | None:
        """Return the quantiles of a painting's patches; None if it has too few."""
        keyframe = read_keyframe(self._material.shot, key)
        part = keyframe.cut(_window(keyframe.mask))
        return stroke_quantiles(part.paint, part.mask)

    def _read_held(self, key: int) -> _HeldPart:
        keyframe = read_keyframe(self._material.shot, key)
        blocks = self._material.held_out.blocks.get(key)
        where = keyframe.mask if blocks is None else keyframe.mask & blocks
        window = _window(keyframe.mask)
        part = self._read(key, window)
        own, counts = keyframe.cut(window), np.ascontiguousarray(where[window.inside])
        if self._material.training_set.alpha == ALPHA_LEARNT:
            truth = part.frame.picture + own.alpha[..., None] * (own.paint - part.frame.picture)
            weight = counts.astype(np.float32)
        else:
            truth, weight = own.paint, counts * own.alpha
        return _HeldPart(part.x, part.frame, np.asarray(truth, np.float32), weight)

    def _read_pair(self, before: int, now: int) -> tuple[_Part, _Part]:
        subject = mask_of(read_frame(self._material.shot, now, mask_guides(self._material.shot)))
        window = _window(subject if subject.any() else np.ones_like(subject))
        return self._read(before, window), self._read(now, window)

    def _read(self, number: int, window: Window) -> _Part:
        """Read a window of a frame, and the network's input there."""
        training_set = self._material.training_set
        inputs = training_set.inputs
        whole = Window.whole(window.height, window.width)
        around = window.grown(inputs.reach) if inputs.local else whole
        frame = inputs.read(number, self._passes, part=around)
        manifest = self._material.shot.manifest
        weights = weights_at(manifest.weights, number, training_set.digests)
        x = training_set.input_of(frame, weights)[:, *window.within(around)]
        return _Part(x.astype(np.float16), frame.cut(window))


def _spread_pairs(frames: Sequence[int], keys: Collection[int]) -> list[tuple[int, int]]:
    """Return pairs of successive frames without keyframes, spread evenly over a shot."""
    there = {*frames} - {*keys}
    later = [frame for frame in sorted(there) if frame - 1 in there]
    places = np.linspace(0, len(later), 2 * PAIRS + 1)[1::2].astype(int)
    return [(later[place] - 1, later[place]) for place in sorted({*places}) if place < len(later)]


def _window(mask: BoolArray) -> Window:
    """Return a window of at most ``SIDE`` pixels in the middle of a mask, inside the picture."""
    spans = []
    for axis, length in zip((1, 0), mask.shape, strict=True):
        places = np.flatnonzero(mask.any(axis=axis))
        side = min(SIDE, length)
        first = int(places[0] + places[-1] + 1 - side) // 2
        spans.append(min(max(first, 0), length - side))
    height, width = mask.shape
    top, left = spans
    return Window(top, left, top + min(SIDE, height), left + min(SIDE, width), height, width)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
