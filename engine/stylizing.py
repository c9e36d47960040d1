# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizing: a trained network paints frames of a shot, in any order, each on its own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from . import guides, protocol
from .ahead import read_ahead
from .alpha import ALPHA, ALPHA_FRAME, finish
from .continuation import learn_strokes
from .device import choose_device
from .errors import PaintoverError
from .files import digest_json
from .frames import Frame
from .guides import PROJECTION_CHANNELS
from .guides.projection import Projection
from .images import FloatArray, as_written, read_picture, write_picture
from .inputs import Inputs
from .keyframes import Keyframe, read_keyframe
from .painting import Brush
from .projection import outline_reach
from .reporting import Reporter
from .run_log import add_lines
from .shot import Shot, counted, format_frames
from .state import expected_out_record
from .steadiness import Shown, Watch, needs
from .still import StillPainter
from .style import load_style
from .style_header import FILTER, PROJECTION, StyleHeader, has_surface
from .unsteady import read_flickers, unsteady_frames
from .weights import weights_at
from .window import Window
from .writing import check_format, wanted_frames, write_all

GUIDES_REACH = 8
"""How many pixels around a pixel guides look at at least; see ``Inputs.local``."""
AROUND_OUTLINE = 4
"""How many pixels farther than outlines reach."""


def stylize(request: protocol.Stylize, report: Reporter) -> dict[str, Any]:
    """Paint frames of a shot with a style into ``out/STYLE``, as RGBA.

    A frame's result depends on nothing but the frame, the style and its keyframes. Frames that
    are up to date are skipped unless ``request.force``. Where alpha is the frame's and 0, nobody
    sees the colour, and it is black.

    Returns:
        ``frames``: how many were painted, ``skipped``: how many were up to date, ``seconds``,
        ``device`` in words, ``unsteady``: the frames of the shot that flicker more than the others.

    Raises:
        PaintoverError: a file is missing or damaged, or the shot lacks what the style needs.
        Cancelled: the job was told to stop; frames that are written stay.
    """
    started = time.monotonic()
    check_format(request.format, request.depth)
    if not 0 <= request.light <= 1:
        raise PaintoverError(f"The light cannot be {request.light:g}; give a number from 0 to 1.")
    shot = Shot.open(Path(request.shot))
    network, header = load_style(shot.style_path(request.style))
    guides.check(shot, header.guides)
    job = _Job(shot, request, header, report)
    wanted = wanted_frames(shot, request.frames)
    to_do = [frame for frame in wanted if request.force or not job.is_up_to_date(frame)]
    device = choose_device(request.device)
    watch = Watch(shot, request.style)
    if to_do:
        job.warn_if_repainted(report)
        job.prepare(to_do)
        brush = Brush(network, device, light=request.light)
        pictures = job.paint(brush, to_do, network.reach)

        def write(frame: int, painted: _Painted) -> Path:
            path = job.write(frame, painted)
            watch.wrote(frame, painted.shown, as_written(path, painted.pixels, request.depth))
            return path

        with _core_for_others():
            write_all(pictures, write, len(to_do), "stylize", report)
        watch.finish(to_do, job.is_up_to_date, report)
    unsteady = unsteady_frames(read_flickers(shot, request.style))
    if to_do:
        lines = [f"painted {format_frames(to_do)} on {device.describe()}", *watch.lines(unsteady)]
        add_lines(shot.style_folder(request.style) / "stylize.log", lines)
    report.progress("stylize", 1.0, 0.0, f"{counted(len(to_do), 'frame')} painted")
    return {
        "frames": len(to_do),
        "skipped": len(wanted) - len(to_do),
        "unsteady": unsteady,
        "seconds": time.monotonic() - started,
        "device": device.describe(),
    }


@contextmanager
def _core_for_others() -> Iterator[None]:
    """Leave a processor core to reading and writing, if there are several.

    PyTorch's threads spin while they wait for each other, so with one for each core, and others
    beside them, most of the time is lost.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def guides_reach(width: int) -> int:
    """Return how many pixels around a pixel guides look at in frames so wide."""
    return max(GUIDES_REACH, math.ceil(outline_reach(width)) + AROUND_OUTLINE)


class _Painted(NamedTuple):
    """A painted window of a frame: (H, W, 4) as ``alpha.finish`` returns it, and what is there."""

    pixels: FloatArray
    window: Window | None
    shown: Shown | None


class _Job:
    """What all frames of a request share."""

    def __init__(
        self, shot: Shot, request: protocol.Stylize, header: StyleHeader, report: Reporter
    ) -> None:
        self._shot, self._request, self._header = shot, request, header
        self._report = report
        radius = int(header.settings.get(FILTER, 0))
        self._inputs = Inputs(shot, header.guides, header.trained_on, radius, report)
        self._suffix = "." + request.format
        depth = request.depth if request.format == "png" else 0
        self._settings = digest_json({"format": request.format, "depth": depth})
        self.alpha = str(header.settings.get(ALPHA, ALPHA_FRAME))

    def is_up_to_date(self, frame: int) -> bool:
        """Tell whether the frame's picture is there, opens, and is what would be made now."""
        record = self._shot.read_out_record(self._request.style, frame)
        if record is None or record != self._expected(frame):
            return False
        try:
            read_picture(self._path(frame))
        except PaintoverError:
            return False
        return True

    def write(self, frame: int, painted: _Painted) -> Path:
        """Write a frame's picture, then the record of what it was made from; return its path."""
        path = self._path(frame)
        expected = self._expected(frame)
        write_picture(path, painted.pixels, self._request.depth, painted.window)
        self._shot.write_out_record(self._request.style, frame, expected)
        return path

    def prepare(self, frames: list[int]) -> None:
        """Do ahead what frames need of those between the keyframes and them."""
        self._inputs.prepare("stylize", frames)

    def paint(self, brush: Brush, frames: list[int], reach: int) -> Iterator[tuple[int, _Painted]]:
        """Paint frames.

        Args:
            brush: paints.
            frames: their numbers.
            reach: how many pixels around a pixel the network looks at.
        """
        keyframes = self._read_keyframes() if PROJECTION in self._header.guides else []
        projection = Projection(self._shot, keyframes, self._report) if keyframes else None
        brush.quantize(self._examples(projection))
        strokes = None
        if projection and brush.takes_strokes and has_surface(self._shot.manifest.passes):
            strokes = learn_strokes(brush, keyframes, self._inputs)
            projection.carry_strokes(strokes.carried)
        painter = StillPainter(brush, reach) if brush.is_exact else brush
        only_seen = self.alpha == ALPHA_FRAME
        around = None
        if only_seen and self._inputs.local:
            around = reach + guides_reach(self._shot.manifest.width)
        for frame, x, drawn in self._read_inputs(projection, frames, around):
            if strokes and drawn is not None:
                strokes.complete(drawn, frame, seen=x[-1])
            painted = painter.paint(x, frame.alpha > 0 if only_seen else None, drawn)
            pixels = finish(painted, frame.alpha, self.alpha)
            shown = None if self._inputs.filters else Shown.of(frame)
            yield frame.number, _Painted(pixels, frame.window, shown)

    def _examples(self, projection: Projection | None) -> Iterator[FloatArray]:
        """Yield inputs (C, H, W) of the first and the last keyframe, with paint and without."""
        keys = sorted(self._header.trained_on)
        for key in sorted({keys[0], keys[-1]}):
            self._inputs.prepare("stylize", [key])
            if projection:
                projection.prepare("stylize", [key])
            frame = self._inputs.read(key)
            x = self._inputs.build(frame, projection.compute(frame) if projection else None)
            yield x
            if projection:
                x[-PROJECTION_CHANNELS:] = 0
                yield x

    def _read_inputs(
        self, projection: Projection | None, frames: list[int], around: int | None
    ) -> Iterator[tuple[Frame, FloatArray, FloatArray | None]]:
        """Read frames and compute the network's inputs (C, H, W), ahead of their use.

        Yields each frame, its input, and the strokes (H, W, 3) that are carried to it, if any.
        """
        watched = needs(self._shot)
        manifest = self._shot.manifest
        if projection:
            projection.prepare("stylize", frames)

        def read(number: int) -> tuple[Frame, FloatArray, FloatArray | None]:
            frame = self._inputs.read(number, watched, around)
            weights = weights_at(manifest.weights, number, self._header.trained_on)
            if not projection:
                return frame, self._inputs.build(frame), None
            carried = projection.carry(frame, weights)
            return frame, self._inputs.build(frame, carried.channels), carried.strokes

        yield from read_ahead(
            read, frames, manifest.width * manifest.height, several=self._inputs.local
        )

    def warn_if_repainted(self, report: Reporter) -> None:
        """Tell the user if a painting has changed since the training."""
        changed = [
            key
            for key, digest in self._header.trained_on.items()
            if self._shot.key_path(key).is_file() and self._shot.key_digest(key) != digest
        ]
        if changed:
            report.warned(
                f"Keyframe {format_frames(changed)} has changed since the style "
                f'"{self._request.style}" was trained; train again to follow the new painting.'
            )

    def _read_keyframes(self) -> list[tuple[Keyframe, Frame]]:
        keyframes = []
        for key in sorted(self._header.trained_on):
            if not self._shot.key_path(key).is_file():
                raise PaintoverError(
                    f"The painting {self._shot.key_path(key)}, which the style "
                    f'"{self._request.style}" carries along, is missing; put it back '
                    "(keys/versions may have it), or train again."
                )
            keyframes.append((read_keyframe(self._shot, key), self._inputs.read(key)))
        return keyframes

    def _path(self, frame: int) -> Path:
        return self._shot.out_path(self._request.style, frame, self._suffix)

    def _expected(self, frame: int) -> Any:
        return expected_out_record(
            self._shot,
            self._request.style,
            self._header,
            frame,
            self._path(frame).name,
            self._settings,
            self._request.light,
        )
