# SPDX-License-Identifier: GPL-3.0-or-later
"""From a frame's files to its painted pixels: reading, projection, guides, network, alpha.

``FramePipeline.paint`` is the way in; ``jobs/stylize.py`` lists the stations in order. Frames of
more than ``window.LARGE`` pixels are painted in bands of rows, to bound memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..evaluation.flicker_meter import FlickerInput, needed_passes
from ..frames.alpha import as_layer, finish
from ..frames.drawn_frame import DrawnFrame
from ..frames.frame import EXTRA_GUIDE, MATTE, Frame, read_frame, seen_part
from ..frames.keyframe import Keyframe, read_keyframe
from ..frames.matte import matte_window, put_into, read_matte
from ..guides import registry as guides
from ..guides.network_input import Inputs
from ..images.prefetch import read_ahead
from ..images.types import BoolArray, FloatArray
from ..images.window import Window, is_empty_around
from ..networks.activation_ranges import ActivationRanges
from ..networks.device import give_back_freed
from ..networks.gated_unet import shows_own_paint
from ..projection.channels import PROJECTION_CHANNELS, VALID
from ..projection.keyframe_projection import Carried, Projection
from ..projection.surface_edges import SurfaceEdges
from ..shared.errors import PaintoverError
from ..shared.files import read_unchanged
from ..shared.keyframes.weights import weights_at
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import (
    ALPHA,
    ALPHA_FRAME,
    ALPHA_LEARNT,
    COVERAGE,
    FILTER,
    INT8,
    PROJECTION,
    StyleHeader,
    has_surface,
)
from .own_frames import painting_share, put_painting
from .static_reuse import StaticReuse
from .stroke_fitting import fit_strokes
from .tiled_inference import TiledInference
from .tiling import NO_MARGINS, Margins

CALIBRATION_SIDE = 96
"""Side in pixels of the keyframe squares on which int8 and floating point are compared."""
CHOICE_ALONG_MOTION = 3.0
"""``GatedPainter.choice`` where paint is carried along the motion: a pixel off its place, it is
still a brush mark, and mixed with the network's own paint it is a blur."""
EDGES_REACH = 3
"""Width in pixels of a window's border that must be constant if nothing around is to be read; the
guide ``edges`` looks at two neighbours."""


class Painted(NamedTuple):
    """A painted frame.

    Attributes:
        pixels: (H, W, 4) float32, 0..1, display-referred, straight alpha, of the window.
        digest: ``Shot.input_digest`` of the frame as it was read.
        window: the part of the frame that the pixels show; the rest is 0. None: all of it.
        flicker_input: what flicker is measured from; None where pictures are filtered over time.
        measured: the part of the pixels that it shows.
    """

    pixels: FloatArray
    digest: str
    window: Window | None
    flicker_input: FlickerInput | None
    measured: tuple[slice, slice] = (slice(None), slice(None))


class _Input(NamedTuple):
    """The network's input for a frame.

    Attributes:
        frame: the frame, or the part of it in its window.
        x: (C, H, W) float32, −1..1.
        strokes: (H, W, 3) float32, added to the network's own paint; None: none.
        margins: pixels of the frame outside the window, where ``x`` continues its border.
        digest: ``Shot.input_digest`` of the frame as it was read.
        picture: (H, W, 4) float32, 0..1, the whole frame, to show outside its matte; None: nothing.
    """

    frame: Frame
    x: FloatArray
    strokes: FloatArray | None
    margins: Margins = NO_MARGINS
    digest: str = ""
    picture: FloatArray | None = None


class Study(NamedTuple):
    """What a style makes of a whole frame of size (H, W), and where it only guesses.

    Attributes:
        frame: the frame.
        subject: (H, W) bool, what is to be painted.
        empty: (H, W) bool, the part of it to which no paint is carried, or onto another light.
        painted: (H, W, 3) float32, 0..1, the result.
        own: (H, W, 3) float32, 0..1, what the network paints without projected paint.
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
        self._shot, self._style, self._header, self._inference = shot, style, header, inference
        radius = int(header.settings.get(FILTER, 0))
        self._inputs = Inputs(shot, header.guides, header.trained_on, radius, report)
        self._has_mattes = bool(shot.manifest.matte)
        self._flicker_passes = needed_passes(shot) - {MATTE}
        self._guide_passes = guides.needs(header.guides)
        self._alpha = str(header.settings.get(ALPHA, ALPHA_FRAME))
        self._reach = inference.reach + self._inputs.reach
        whole = Window.whole(shot.manifest.height, shot.manifest.width)
        self._in_bands = self._inputs.has_parts and whole.is_of_large
        self._keep_frame, self._light = keep_frame, inference.light
        keyframes, self.key_digests = read_unchanged(
            lambda: {key: shot.key_digest(key) for key in header.trained_on},
            lambda: self._read_keyframes() if PROJECTION in header.guides else [],
            str(shot.folder / "keys"),
        )
        self._projection = None
        if keyframes:
            carries_alpha = COVERAGE in header.guides
            self._projection = Projection(shot, keyframes, report, alpha=carries_alpha)
            if not has_surface(shot.manifest.passes):
                inference.choose(CHOICE_ALONG_MOTION)
        if activations:
            self._choose_arithmetic(activations, keyframes[0][1] if keyframes else None, report)
        give_back_freed()
        self._strokes = None
        if self._projection and inference.takes_strokes and has_surface(shot.manifest.passes):
            reach = self._reach if self._in_bands else None
            self._strokes = fit_strokes(inference, keyframes, self._input_without_paint, reach)
            self._projection.carry_strokes(self._strokes.carried)

    def _choose_arithmetic(
        self, activations: ActivationRanges, keyframe: Frame | None, report: Reporter
    ) -> None:
        """Compute in what the style's header says; where it says nothing, in int8 if that is good.

        Args:
            activations: activation ranges of the network.
            keyframe: as in ``_examples``.
            report: hears where the device cannot.
        """
        if not self._header.arithmetic:
            self._inference.quantize(activations, self._examples(keyframe))
        elif self._header.arithmetic == INT8 and not self._inference.use_int8(activations):
            report.warned(
                f'The style "{self._style}" paints in int8, which this machine cannot; its frames '
                "differ a little from those of other machines."
            )

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
        if self._in_bands:
            give_back_freed()
            for number in turns:
                yield number, self._paint_in_bands(number)
            return
        inference = (
            StaticReuse(self._inference) if self._inference.is_tile_independent else self._inference
        )
        pixels = self._shot.manifest.width * self._shot.manifest.height
        inputs = read_ahead(self._read_input, turns, pixels, several=self._inputs.local)
        for frame, x, strokes, margins, digest, picture in inputs:
            painted = inference.paint(x, self._wanted(frame), strokes, margins)
            flicker_input = None if self._inputs.filters else FlickerInput.of(frame)
            pixels_out = self._finish(painted, frame)
            self._put_painting(pixels_out, frame.number, frame.window)
            found = Painted(pixels_out, digest, frame.window, flicker_input)
            yield frame.number, _inside_matte(found, frame.matte, picture)

    def add_drawn(self, drawn: Iterable[DrawnFrame]) -> None:
        """Carry drawn frames, too. Those whose frames have changed since are left out.

        Raises:
            PaintoverError: a frame cannot be read.
        """
        if not self._projection or has_surface(self._shot.manifest.passes):
            return
        for one in drawn:
            known = one.frame in self._shot.manifest.frames and one.frame not in self.key_digests
            if not known or self._shot.input_digest(one.frame) != one.digest:
                continue
            needed = guides.needs([PROJECTION]) if self._in_bands else None
            frame = self._inputs.read(one.frame, around=self._margin, only=needed)
            assert frame.window is not None
            self._projection.add_drawn(one.as_keyframe().cut(frame.window), frame)
            self._inputs.follow(one.frame)

    def find_empty(self, number: int) -> tuple[BoolArray, BoolArray]:
        """Return ``Study.subject`` and ``Study.empty`` of a frame; errors as ``paint``."""
        self._inputs.prepare("train", [number])
        frame = self._inputs.read(number, {MATTE})
        return frame.subject, frame.subject & shows_own_paint(self._carry(frame).channels)

    def study(self, number: int) -> Study:
        """Return what the style makes of a whole unpainted frame; errors as ``paint``."""
        self._inputs.prepare("train", [number])
        frame = self._inputs.read(number, {MATTE})
        built = self._build_input(frame)
        painted = self._inference.paint(built.x, None, built.strokes)[:3].transpose(1, 2, 0)
        empty = frame.subject & shows_own_paint(built.x[-PROJECTION_CHANNELS:])
        own = self._own_paint(built.x)
        return Study(frame, frame.subject, empty, np.ascontiguousarray(painted), own)

    def study_keyframe(self, number: int, part: Window | None = None) -> KeyframeStudy:
        """Return what the style makes of a keyframe, or a part, without its painting."""
        self._inputs.prepare("train", [number])
        frame = self._inputs.read(number, {MATTE}, part=part)
        nothing = np.zeros((self._projected_channels, *frame.alpha.shape), np.float32)
        painting = read_keyframe(self._shot, number)
        painting = painting.cut(part) if part else painting
        return KeyframeStudy(frame, painting, self._own_paint(self._inputs.build(frame, nothing)))

    def _own_paint(self, x: FloatArray) -> FloatArray:
        """Return (H, W, 3), what the network makes of an input without projected paint."""
        bare = x.copy()
        bare[-self._projected_channels :] = 0
        painted = self._inference.paint(bare)[:3].transpose(1, 2, 0)
        return np.ascontiguousarray(painted)

    def _carry(self, frame: Frame, edges: SurfaceEdges | None = None) -> Carried:
        """Carry the keyframes' paint and strokes to a frame."""
        assert self._projection
        weights = weights_at(self._shot.manifest.weights, frame.number, self._header.trained_on)
        return self._projection.carry(frame, weights, edges=edges)

    def _finish(self, painted: FloatArray, frame: Frame) -> FloatArray:
        """Return the pixels (H, W, 4) of a frame, or a window of it, from the network's paint."""
        picture = frame.picture if self._keep_frame else None
        return finish(painted, frame.alpha, self._alpha, picture)

    def _put_painting(self, pixels: FloatArray, number: int, window: Window | None) -> None:
        """Put the painting of a frame, if there is one, into its pixels (H, W, 4), in place.

        The painting and its frame are read again for it, since all paintings together would take
        too much memory. A painting that has been replaced since is left out.
        """
        if not self._projection or number not in self.key_digests:
            return
        painting, digest = read_unchanged(
            lambda: self._shot.key_digest(number),
            lambda: read_keyframe(self._shot, number),
            str(self._shot.key_path(number)),
        )
        if digest != self.key_digests[number]:
            return
        weights = weights_at(self._shot.manifest.weights, number, [number])
        share = painting_share(self._light, weights.get(number, 1.0))
        whole = Window.whole(self._shot.manifest.height, self._shot.manifest.width)
        for part, _ in (window or whole).parts(0):
            frame = read_frame(self._shot, number, (), part=part)
            here = pixels[part.within(window or whole)]
            keep = self._keep_frame
            put_painting(here, painting, frame, self._alpha, share, keep_frame=keep)

    def _read_input(self, number: int) -> _Input:
        """Read a frame as ``_read_once`` does, with its digest."""
        found, digest = read_unchanged(
            lambda: self._shot.input_digest(number),
            lambda: self._read_once(number),
            f"Frame {number}",
        )
        return found._replace(digest=digest)

    def _read_once(self, number: int) -> _Input:
        """Read a frame's visible window with the margin that counts, and build its input."""
        if self._has_mattes:
            return self._read_inside_matte(number)
        if self._margin is None:
            return self._build_input(self._inputs.read(number, self._flicker_passes))
        # Mostly an object stands alone: then the guides' reach is margin enough, and the network
        # gets the constant surroundings as ``margins``.
        frame = self._inputs.read(number, self._flicker_passes, self._inputs.reach)
        assert frame.window is not None
        if _is_empty_around(frame, self._guide_passes):
            return self._build_input(frame)._replace(margins=frame.window.spare)
        return self._build_input(self._inputs.read(number, self._flicker_passes, self._margin))

    def _read_inside_matte(self, number: int) -> _Input:
        """Read what the pixels inside a frame's matte depend on, and build its input."""
        matte = read_matte(self._shot, number)
        part = matte_window(matte, self._reach) if self._inputs.local else None
        frame = self._inputs.read(number, self._flicker_passes, part=part)
        assert frame.window is not None
        frame.matte = np.ascontiguousarray(matte[frame.window.inside])
        return self._build_input(frame)._replace(picture=self._surroundings(number))

    def _surroundings(self, number: int) -> FloatArray | None:
        """Return the whole frame (H, W, 4), to show outside its matte; None: nothing shows."""
        if not self._keep_frame:
            return None
        whole = read_frame(self._shot, number, ())
        return np.dstack([whole.image, whole.alpha])

    def _build_input(self, frame: Frame) -> _Input:
        """Carry the keyframes' paint and strokes to a frame, then compute its guides."""
        if not self._projection:
            return _Input(frame, self._inputs.build(frame), None)
        edges = SurfaceEdges.of(frame) if self._strokes else None
        channels, strokes = self._carry(frame, edges)
        if self._strokes and strokes is not None:
            self._strokes.complete(strokes, frame, channels[VALID], edges)
        if self._in_bands:
            give_back_freed()
        return _Input(frame, self._inputs.build(frame, channels), strokes)

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
        matte = read_matte(self._shot, number) if self._has_mattes else None
        if matte is None:
            window = seen_part(self._shot, number, self._margin)
        else:
            window = matte_window(matte, self._reach)
        pixels = np.zeros((*window.shape, 4), np.float32)
        flicker_inputs = []
        for core, band in window.parts(self._reach):
            frame = self._inputs.read(number, self._flicker_passes, part=band)
            if matte is not None:
                frame.matte = np.ascontiguousarray(matte[band.inside])
            _, x, strokes, *_ = self._build_input(frame)
            wanted = self._wanted(frame)
            rows, columns = core.within(band)
            wanted[: rows.start] = wanted[rows.stop :] = False
            painted = self._inference.paint(x, wanted, strokes)
            finished = self._finish(painted, frame)
            pixels[core.within(window)] = finished[rows, columns]
            flicker_inputs.append(FlickerInput.of(frame.cut(core)))
            del frame, x, strokes, painted, finished
            give_back_freed()
        self._put_painting(pixels, number, window)
        give_back_freed()
        painted_frame = Painted(pixels, "", window, FlickerInput.joined(flicker_inputs, window))
        inside = None if matte is None else matte[window.inside]
        picture = None if matte is None else self._surroundings(number)
        return _inside_matte(painted_frame, inside, picture)

    def _wanted(self, frame: Frame) -> BoolArray:
        """Return (H, W): the pixels to paint."""
        wanted = frame.alpha > 0 if self._visible_only else np.ones(frame.alpha.shape, bool)
        return wanted if frame.matte is None else wanted & (frame.matte > 0)

    @property
    def _projected_channels(self) -> int:
        """Number of channels of the guides ``coverage`` and ``projection``."""
        return PROJECTION_CHANNELS + (COVERAGE in self._header.guides)

    @property
    def _visible_only(self) -> bool:
        return self._alpha == ALPHA_FRAME

    @property
    def _margin(self) -> int | None:
        """Pixels around visible pixels that can change their paint; None: the whole frame."""
        return self._reach if self._visible_only and self._inputs.local else None

    def _examples(self, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield example inputs (C, H, W) from the first keyframe, with and without projected paint.

        Args:
            keyframe: that keyframe; None where the style has no projection.
        """
        key = min(self._header.trained_on)
        self._inputs.prepare("stylize", [key])
        for x in self._sample_parts(key, keyframe):
            yield x
            if self._projection:
                bare = x.copy()
                bare[-self._projected_channels :] = 0
                yield bare

    def _sample_parts(self, key: int, keyframe: Frame | None) -> Iterator[FloatArray]:
        """Yield squares (C, H, W) of a keyframe's input."""
        if not self._inputs.local and not self._in_bands:
            x = self._input_with_paint(keyframe or self._inputs.read(key))
            for part in Window.whole(*x.shape[1:]).squares(CALIBRATION_SIDE):
                yield x[:, *part.inside]
            return
        window = keyframe.window if keyframe else seen_part(self._shot, key, self._margin)
        assert window is not None
        for part in window.squares(CALIBRATION_SIDE):
            yield self._input_with_paint(self._part_of(keyframe, key, part))

    def _input_with_paint(self, frame: Frame) -> FloatArray:
        carried = self._projection.compute(frame) if self._projection else None
        return self._inputs.build(frame, carried)

    def _input_without_paint(self, frame: Frame, part: Window) -> FloatArray:
        """Return the input (C, H, W) of a part of a keyframe, with the projection set to 0."""
        nothing = np.zeros((self._projected_channels, *part.shape), np.float32)
        return self._inputs.build(self._part_of(frame, frame.number, part), nothing)

    def _part_of(self, frame: Frame | None, key: int, part: Window) -> Frame:
        """Return a part of a keyframe with all passes that the guides need."""
        if frame is None or self._in_bands:
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
            needed = guides.needs([PROJECTION]) if self._in_bands else None
            frame = self._inputs.read(key, around=self._margin, only=needed)
            assert frame.window is not None
            keyframe = read_keyframe(self._shot, key).cut(frame.window)
            if self._alpha == ALPHA_LEARNT:
                keyframe = as_layer(keyframe, frame.alpha)
            keyframes.append((keyframe, frame))
        return keyframes


def _inside_matte(
    painted: Painted, matte: FloatArray | None, picture: FloatArray | None
) -> Painted:
    """Return a painted frame with its surroundings outside the matte.

    Args:
        painted: the frame.
        matte: (h, w) float32, 0..1, of its window; None: all is painted.
        picture: (H, W, 4) float32, 0..1, what shows outside; None: nothing.
    """
    if matte is None:
        return painted
    window = painted.window or Window.whole(*matte.shape)
    pixels = put_into(picture, painted.pixels, matte, window)
    if picture is None:
        return painted._replace(pixels=pixels)
    return painted._replace(pixels=pixels, window=None, measured=window.inside)


def _is_empty_around(frame: Frame, needed: Iterable[str]) -> bool:
    """Return whether all passes that guides need are constant along the border of the window.

    The picture is left out: the border is transparent, and guides ignore transparent colours.
    """
    assert frame.window is not None
    for name in set(needed) - {"image", "alpha"}:
        if name.startswith(EXTRA_GUIDE):
            values = frame.guides[name.removeprefix(EXTRA_GUIDE)]
        else:
            values = getattr(frame, name)
        if values is not None and not is_empty_around(values, frame.window, EDGES_REACH):
            return False
    return True
