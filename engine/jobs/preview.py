# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview: the paint of the keyframes carried to every frame, without any training.

Where no keyframe shows a place, its paint is guessed from what looks alike in the keyframes.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..frames.alpha import ALPHA_LEARNT, alpha_of, finish
from ..frames.frame import Frame, read_frame
from ..frames.keyframe import Keyframe, read_keyframes
from ..images.pictures import read_picture, write_picture
from ..images.types import FloatArray
from ..projection.channels import PAINT, VALID
from ..projection.keyframe_projection import Projection
from ..shared import protocol
from ..shared.errors import PaintoverError
from ..shared.files import digest_json
from ..shared.frame_lists import counted, format_frames
from ..shared.freshness import expected_out_record
from ..shared.keyframe_weights import weights_at
from ..shared.reporter import Reporter
from ..shared.shot import OutRecord, Shot
from ..shared.style_header import PROJECTION, SURFACE_NEEDS, StyleHeader
from .colour_transfer import ColourTransfer
from .output_frames import check_format, wanted_frames, write_all

MADE_BY = "preview 1"
"""Stands in records in the place of a style's digest; changes whenever pictures would."""
NEEDS = (*SURFACE_NEEDS, "normal")
SOFT = 2.0
"""Pixels over which carried paint passes into guessed paint."""


def preview(request: protocol.Preview, report: Reporter) -> dict[str, Any]:
    """Paint frames of a shot by projection alone into ``out/STYLE``, as RGBA.

    A frame's result depends on nothing but the frame, the keyframes and, where the shot has no
    surface, the frames between. Frames that are up to date are skipped unless ``request.force``.

    Returns:
        ``frames``: how many were painted, ``skipped``: how many were up to date, ``seconds``.

    Raises:
        PaintoverError: no painting, a damaged file, or the name is that of a style or of
            stylized frames.
        Cancelled: the job was told to stop; frames that are written stay.
    """
    started = time.monotonic()
    check_format(request.format, request.depth)
    shot = Shot.open(Path(request.shot))
    wanted = wanted_frames(shot, request.frames)
    _check_name(shot, request.style, wanted)
    keyframes = read_keyframes(shot, request.keys)
    job = _Job(shot, request, [keyframe.frame for keyframe in keyframes])
    to_do = [frame for frame in wanted if request.force or not job.is_up_to_date(frame)]
    if to_do:
        report.progress("preview", 0.0, -1.0, "Reading the keyframes")
        pairs = [(keyframe, read_frame(shot, keyframe.frame, NEEDS)) for keyframe in keyframes]
        pipeline = _PreviewPipeline(shot, pairs, report)
        pipeline.prepare(to_do)
        pictures = ((frame, pipeline.paint(frame)) for frame in to_do)
        write_all(pictures, job.write, len(to_do), "preview", report)
    report.progress("preview", 1.0, 0.0, f"{counted(len(to_do), 'frame')} painted")
    return {
        "frames": len(to_do),
        "skipped": len(wanted) - len(to_do),
        "seconds": time.monotonic() - started,
    }


def _check_name(shot: Shot, name: str, frames: list[int]) -> None:
    """Check that a preview would not take the place of what a style is or has painted."""
    if shot.style_path(name).is_file():
        raise PaintoverError(
            f'"{name}" is a trained style, {shot.style_path(name)}; give the preview another name.'
        )
    taken = []
    for frame in frames:
        record = shot.read_out_record(name, frame)
        there = any(shot.out_path(name, frame, suffix).is_file() for suffix in (".png", ".exr"))
        if there and (record is None or record.style != MADE_BY):
            taken.append(frame)
    if taken:
        folder = shot.out_path(name, 0).parent
        raise PaintoverError(
            f"{folder} holds other pictures than previews (frames {format_frames(taken)}); move "
            "them away, or give the preview another name."
        )


class _Job:
    """Where the pictures of a request go, and which are up to date."""

    def __init__(self, shot: Shot, request: protocol.Preview, keys: list[int]) -> None:
        self._shot, self._request = shot, request
        trained_on = {key: shot.key_digest(key) for key in keys}
        self._header = StyleHeader("", [PROJECTION], 0, trained_on)
        depth = request.depth if request.format == "png" else 0
        self._settings = digest_json({"format": request.format, "depth": depth, "keys": keys})

    def is_up_to_date(self, frame: int) -> bool:
        """Tell whether the frame's picture is there, opens, and is what would be made now."""
        if self._shot.read_out_record(self._request.style, frame) != self._expected(frame):
            return False
        try:
            read_picture(self._path(frame))
        except PaintoverError:
            return False
        return True

    def write(self, frame: int, pixels: FloatArray) -> Path:
        """Write a frame's picture, then the record of what it was made from; return its path."""
        expected = self._expected(frame)
        write_picture(self._path(frame), pixels, self._request.depth)
        self._shot.write_out_record(self._request.style, frame, expected)
        return self._path(frame)

    def _path(self, frame: int) -> Path:
        return self._shot.out_path(self._request.style, frame, "." + self._request.format)

    def _expected(self, frame: int) -> OutRecord:
        name, file = self._request.style, self._path(frame).name
        record = expected_out_record(self._shot, name, self._header, frame, file, self._settings)
        return dataclasses.replace(record, style=MADE_BY)


class _PreviewPipeline:
    """Paints any frame of a shot from its keyframes alone."""

    def __init__(self, shot: Shot, pairs: list[tuple[Keyframe, Frame]], report: Reporter) -> None:
        self._shot = shot
        self._keys = [keyframe.frame for keyframe, _ in pairs]
        self._colours = _Carrier(shot, pairs, report)
        self._alpha = alpha_of(pairs)
        self._alphas: _Carrier | None = None
        if self._alpha == ALPHA_LEARNT:
            offsets = [(_painted_with_alpha(keyframe, frame), frame) for keyframe, frame in pairs]
            self._alphas = _Carrier(shot, offsets, report)

    def prepare(self, frames: list[int]) -> None:
        """Follow the motion to the frames, where there is no surface."""
        self._colours.projection.prepare("preview", frames)

    def paint(self, number: int) -> FloatArray:
        """Return a frame's picture, (H, W, 4), 0..1, display-referred, straight alpha."""
        frame = read_frame(self._shot, number, NEEDS)
        weights = weights_at(self._shot.manifest.weights, number, self._keys)
        painted = self._colours.paint(frame, weights)
        if self._alphas:
            offset = self._alphas.paint(frame, weights)[:1] * 2 - 1
            painted = np.concatenate([painted, offset])
        return finish(painted, frame.alpha, self._alpha)


class _Carrier:
    """Carries what the keyframes have as paint, and guesses it where they show nothing."""

    def __init__(self, shot: Shot, pairs: list[tuple[Keyframe, Frame]], report: Reporter) -> None:
        self.projection = Projection(shot, pairs, report)
        self._transfer = ColourTransfer(pairs)

    def paint(self, frame: Frame, weights: dict[int, float]) -> FloatArray:
        """Return (3, H, W), 0..1."""
        carried = self.projection.carry(frame, weights, border=0).channels
        seen = (carried[VALID] > 0).astype(np.uint8)
        inside = np.pad(seen, 1, mode="edge")
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
        share = np.minimum(depth / SOFT, 1) * carried[VALID]
        paint = carried[PAINT] / 2 + 0.5
        rest = share < 1
        guessed = self._transfer.guess(frame, rest).T
        paint[:, rest] = share[rest] * paint[:, rest] + (1 - share[rest]) * guessed
        return np.ascontiguousarray(paint)


def _painted_with_alpha(keyframe: Keyframe, frame: Frame) -> Keyframe:
    """Return the keyframe painted in greys for its offset of alpha, −1..1 as 0..1."""
    offset = (keyframe.alpha - frame.alpha) / 2 + 0.5
    return dataclasses.replace(keyframe, paint=np.repeat(offset[..., None], 3, axis=2))
