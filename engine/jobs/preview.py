# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview: projects the keyframes' paint to every frame, without any training.

Pixels that no keyframe shows get colours from similar pixels of the keyframes (see
``colour_transfer``).
"""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..frames.alpha import alpha_of, as_layer, finish
from ..frames.frame import MATTE, Frame, read_frame
from ..frames.keyframe import Keyframe, read_keyframes
from ..frames.matte import put_into
from ..guides.network_input import AROUND_MOTION, guides_reach
from ..images.types import FloatArray
from ..images.window import Window
from ..inference.own_frames import put_painting
from ..projection.keyframe_projection import Projection
from ..shared import protocol
from ..shared.errors import PaintoverError
from ..shared.files import read_unchanged
from ..shared.frame_lists import counted, format_frames
from ..shared.keyframes.weights import weights_at
from ..shared.out_records import read_record
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.shot_paths import OUT_SUFFIXES
from ..shared.style_header import (
    ALPHA,
    ALPHA_LEARNT,
    PROJECTION,
    SURFACE_NEEDS,
    StyleHeader,
)
from ..shared.temporary import remove_leftovers
from .colour_transfer import BLEND_WIDTH, ColourTransfer
from .output_frames import OutputFrames, check_format

PREVIEW = "preview "
MADE_BY = PREVIEW + "3"
"""Replaces the style's digest in records; to be changed whenever previews would look different."""
NEEDS = (*SURFACE_NEEDS, "normal")


def preview(request: protocol.Preview, report: Reporter) -> dict[str, Any]:
    """Paint frames of a shot by projection alone and write them to ``out/STYLE`` as RGBA.

    A frame's picture depends only on the frame, the keyframes and, where the shot has no surface
    pass, the frames between. Frames that are up to date are skipped unless ``request.force`` is
    set.

    Returns:
        ``frames``: number of painted frames, ``skipped``: number of frames that were up to date,
        ``seconds``.

    Raises:
        PaintoverError: there is no painting, a file is damaged, or the name is that of a style or
            of stylized frames.
        Cancelled: the reporter asked to stop; written frames stay.
    """
    started = time.monotonic()
    check_format(request.format, request.depth)
    shot = Shot.open(Path(request.shot))
    remove_leftovers(shot.folder)
    keyframes, found = read_unchanged(
        lambda: {key: shot.key_digest(key) for key in request.keys or shot.painted_keys()},
        lambda: read_keyframes(shot, request.keys, report),
        str(shot.folder / "keys"),
    )
    keys = [keyframe.frame for keyframe in keyframes]
    header = StyleHeader("", [PROJECTION], 0, {key: found[key] for key in keys})
    header.settings[ALPHA] = ALPHA_LEARNT
    output = OutputFrames(shot, request, header, MADE_BY, keys=keys)
    output.key_digests = header.trained_on
    _check_name(shot, request.style, output.wanted)
    if output.outdated:
        report.progress("preview", 0.0, -1.0, "Reading the keyframes")
        pairs = [(keyframe, read_frame(shot, keyframe.frame, NEEDS)) for keyframe in keyframes]
        keep = request.unpainted == protocol.UNPAINTED_FRAME
        pipeline = _PreviewPipeline(shot, pairs, report, keep_frame=keep)
        pipeline.prepare(output.outdated)
        pictures = pipeline.paint_all(output.outdated)
        output.write_all(
            pictures, lambda frame, made: output.write(frame, *made), "preview", report
        )
    report.progress("preview", 1.0, 0.0, f"{counted(len(output.outdated), 'frame')} painted")
    return {**output.counts, "seconds": time.monotonic() - started}


def _check_name(shot: Shot, name: str, frames: list[int]) -> None:
    """Raise PaintoverError if a preview would overwrite stylized frames or share a style's name."""
    if shot.style_path(name).is_file():
        raise PaintoverError(
            f'"{name}" is a trained style, {shot.style_path(name)}; give the preview another name.'
        )
    taken = []
    for frame in frames:
        record = read_record(shot.out_record_path(name, frame))
        exists = any(shot.out_path(name, frame, suffix).is_file() for suffix in OUT_SUFFIXES)
        if exists and (record is None or not record.style.startswith(PREVIEW)):
            taken.append(frame)
    if taken:
        folder = shot.out_path(name, 0).parent
        raise PaintoverError(
            f"{folder} holds other pictures than previews (frames {format_frames(taken)}); move "
            "them away, or give the preview another name."
        )


class _PreviewPipeline:
    """Paints frames of a shot from its keyframes alone.

    Args:
        shot: the shot.
        pairs: the paintings, each with its frame.
        report: receives progress, and may cancel.
        keep_frame: whether the frame shows where alpha is learnt and nothing is painted, and
            outside the mattes.
    """

    def __init__(
        self,
        shot: Shot,
        pairs: list[tuple[Keyframe, Frame]],
        report: Reporter,
        *,
        keep_frame: bool,
    ) -> None:
        self._shot, self._keep_frame = shot, keep_frame
        self._paintings = {keyframe.frame: keyframe for keyframe, _ in pairs}
        self._alpha = alpha_of(pairs)
        if self._alpha == ALPHA_LEARNT:
            pairs = [(as_layer(keyframe, frame.alpha), frame) for keyframe, frame in pairs]
        self._colours = _PaintProjector(shot, pairs, report)
        self._alphas: _PaintProjector | None = None
        if self._alpha == ALPHA_LEARNT:
            offsets = [(_painted_with_alpha(keyframe, frame), frame) for keyframe, frame in pairs]
            self._alphas = _PaintProjector(shot, offsets, report)

    def prepare(self, frames: list[int]) -> None:
        """Track motion from the keyframes to the frames, where the shot has no surface pass."""
        self._colours.projection.prepare("preview", frames)

    def paint_all(self, frames: list[int]) -> Iterator[tuple[int, tuple[str, FloatArray]]]:
        """Yield each frame with its digest and its picture, as ``paint`` returns it."""
        for frame in frames:
            digest = functools.partial(self._shot.input_digest, frame)
            paint = functools.partial(self.paint, frame)
            pixels, read = read_unchanged(digest, paint, f"Frame {frame}")
            yield frame, (read, pixels)

    def paint(self, number: int) -> FloatArray:
        """Return a frame's picture: (H, W, 4) float32, 0..1, display-referred, straight alpha."""
        whole = Window.whole(self._shot.manifest.height, self._shot.manifest.width)
        if not whole.is_of_huge:
            return self._paint(number, None)
        pixels = np.empty((*whole.shape, 4), np.float32)
        reach = max(guides_reach(whole.width), AROUND_MOTION) + math.ceil(BLEND_WIDTH)
        for core, band in whole.parts(reach):
            pixels[core.inside] = self._paint(number, band)[core.within(band)]
        return pixels

    def _paint(self, number: int, part: Window | None) -> FloatArray:
        """Return the picture of a part of a frame; None: all of it."""
        frame = read_frame(self._shot, number, (*NEEDS, MATTE), part=part)
        weights = weights_at(self._shot.manifest.weights, number, self._paintings)
        painted = self._colours.paint(frame, weights)
        if self._alphas:
            offset = self._alphas.paint(frame, weights)[:1] * 2 - 1
            painted = np.concatenate([painted, offset])
        pixels = finish(
            painted, frame.alpha, self._alpha, frame.picture if self._keep_frame else None
        )
        own = self._paintings.get(number)
        if own:
            share, keep = weights.get(number, 1.0), self._keep_frame
            put_painting(pixels, own, frame, self._alpha, share, keep_frame=keep)
        if frame.matte is None:
            return pixels
        picture = np.dstack([frame.picture, frame.alpha]) if self._keep_frame else None
        return put_into(picture, pixels, frame.matte, Window.whole(*frame.alpha.shape))


class _PaintProjector:
    """Projects keyframes' paint, and transfers colours where no keyframe shows the pixel."""

    def __init__(self, shot: Shot, pairs: list[tuple[Keyframe, Frame]], report: Reporter) -> None:
        self.projection = Projection(shot, pairs, report)
        self._transfer = ColourTransfer(pairs)

    def paint(self, frame: Frame, weights: dict[int, float]) -> FloatArray:
        """Return (3, H, W) float32, 0..1: colours of all pixels of a frame."""
        carried = self.projection.carry(frame, weights, border=0).channels
        return self._transfer.complete(carried, frame)


def _painted_with_alpha(keyframe: Keyframe, frame: Frame) -> Keyframe:
    """Return a keyframe whose grey paint is its offset of alpha: −1..1 becomes 0..1."""
    offset = (keyframe.alpha - frame.alpha) / 2 + 0.5
    paint = np.repeat(offset[..., None], 3, axis=2)
    return dataclasses.replace(keyframe, paint=paint, mask=keyframe.alpha_mask)
