# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizing: a trained network paints frames of a shot, in any order, each on its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..evaluation.flicker_watch import Watch
from ..guides import registry as guides
from ..images.pictures import read_picture, write_picture
from ..images.types import FloatArray
from ..images.window import Window
from ..inference.frame_pipeline import FramePipeline, Painted
from ..inference.tiled_inference import TiledInference
from ..networks.device import choose_device
from ..networks.style_file import load_style
from ..shared import protocol
from ..shared.errors import PaintoverError
from ..shared.files import digest_json
from ..shared.flicker_records import read_flickers, unsteady_frames
from ..shared.frame_lists import counted, format_frames
from ..shared.freshness import expected_out_record
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import StyleHeader
from ..training.run_log import add_lines
from .output_frames import check_format, wanted_frames, write_all


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
    network, header, activations = load_style(shot.style_path(request.style))
    guides.check(shot, header.guides)
    job = _Job(shot, request, header)
    wanted = wanted_frames(shot, request.frames)
    to_do = [frame for frame in wanted if request.force or not job.is_up_to_date(frame)]
    device = choose_device(request.device)
    watch = Watch(shot, request.style)
    if to_do:
        report.progress("stylize", 0.0, -1.0, "Reading the keyframes")
        job.warn_if_repainted(report)
        inference = TiledInference(network, device, light=request.light)
        pipeline = FramePipeline(shot, request.style, header, inference, activations, report)
        pictures = pipeline.paint(to_do)

        def write(frame: int, painted: Painted) -> Path:
            path, colours = job.write(frame, painted)
            watch.wrote(frame, painted.shown, colours)
            return path

        is_large = Window.whole(shot.manifest.height, shot.manifest.width).is_of_large
        with _core_for_others():
            write_all(pictures, write, len(to_do), "stylize", report, meanwhile=not is_large)
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


class _Job:
    """What all frames of a request share."""

    def __init__(self, shot: Shot, request: protocol.Stylize, header: StyleHeader) -> None:
        self._shot, self._request, self._header = shot, request, header
        self._suffix = "." + request.format
        depth = request.depth if request.format == "png" else 0
        self._settings = digest_json({"format": request.format, "depth": depth})

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

    def write(self, frame: int, painted: Painted) -> tuple[Path, FloatArray]:
        """Write a frame's picture, then the record of what it was made from.

        Returns:
            The picture's path, and what ``write_picture`` returns.
        """
        path = self._path(frame)
        expected = self._expected(frame)
        colours = write_picture(path, painted.pixels, self._request.depth, painted.window)
        self._shot.write_out_record(self._request.style, frame, expected)
        return path, colours

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
