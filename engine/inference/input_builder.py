# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the network's input for a frame: the keyframes' paint is carried to it, then its guides.

Also the inputs of keyframes by which a network is judged before it paints: with their paint, and
without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..frames.drawn_frame import DrawnFrame
from ..frames.frame import Frame, seen_part
from ..frames.keyframe import Keyframe
from ..guides.network_input import Inputs
from ..images.types import FloatArray
from ..images.window import Window
from ..networks.device import give_back_freed
from ..projection.channels import PROJECTION_CHANNELS, VALID
from ..projection.keyframe_projection import Carried, Projection
from ..projection.stroke_residuals import StrokeResiduals
from ..projection.surface_edges import SurfaceEdges
from ..shared.keyframes.weights import weights_at
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import COVERAGE, StyleHeader, has_surface
from .frame_reader import FrameReader
from .stroke_fitting import fit_strokes
from .tiled_inference import TiledInference

CALIBRATION_SIDE = 96
"""Side in pixels of the keyframe squares on which int8 and floating point are compared."""


class NetworkInput(NamedTuple):
    """What the network gets of a frame, or of a window of it.

    Attributes:
        x: (C, H, W) float32, −1..1.
        strokes: (H, W, 3) float32, added to the network's own paint; None: none.
    """

    x: FloatArray
    strokes: FloatArray | None


class InputBuilder:
    """Builds the network's input for frames of a shot.

    Args:
        shot: the shot.
        header: the style's header.
        inputs: computes the style's guides.
        reader: reads the frames.
        keyframes: the paintings that are carried, each with its frame; none: nothing is carried.
        report: receives the progress of following the motion, and may cancel it.
    """

    def __init__(
        self,
        shot: Shot,
        header: StyleHeader,
        inputs: Inputs,
        reader: FrameReader,
        keyframes: Sequence[tuple[Keyframe, Frame]],
        report: Reporter,
    ) -> None:
        self._shot, self._header, self._inputs, self._reader = shot, header, inputs, reader
        self._projection: Projection | None = None
        self._strokes: StrokeResiduals | None = None
        self._has_surface = has_surface(shot.manifest.passes)
        if keyframes:
            carries_alpha = COVERAGE in header.guides
            self._projection = Projection(shot, keyframes, report, alpha=carries_alpha)

    @property
    def carries_along_motion(self) -> bool:
        """Whether paint is carried, and along the motion."""
        return self._projection is not None and not self._has_surface

    def build(self, frame: Frame) -> NetworkInput:
        """Carry the keyframes' paint and strokes to a frame, then compute its guides."""
        if not self._projection:
            return NetworkInput(self._inputs.build(frame), None)
        edges = SurfaceEdges.of(frame) if self._strokes else None
        channels, strokes = self.carry(frame, edges)
        if self._strokes and strokes is not None:
            self._strokes.complete(strokes, frame, channels[VALID], edges)
        if self._reader.in_bands:
            give_back_freed()
        return NetworkInput(self._inputs.build(frame, channels), strokes)

    def carry(self, frame: Frame, edges: SurfaceEdges | None = None) -> Carried:
        """Carry the keyframes' paint and strokes to a frame, by their weights there.

        Args:
            frame: the frame, or a window of it.
            edges: the frame's, where they have been computed already.
        """
        assert self._projection
        weights = weights_at(self._shot.manifest.weights, frame.number, self._header.trained_on)
        return self._projection.carry(frame, weights, edges=edges)

    def fit_strokes(
        self, inference: TiledInference, keyframes: Sequence[tuple[Keyframe, Frame]]
    ) -> None:
        """Carry, too, what the network leaves out of the paintings; only along a surface.

        Args:
            inference: of the style's network, in the arithmetic in which it will paint.
            keyframes: as for the class.
        """
        if not self._projection or not self._has_surface or not inference.takes_strokes:
            return
        reach = self._reader.reach if self._reader.in_bands else None
        self._strokes = fit_strokes(inference, keyframes, self._build_without_paint, reach)
        self._projection.carry_strokes(self._strokes.carried)

    def add_drawn(self, drawn: DrawnFrame) -> None:
        """Carry a drawn frame, too; only along the motion.

        Raises:
            PaintoverError: the frame cannot be read.
        """
        assert self._projection
        frame = self._reader.read_source(drawn.frame)
        assert frame.window is not None
        self._projection.add_drawn(drawn.as_keyframe().cut(frame.window), frame)
        self._inputs.follow(drawn.frame)

    def build_bare(self, frame: Frame) -> FloatArray:
        """Return the input (C, H, W) of a frame to which nothing is carried."""
        nothing = np.zeros((self._projected_channels, *frame.alpha.shape), np.float32)
        return self._inputs.build(frame, nothing)

    def without_paint(self, x: FloatArray) -> FloatArray:
        """Return a copy of an input (C, H, W) as if nothing were carried to its frame."""
        bare = x.copy()
        bare[-self._projected_channels :] = 0
        return bare

    def examples(self, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield example inputs (C, H, W) of the first keyframe, with and without carried paint.

        Args:
            keyframe: that keyframe's frame; None where nothing is carried.

        Raises:
            PaintoverError: it cannot be read.
            Cancelled: the reporter asked to stop.
        """
        key = min(self._header.trained_on)
        self._inputs.prepare("stylize", [key])
        for x in self._sample_parts(key, keyframe):
            yield x
            if self._projection:
                yield self.without_paint(x)

    def _sample_parts(self, key: int, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield squares (C, H, W) of a keyframe's input."""
        if not self._inputs.local and not self._reader.in_bands:
            x = self._build_with_paint(keyframe or self._inputs.read(key))
            for part in Window.whole(*x.shape[1:]).squares(CALIBRATION_SIDE):
                yield x[:, *part.inside]
            return
        window = keyframe.window if keyframe else seen_part(self._shot, key, self._reader.margin)
        assert window is not None
        for part in window.squares(CALIBRATION_SIDE):
            yield self._build_with_paint(self._part_of(keyframe, key, part))

    def _build_with_paint(self, frame: Frame) -> FloatArray:
        """Return the input (C, H, W) of a frame with all keyframes at full weight."""
        carried = self._projection.compute(frame) if self._projection else None
        return self._inputs.build(frame, carried)

    def _build_without_paint(self, frame: Frame, part: Window) -> FloatArray:
        """Return the input (C, H, W) of a part of a keyframe to which nothing is carried."""
        return self.build_bare(self._part_of(frame, frame.number, part))

    def _part_of(self, frame: Frame | None, key: int, part: Window) -> Frame:
        """Return a part of a keyframe with all passes that the guides need."""
        if frame is None or self._reader.in_bands:
            return self._inputs.read(key, part=part)
        return frame if frame.window == part else frame.cut(part)

    @property
    def _projected_channels(self) -> int:
        """Number of channels of the guides ``coverage`` and ``projection``."""
        return PROJECTION_CHANNELS + (COVERAGE in self._header.guides)
