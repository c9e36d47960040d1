# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizing: a trained network paints frames of a shot, in any order, each on its own.

The way of a pixel from the frame's files to the written picture, one module a station:

1. ``images/prefetch``: prepares the next frames (2 to 4) while earlier ones are painted.
2. ``inference/frame_reader``: reads the part of the frame that its paint depends on.
3. ``projection/keyframe_projection``: carries the keyframes' paint and strokes to the frame;
   ``projection/stroke_residuals`` completes strokes where no keyframe shows the surface.
4. ``guides/network_input``: computes the guides and joins them with the projection.
5. ``inference/static_reuse``: takes pixels whose surroundings are static from the frame before.
6. ``inference/tiled_inference``: cuts the other pixels into padded tiles.
7. ``networks/gated_unet``, or ``inference/int8/network`` in integers: runs on a tile, and its gate
   blends the network's own paint and strokes with the projected paint.
8. ``frames/alpha``: adds the alpha, and lets the frame show where nothing is painted;
   ``inference/own_frames``: puts a painting into its own frame; ``frames/matte``: puts what is
   inside the matte into the frame.
9. ``jobs/output_frames``: writes the picture, then the record of what it was made from.
10. ``evaluation/flicker_watch``: measures the flicker and notes it beside the record.

``FramePipeline.paint`` in ``inference/frame_pipeline`` calls 1 to 8 (``inference/input_builder`` is
3 and 4, ``inference/finishing`` is 8), ``stylize`` below 9 and 10.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..evaluation.flicker_report import log_lines
from ..evaluation.flicker_watch import FlickerWatch
from ..guides import registry as guides
from ..images.window import Window
from ..inference.finishing import Painted
from ..inference.frame_pipeline import FramePipeline
from ..inference.int8.network import supports_int8
from ..inference.tiled_inference import TiledInference
from ..networks.device import Device, choose_device
from ..networks.style_file import load_style
from ..shared import protocol
from ..shared.errors import PaintoverError
from ..shared.files import digest_file, read_unchanged
from ..shared.flicker_records import read_flickers, unsteady_frames
from ..shared.frame_lists import counted, format_frames
from ..shared.freshness import what_changed
from ..shared.keyframes.names import describe_unused
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import INT8, StyleHeader
from ..shared.temporary import remove_leftovers
from ..training.run_log import add_lines
from .frame_claims import FrameClaims, remove_left_over
from .output_frames import OutputFrames, check_format

FEW_FRAMES = 200
"""Frames of a shot of which all are looked at whatever a job paints."""
MOST_RECORDS = 10
"""Frames that are looked at for each frame of a job, at most, in a longer shot."""


def stylize(request: protocol.Stylize, report: Reporter) -> dict[str, Any]:
    """Paint frames of a shot with a style and write them to ``out/STYLE`` as RGBA.

    A frame's picture depends only on the frame, the style and its keyframes. Frames that are up to
    date are skipped unless ``request.force`` is set. Several machines may stylize the same frames
    at once: each frame is painted by one of them (``frame_claims``). Where the frame's alpha is
    used and 0, the colour is black.

    Returns:
        ``frames``: number of painted frames, ``skipped``: number of frames that were up to date,
        ``unsteady``: frames of the shot that flicker more than the others (none for a small part
        of a long shot), ``seconds``, and ``device`` in words.

    Raises:
        PaintoverError: a file is missing or damaged, or the shot lacks a pass that the style needs.
        Cancelled: the reporter asked to stop; written frames stay.
    """
    started = time.monotonic()
    check_format(request.format, request.depth)
    if not 0 <= request.light <= 1:
        raise PaintoverError(f"The light cannot be {request.light:g}; give a number from 0 to 1.")
    shot = Shot.open(Path(request.shot))
    remove_leftovers(shot.folder)
    path = shot.style_path(request.style)
    (network, header, activations, drawn), digest = read_unchanged(
        lambda: digest_file(path), lambda: load_style(path), str(path)
    )
    guides.check(shot, header.guides)
    output = OutputFrames(shot, request, header, digest, light=request.light)
    device = _device_for(request, header, report)
    watch = FlickerWatch(shot, request.style)
    remove_left_over(shot, request.style, {*output.wanted} - {*output.outdated})
    if output.outdated:
        if request.on_farm:
            _refuse_other_arithmetic(request.style, header, device)
        report.progress("stylize", 0.0, -1.0, "Reading the keyframes")
        _warn_if_repainted(shot, request.style, header, report)
        if unused := describe_unused(shot):
            report.warned(f"{unused}.")
        inference = TiledInference(network, device, light=request.light)
        keep = request.unpainted == protocol.UNPAINTED_FRAME
        pipeline = FramePipeline(
            shot, request.style, header, inference, activations, report, keep_frame=keep
        )
        pipeline.add_drawn(drawn)
        output.key_digests = pipeline.key_digests
        claims = FrameClaims(
            shot,
            request.style,
            lambda frame: not request.force and output.is_up_to_date(frame),
            report,
        )

        def write(frame: int, painted: Painted) -> None:
            colours = output.write(frame, painted.digest, painted.pixels, painted.window)
            claims.release(frame)
            watch.wrote(frame, painted.flicker_input, colours[painted.measured])

        is_large = Window.whole(shot.manifest.height, shot.manifest.width).is_of_large
        with claims, _core_for_others():
            for frames in claims.rounds(output.outdated):
                pictures = pipeline.paint(frames, claims.turns(frames))
                output.write_all(pictures, write, "stylize", report, overlap=not is_large)
    watch.finish(output.painted, output.wanted, output.is_up_to_date, report)
    unsteady = _unsteady(shot, request.style, len(output.wanted))
    if output.painted:
        painted_on = f"painted {format_frames(output.painted)} on {device.describe()}"
        log = shot.style_folder(request.style) / "stylize.log"
        add_lines(log, [painted_on, *log_lines(watch.measured, unsteady)])
    report.progress("stylize", 1.0, 0.0, f"{counted(len(output.painted), 'frame')} painted")
    return {
        **output.counts,
        "unsteady": unsteady,
        "seconds": time.monotonic() - started,
        "device": device.describe(),
    }


def _unsteady(shot: Shot, style: str, wanted: int) -> list[int]:
    """Return the frames of a shot that flicker more than the others.

    Each frame of the shot has its records read for it. So a farm's task that has a few frames of
    thousands does without, or a frame would cost more the longer the shot is.

    Args:
        shot: the shot.
        style: the style's name.
        wanted: frames of the job.
    """
    if len(shot.manifest.frames) > max(FEW_FRAMES, wanted * MOST_RECORDS):
        return []
    return unsteady_frames(read_flickers(shot, style))


def _device_for(request: protocol.Stylize, header: StyleHeader, report: Reporter) -> Device:
    """Return the device: a GPU that was not asked for does not paint a style of int8.

    Else frames of machines with and without a GPU would be mixed in one shot.
    """
    device = choose_device(request.device)
    if header.arithmetic == INT8 and request.device == "auto" and device.unit.type != "cpu":
        report.warned(
            f'The style "{request.style}" paints in int8, so the processor paints; to paint all '
            f"frames on the GPU, choose the device {device.unit.type}."
        )
        return choose_device("cpu")
    return device


def _refuse_other_arithmetic(style: str, header: StyleHeader, device: Device) -> None:
    """Raise PaintoverError if a processor cannot paint a style as the others of a farm do."""
    if header.arithmetic != INT8 or device.unit.type != "cpu" or supports_int8(device):
        return
    raise PaintoverError(
        f'The style "{style}" paints in int8, which this machine cannot, so its frames would '
        "differ from the others; give the job workers that can, or train the style on a machine "
        "such as this one."
    )


@contextmanager
def _core_for_others() -> Iterator[None]:
    """Leave a CPU core to reading and writing, if there are several.

    PyTorch's threads spin while they wait for each other, so with one thread per core and other
    threads beside them, most of the time is lost.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _warn_if_repainted(shot: Shot, style: str, header: StyleHeader, report: Reporter) -> None:
    changed = [
        key
        for key, digest in header.trained_on.items()
        if shot.key_path(key).is_file() and shot.key_digest(key) != digest
    ]
    if changed:
        report.warned(
            f"{what_changed(shot, header, changed)} since the style "
            f'"{style}" was trained; train again to follow it.'
        )
