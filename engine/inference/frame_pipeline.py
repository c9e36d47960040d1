# SPDX-License-Identifier: GPL-3.0-or-later
"""From a frame's files to its painted pixels: read it, build the input, run the network, finish.

``FramePipeline.paint`` is the way in; ``jobs/stylize.py`` lists the stations in order. Frames of
more than ``window.LARGE`` pixels are painted in bands of rows, to bound memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..evaluation.flicker_meter import FlickerInput
from ..frames.drawn_frame import DrawnFrame
from ..guides.network_input import Inputs
from ..images.prefetch import read_ahead
from ..images.types import FloatArray
from ..networks.activation_ranges import ActivationRanges
from ..networks.device import give_back_freed
from ..shared.files import read_unchanged
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import FILTER, INT8, PROJECTION, StyleHeader
from .finishing import Finisher, Painted, put_around
from .frame_reader import FrameRead, FrameReader
from .input_builder import InputBuilder, NetworkInput
from .static_reuse import StaticReuse
from .style_study import StyleStudy
from .tiled_inference import TiledInference

CHOICE_ALONG_MOTION = 3.0
"""``GatedPainter.choice`` where paint is carried along the motion: a pixel off its place, it is
still a brush mark, and mixed with the network's own paint it is a blur."""


class _Prepared(NamedTuple):
    """A frame that has been read, its input, and ``Shot.input_digest`` of it as it was read."""

    read: FrameRead
    built: NetworkInput
    digest: str


class FramePipeline:
    """Paints frames of a shot with a trained network.

    Args:
        shot: the shot.
        style: the style's name, for error messages.
        header: the style's header.
        inference: the style's network; it is switched to int8 where that is fast and close enough.
        activations: activation ranges of the network; None: it stays in floating point.
        report: receives progress of long preparations, and may cancel them.
        keep_frame: whether the frame shows where alpha is learnt and nothing is painted, and
            outside the mattes.

    Attributes:
        key_digests: keyframe → ``Shot.key_digest`` of what was read.
        study: tells what the style makes of frames.

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
        *,
        keep_frame: bool = True,
    ) -> None:
        self._shot, self._inference = shot, inference
        radius = int(header.settings.get(FILTER, 0))
        self._inputs = Inputs(shot, header.guides, header.trained_on, radius, report)
        self._reader = FrameReader(
            shot, header, self._inputs, inference.reach, keep_frame=keep_frame
        )
        keyframes, self.key_digests = read_unchanged(
            lambda: {key: shot.key_digest(key) for key in header.trained_on},
            lambda: self._reader.read_keyframes(style),
            str(shot.folder / "keys"),
        )
        self._builder = InputBuilder(shot, header, self._inputs, self._reader, keyframes, report)
        if self._builder.carries_along_motion:
            inference.choose(CHOICE_ALONG_MOTION)
        if activations:
            examples = self._builder.examples(keyframes[0][1] if keyframes else None)
            _choose_arithmetic(inference, style, header, activations, examples, report)
        give_back_freed()
        self._builder.fit_strokes(inference, keyframes)
        own = self.key_digests if PROJECTION in header.guides else {}
        self._finisher = Finisher(shot, header, own, inference.light, keep_frame=keep_frame)
        self.study = StyleStudy(shot, self._inputs, self._builder, inference)

    def add_drawn(self, drawn: Iterable[DrawnFrame]) -> None:
        """Carry drawn frames, too. Those whose frames have changed since are left out.

        Raises:
            PaintoverError: a frame cannot be read.
        """
        if not self._builder.carries_along_motion:
            return
        for one in drawn:
            known = one.frame in self._shot.manifest.frames and one.frame not in self.key_digests
            if known and self._shot.input_digest(one.frame) == one.digest:
                self._builder.add_drawn(one)

    def paint(
        self, frames: list[int], turns: Iterable[int] | None = None
    ) -> Iterator[tuple[int, Painted]]:
        """Yield each frame's number and painted picture, in this order.

        Args:
            frames: the frames.
            turns: those of them to paint, each drawn when its reading begins; None: all.

        Raises:
            PaintoverError: a file is missing or damaged, or memory ran out.
            Cancelled: the reporter asked to stop.
        """
        self._inputs.prepare("stylize", frames)
        turns = frames if turns is None else turns
        if self._reader.in_bands:
            give_back_freed()
            for number in turns:
                yield number, self._paint_in_bands(number)
            return
        inference = (
            StaticReuse(self._inference) if self._inference.is_tile_independent else self._inference
        )
        pixels = self._shot.manifest.width * self._shot.manifest.height
        prepared = read_ahead(self._prepare, turns, pixels, several=self._inputs.local)
        for (frame, margins, surroundings), (x, strokes), digest in prepared:
            painted = inference.paint(x, self._reader.wanted(frame), strokes, margins)
            flicker_input = None if self._inputs.filters else FlickerInput.of(frame)
            finished = self._finisher.add_alpha(painted, frame)
            self._finisher.put_own_painting(finished, frame.number, frame.window)
            made = Painted(finished, digest, frame.window, flicker_input)
            yield frame.number, put_around(made, frame.matte, surroundings)

    def _prepare(self, number: int) -> _Prepared:
        """Read a frame, again if it is replaced meanwhile, and build the network's input."""

        def read_and_build() -> tuple[FrameRead, NetworkInput]:
            read = self._reader.read(number)
            return read, self._builder.build(read.frame)

        digest_of = self._shot.input_digest
        (read, built), digest = read_unchanged(
            lambda: digest_of(number), read_and_build, f"Frame {number}"
        )
        return _Prepared(read, built, digest)

    def _paint_in_bands(self, number: int) -> Painted:
        """Paint a large frame, again if it is replaced meanwhile."""
        painted, digest = read_unchanged(
            lambda: self._shot.input_digest(number),
            lambda: self._paint_bands(number),
            f"Frame {number}",
        )
        return painted._replace(digest=digest)

    def _paint_bands(self, number: int) -> Painted:
        """Paint a large frame: each band goes through the same stations as a small frame."""
        window, matte = self._reader.find_painted_part(number)
        pixels = np.zeros((*window.shape, 4), np.float32)
        flicker_inputs = []
        for core, band in window.parts(self._reader.reach):
            frame = self._reader.read_band(number, band, matte)
            x, strokes = self._builder.build(frame)
            rows, columns = core.within(band)
            wanted = self._reader.wanted(frame)
            wanted[: rows.start] = wanted[rows.stop :] = False
            painted = self._inference.paint(x, wanted, strokes)
            finished = self._finisher.add_alpha(painted, frame)
            pixels[core.within(window)] = finished[rows, columns]
            flicker_inputs.append(FlickerInput.of(frame.cut(core)))
            del frame, x, strokes, painted, finished
            give_back_freed()
        self._finisher.put_own_painting(pixels, number, window)
        give_back_freed()
        made = Painted(pixels, "", window, FlickerInput.joined(flicker_inputs, window))
        if matte is None:
            return made
        return put_around(made, matte[window.inside], self._reader.surroundings(number))


def _choose_arithmetic(
    inference: TiledInference,
    style: str,
    header: StyleHeader,
    activations: ActivationRanges,
    examples: Iterable[FloatArray],
    report: Reporter,
) -> None:
    """Compute in what the style's header says; where it says nothing, in int8 if that is good.

    Args:
        inference: of the style's network.
        style: its name, for the warning.
        header: its header.
        activations: activation ranges of the network.
        examples: inputs (C, H, W) by which it is told whether int8 is good.
        report: hears where the device cannot.
    """
    if not header.arithmetic:
        inference.quantize(activations, examples)
    elif header.arithmetic == INT8 and not inference.use_int8(activations):
        report.warned(
            f'The style "{style}" paints in int8, which this machine cannot; its frames '
            "differ a little from those of other machines."
        )
