# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot cut into chunks for several workers: what it costs more, and that the pixels are equal."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np

from benchmarks.gpu.enlarged import enlarge
from benchmarks.own_process import measure_in
from benchmarks.rows import Row
from benchmarks.speed.extents import FileJob, Size
from benchmarks.speed.processes import paint
from engine.images.pictures import read_picture
from engine.shared.shot import Shot

from .engine_costs import Cost, cost_of, cost_together
from .extents import Extent

CHUNKS = 4
WORKERS = (1, 2, 4)
MOST_OVERHEAD = 2.0
"""Seconds of the processor that a chunk may take more than its frames."""
MOST_MORE = 1.15
"""Time of four chunks on two cores over that of one process."""
STEPS = 20
STYLE = ("--style", "scale", "--device", "cpu")


@dataclasses.dataclass(frozen=True)
class FrameCost:
    """What frames of a size take a worker with one thread.

    Attributes:
        size: of the frames.
        start: seconds of the processor for a process beyond its frames.
        frame: seconds of the processor a frame.
        bytes: that are read and written a frame.
    """

    size: Size
    start: float
    frame: float
    bytes: int


@dataclasses.dataclass(frozen=True)
class OtherCost:
    """What capturing and training take at a size, in seconds of the processor.

    Attributes:
        size: of the frames.
        capture: a frame, beyond rendering it.
        start: of a training, until its first step.
        step: of a training.
    """

    size: Size
    capture: float
    start: float
    step: float


@dataclasses.dataclass(frozen=True)
class Workers:
    """A run of several workers: their number, seconds on the clock, and of the processor."""

    count: int
    cost: Cost


def make_shot(rendered: Path, folder: Path, job: FileJob) -> Path:
    """Make a shot of some size with a style that took a few steps."""
    enlarge(Shot.open(rendered), job, folder)
    paint(folder, 1)
    _train(folder, STEPS)
    return folder


def _train(shot: Path, steps: int) -> Cost:
    words = ("--steps", steps, "--network", "fast", "--strokes", 0, "--steady", 0)
    return cost_of("train", shot, *STYLE, *words, threads=2)


def _other_cost(shot: Path, size: Size, blender: Path) -> OtherCost:
    """Measure what a captured frame and a step of training cost, given a folder for Blender."""
    few, many = (_train(shot, steps).cpu for steps in (STEPS, 3 * STEPS))
    step = (many - few) / (2 * STEPS)
    words = ("capture_size", blender, size.width, size.height)
    found = measure_in("benchmarks.speed.in_blender", *words)
    return OtherCost(size, found["capture"] - found["plain"], few - STEPS * step, step)


def frame_cost(shot: Path, size: Size, frames: int) -> FrameCost:
    """Measure what one more frame costs, and what a process costs beyond its frames."""
    cost_of("stylize", shot, *STYLE, "--frames", "2", "--force")  # compiles what is not yet
    one = cost_of("stylize", shot, *STYLE, "--frames", "2", "--force").cpu
    several = cost_of("stylize", shot, *STYLE, "--frames", f"2-{frames}", "--force").cpu
    each = (several - one) / (frames - 2)
    read = Shot.open(shot)
    paths = (read.image_path(2), read.passes_path(2), read.out_path("scale", 2))
    return FrameCost(size, one - each, each, sum(path.stat().st_size for path in paths))


def overhead_row(cost: FrameCost) -> Row:
    """Return the row on what a chunk costs beyond its frames."""
    return Row(
        "chunk_overhead",
        cost.start,
        "s",
        aim=MOST_OVERHEAD,
        remark=f"processor time of a process beyond its frames ({cost.size}): start, style, guides",
    )


def chunk_rows(shot: Path, frames: int) -> tuple[list[Row], list[Workers]]:
    """Stylize a shot by one process with two threads, and in chunks by 1, 2 and 4 workers.

    Returns:
        The rows, and what the workers took.
    """
    one = cost_of("stylize", shot, *STYLE, threads=2)
    out = shot / "out/scale"
    shutil.move(out, whole := shot / "whole")
    runs = []
    for workers in WORKERS:
        shutil.rmtree(out, ignore_errors=True)
        runs.append(Workers(workers, cost_together(_chunks(shot, frames), workers)))
    two = next(run.cost for run in runs if run.count == 2)
    rows = [
        Row(
            f"chunks{CHUNKS}_over_one",
            two.wall / one.wall,
            "",
            aim=MOST_MORE,
            remark=f"{frames} frames in {CHUNKS} chunks by two workers with a thread each, over "
            f"one process with two threads; of the processor {two.cpu / one.cpu:.2f}",
        ),
        Row(
            "differing_pixels",
            float(sum(map(_differing, sorted(whole.glob("*.png")), sorted(out.glob("*.png"))))),
            "",
            aim=0,
            remark=f"{frames} frames by {WORKERS[-1]} workers and by one process, bit for bit",
        ),
    ]
    return rows, runs


def costs_of_sizes(
    rendered: Path, folder: Path, extent: Extent, blender: Path
) -> tuple[list[FrameCost], list[OtherCost]]:
    """Measure what stylizing frames of each size costs, and capturing and training."""
    costs, others = [], []
    for size in extent.sizes:
        shot = make_shot(rendered, folder / str(size), FileJob(size, extent.timed))
        costs.append(frame_cost(shot, size, extent.timed))
        others.append(_other_cost(shot, size, blender))
        shutil.rmtree(shot)
    return costs, others


def _chunks(shot: Path, frames: int) -> list[tuple[object, ...]]:
    each = -(-frames // CHUNKS)
    return [
        ("stylize", shot, *STYLE, "--frames", f"{first}-{min(first + each - 1, frames)}")
        for first in range(1, frames + 1, each)
    ]


def _differing(first: Path, second: Path) -> int:
    if first.name != second.name:
        raise AssertionError(f"{first} and {second} are other frames")
    pictures = [read_picture(path).pixels for path in (first, second)]
    return int(np.any(pictures[0] != pictures[1], axis=2).sum())
