# SPDX-License-Identifier: GPL-3.0-or-later
"""From a frame's files to its painted pixels: reading, guides, network; large frames in bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..evaluation.frame_flicker import Shown, needs
from ..frames.alpha import ALPHA, ALPHA_FRAME, finish
from ..frames.frame import Frame, seen_part
from ..frames.keyframe import Keyframe, read_keyframe
from ..guides import registry as guides
from ..guides.network_input import Inputs
from ..images.types import BoolArray, FloatArray
from ..images.window import Window, is_empty_around
from ..networks.activation_ranges import ActivationRanges
from ..networks.device import give_back_freed
from ..projection.channels import PROJECTION_CHANNELS, VALID
from ..projection.keyframe_projection import Projection
from ..projection.surface_edges import SurfaceEdges
from ..shared.errors import PaintoverError
from ..shared.keyframe_weights import weights_at
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import FILTER, PROJECTION, StyleHeader, has_surface
from .prefetch import read_ahead
from .static_reuse import StaticReuse
from .stroke_fitting import learn_strokes
from .tiled_inference import TiledInference
from .tiling import NONE, Spare

SAMPLE = 96
"""Side of the parts of a keyframe by which painting in integers is judged."""


class Painted(NamedTuple):
    """A painted window of a frame: (H, W, 4) as ``alpha.finish`` returns it, and what is there."""

    pixels: FloatArray
    window: Window | None
    shown: Shown | None


class _Input(NamedTuple):
    """A frame, its input (C, H, W), the strokes (H, W, 3) to add to its paint, if any.

    ``spare`` is what of the frame lies around, and is like the input's border.
    """

    frame: Frame
    x: FloatArray
    strokes: FloatArray | None
    spare: Spare = NONE


class FramePipeline:
    """Paints frames of a shot with a trained network.

    Args:
        shot: the shot.
        style: name of the style, for messages.
        header: of the style.
        inference: of its network; it computes in integers from now on if that suits.
        activations: what its network sees and puts out; None: the inference stays as it is.
        report: hears of what takes long, and may cancel it.

    Raises:
        PaintoverError: a keyframe is missing or damaged.
        Cancelled: the reporter asked to stop.
    """

    def __init__(
        self,
        shot: Shot,
        style: str,
        header: StyleHeader,
        inference: TiledInference,
        activations: ActivationRanges | None,
        report: Reporter,
    ) -> None:
        self._shot, self._style, self._header, self._inference = shot, style, header, inference
        radius = int(header.settings.get(FILTER, 0))
        self._inputs = Inputs(shot, header.guides, header.trained_on, radius, report)
        self._watched = needs(shot)
        self._alpha = str(header.settings.get(ALPHA, ALPHA_FRAME))
        self._reach = inference.reach + self._inputs.reach
        whole = Window.whole(shot.manifest.height, shot.manifest.width)
        self._in_parts = self._inputs.local and whole.is_of_large
        keyframes = self._read_keyframes() if PROJECTION in header.guides else []
        self._projection = Projection(shot, keyframes, report) if keyframes else None
        if activations:
            inference.quantize(activations, self._examples(keyframes[0][1] if keyframes else None))
        give_back_freed()
        self._strokes = None
        if self._projection and inference.takes_strokes and has_surface(shot.manifest.passes):
            reach = self._reach if self._in_parts else None
            self._strokes = learn_strokes(inference, keyframes, self._without_paint, reach)
            self._projection.carry_strokes(self._strokes.carried)

    def paint(self, frames: list[int]) -> Iterator[tuple[int, Painted]]:
        """Paint frames, in this order; yields the number of each and what was painted.

        Raises:
            PaintoverError: a file is missing or damaged, or the memory is too small.
            Cancelled: the reporter asked to stop.
        """
        self._prepare(frames)
        manifest, local = self._shot.manifest, self._inputs.local
        if self._in_parts:
            give_back_freed()
            for number in frames:
                yield number, self._paint_in_bands(number)
            return
        inference = StaticReuse(self._inference) if self._inference.is_exact else self._inference
        pixels = manifest.width * manifest.height
        for frame, x, strokes, spare in read_ahead(self._read, frames, pixels, several=local):
            painted = inference.paint(x, self._wanted(frame), strokes, spare)
            shown = None if self._inputs.filters else Shown.of(frame)
            result = finish(painted, frame.alpha, self._alpha)
            yield frame.number, Painted(result, frame.window, shown)

    def _prepare(self, frames: list[int]) -> None:
        self._inputs.prepare("stylize", frames)
        if self._projection:
            self._projection.prepare("stylize", frames)

    def _paint_in_bands(self, number: int) -> Painted:
        window = seen_part(self._shot, number, self._around)
        pixels = np.zeros((*window.shape, 4), np.float32)
        shown = []
        for core, band in window.parts(self._reach):
            pixels[core.within(window)], seen = self._paint_band(number, core, band)
            give_back_freed()
            shown.append(seen)
        return Painted(pixels, window, Shown.joined(shown, window))

    def _paint_band(self, number: int, core: Window, band: Window) -> tuple[FloatArray, Shown]:
        frame, x, strokes, _ = self._built(number, part=band)
        wanted = self._wanted(frame)
        rows, columns = core.within(band)
        wanted[: rows.start] = wanted[rows.stop :] = False
        painted = self._inference.paint(x, wanted, strokes)
        return finish(painted, frame.alpha, self._alpha)[rows, columns], Shown.of(frame.cut(core))

    @property
    def _only_seen(self) -> bool:
        return self._alpha == ALPHA_FRAME

    @property
    def _around(self) -> int | None:
        """How many pixels around what is seen count at most; None: all of a frame counts."""
        return self._reach if self._only_seen and self._inputs.local else None

    def _wanted(self, frame: Frame) -> BoolArray:
        return frame.alpha > 0 if self._only_seen else np.ones(frame.alpha.shape, bool)

    def _read(self, number: int) -> _Input:
        """Read a frame, as far as it matters, and compute the network's input."""
        if self._around is None:
            return self._built(number)
        seen = self._built(number, self._inputs.reach)
        assert seen.frame.window is not None
        if is_empty_around(seen.x, seen.frame.window):
            return seen._replace(spare=seen.frame.window.spare)
        return self._built(number, self._around)

    def _built(self, number: int, around: int | None = None, part: Window | None = None) -> _Input:
        frame = self._inputs.read(number, self._watched, around, part)
        if not self._projection:
            return _Input(frame, self._inputs.build(frame), None)
        weights = weights_at(self._shot.manifest.weights, number, self._header.trained_on)
        edges = SurfaceEdges.of(frame) if self._strokes else None
        channels, strokes = self._projection.carry(frame, weights, edges=edges)
        if self._strokes and strokes is not None:
            self._strokes.complete(strokes, frame, channels[VALID], edges)
        if part:
            give_back_freed()
        return _Input(frame, self._inputs.build(frame, channels), strokes)

    def _examples(self, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield parts of the first keyframe's input (C, H, W), with paint and without.

        Args:
            keyframe: that keyframe, if there is a projection.
        """
        key = min(self._header.trained_on)
        self._prepare([key])
        for x in self._sample_parts(key, keyframe):
            yield x
            if self._projection:
                bare = x.copy()
                bare[-PROJECTION_CHANNELS:] = 0
                yield bare

    def _sample_parts(self, key: int, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield squares of a keyframe's input (C, H, W) as stylizing builds it."""
        if not self._inputs.local:
            x = self._with_paint(keyframe or self._inputs.read(key))
            for part in Window.whole(*x.shape[1:]).squares(SAMPLE):
                yield x[:, *part.inside]
            return
        window = keyframe.window if keyframe else seen_part(self._shot, key, self._around)
        assert window is not None
        for part in window.squares(SAMPLE):
            yield self._with_paint(self._part_of(keyframe, key, part))

    def _with_paint(self, frame: Frame) -> FloatArray:
        carried = self._projection.compute(frame) if self._projection else None
        return self._inputs.build(frame, carried)

    def _without_paint(self, frame: Frame, part: Window) -> FloatArray:
        """Return the input (C, H, W) of a part of a keyframe, its projection 0."""
        nothing = np.zeros((PROJECTION_CHANNELS, *part.shape), np.float32)
        return self._inputs.build(self._part_of(frame, frame.number, part), nothing)

    def _part_of(self, frame: Frame | None, key: int, part: Window) -> Frame:
        """Return a part of a keyframe with all that guides need."""
        if frame is None or self._in_parts:
            return self._inputs.read(key, part=part)
        return frame if frame.window == part else frame.cut(part)

    def _read_keyframes(self) -> list[tuple[Keyframe, Frame]]:
        keyframes = []
        for key in sorted(self._header.trained_on):
            if not self._shot.key_path(key).is_file():
                raise PaintoverError(
                    f"The painting {self._shot.key_path(key)}, which the style "
                    f'"{self._style}" carries along, is missing; put it back '
                    "(keys/versions may have it), or train again."
                )
            needed = guides.needs([PROJECTION]) if self._in_parts else None
            frame = self._inputs.read(key, around=self._around, only=needed)
            assert frame.window is not None
            keyframes.append((read_keyframe(self._shot, key).cut(frame.window), frame))
        return keyframes
