# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a style makes of frames, and where it only guesses; frames are drawn by it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..frames.frame import MATTE, Frame
from ..frames.keyframe import Keyframe, read_keyframe
from ..guides.network_input import Inputs
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..networks.gated_unet import shows_own_paint
from ..projection.channels import PROJECTION_CHANNELS
from ..shared.shot import Shot
from .input_builder import InputBuilder
from .tiled_inference import TiledInference


class Study(NamedTuple):
    """What a style makes of a whole frame of size (H, W), and where it only guesses.

    Attributes:
        frame: the frame.
        subject: (H, W) bool, what is to be painted.
        empty: (H, W) bool, the part of it to which no paint is carried, or onto another light.
        painted: (H, W, 3) float32, 0..1, the result.
        own: (H, W, 3) float32, 0..1, what the network paints without carried paint.
    """

    frame: Frame
    subject: BoolArray
    empty: BoolArray
    painted: FloatArray
    own: FloatArray


class KeyframeStudy(NamedTuple):
    """What a style makes of a keyframe of size (H, W) without its painting.

    Attributes:
        frame: the frame.
        painting: its painting.
        own: as in ``Study``.
    """

    frame: Frame
    painting: Keyframe
    own: FloatArray

    @property
    def learnt(self) -> BoolArray:
        """(H, W) bool, the subject as far as it is painted."""
        return self.painting.mask & self.frame.subject


class StyleStudy:
    """Studies a style on whole frames of a shot, without writing anything.

    Args:
        shot: the shot.
        inputs: reads frames with the passes of the style's guides.
        builder: builds the network's input.
        inference: the style's network.
    """

    def __init__(
        self, shot: Shot, inputs: Inputs, builder: InputBuilder, inference: TiledInference
    ) -> None:
        self._shot, self._inputs, self._builder = shot, inputs, builder
        self._inference = inference

    def find_empty(self, number: int) -> tuple[BoolArray, BoolArray]:
        """Return ``Study.subject`` and ``Study.empty`` of a frame; errors as ``frame``."""
        frame = self._read(number)
        return frame.subject, frame.subject & shows_own_paint(self._builder.carry(frame).channels)

    def frame(self, number: int) -> Study:
        """Return what the style makes of an unpainted frame.

        Raises:
            PaintoverError: a file is missing or damaged, or memory ran out.
            Cancelled: the reporter asked to stop.
        """
        frame = self._read(number)
        x, strokes = self._builder.build(frame)
        painted = _colours(self._inference.paint(x, None, strokes))
        empty = frame.subject & shows_own_paint(x[-PROJECTION_CHANNELS:])
        own = _colours(self._inference.paint(self._builder.without_paint(x)))
        return Study(frame, frame.subject, empty, painted, own)

    def keyframe(self, number: int, part: Window | None = None) -> KeyframeStudy:
        """Return what the style makes of a keyframe without its painting; errors as ``frame``.

        Args:
            number: its frame.
            part: the part of it to look at; None: all of it.
        """
        frame = self._read(number, part)
        painting = read_keyframe(self._shot, number)
        painting = painting.cut(part) if part else painting
        own = _colours(self._inference.paint(self._builder.build_bare(frame)))
        return KeyframeStudy(frame, painting, own)

    def _read(self, number: int, part: Window | None = None) -> Frame:
        self._inputs.prepare("train", [number])
        return self._inputs.read(number, {MATTE}, part=part)


def _colours(painted: FloatArray) -> FloatArray:
    """Return colours (H, W, 3) of what ``TiledInference.paint`` returns."""
    return np.ascontiguousarray(painted[:3].transpose(1, 2, 0))
