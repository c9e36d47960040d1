# SPDX-License-Identifier: GPL-3.0-or-later
"""``engine stylize``, from the files of a captured shot to the painted files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.quality.captures import captured
from benchmarks.quality.pairs import FULL
from benchmarks.rows import Row
from benchmarks.turns import medians_in_turns
from engine.frames.frame import read_frame
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

from .extents import FileJob
from .processes import copy_untrained, paint

TURNS = 2


def capture_shot(name: str, job: FileJob, cache: Path, tell: Callable[[str], None]) -> Path:
    """Return the folder of a captured shot of ``benchmarks.quality.shots``, from the cache."""
    size = dataclasses.replace(
        FULL, width=job.size.width, height=job.size.height, frames=job.frames
    )
    return captured(name, size, 1, cache, tell)


def files_row(
    name: str,
    captured_shot: Path,
    folder: Path,
    job: FileJob,
    device: str,
    *,
    aim: float | None = None,
    with_paper: bool = True,
) -> Row:
    """Measure one row: frames per second of stylizing in a running process.

    Args:
        name: name of the row.
        captured_shot: folder of a captured shot; it is not changed.
        folder: empty folder for a copy.
        job: size and frames of the shot, and seconds of training.
        device: value of the engine's option ``--device``.
        aim: minimum frames per second.
        with_paper: whether to measure ``paper`` too.
    """
    shot = Shot.open(copy_untrained(captured_shot, folder))
    first, last = shot.frames[0], shot.frames[-1]
    paint(shot.folder, first)
    path = str(shot.folder)
    request = protocol.Train(job=0, shot=path, device=device)
    train(dataclasses.replace(request, style="fast", seconds=job.seconds), Silent())

    def stylized(style: str, frames: list[int]) -> None:
        request = protocol.Stylize(
            job=0, shot=path, style=style, frames=frames, device=device, force=True
        )
        stylize(request, Silent())

    stylized("fast", [first])
    steps = {"fast": lambda: stylized("fast", shot.frames)}
    if with_paper:
        barely = dataclasses.replace(
            request, style="paper", network="paper", steps=1, settings={"batch": 1}
        )
        train(barely, Silent())
        stylized("paper", [last])
        steps["paper"] = lambda: stylized("paper", [last])
    seconds = medians_in_turns(steps, TURNS)
    active = np.mean([(read_frame(shot, number, ()).alpha > 0).mean() for number in shot.frames])
    remark = (
        f"PNG and EXR to PNG, {len(shot.frames)} frames of {job.size}, {active:.1%} of their "
        f"pixels active, one keyframe, trained for {job.seconds:g} s; the engine runs already"
    )
    if with_paper:
        remark += "; `paper`: one frame, its filtered pictures and Gaussians being ready"
    return Row(
        name,
        len(shot.frames) / seconds["fast"],
        "frames/s",
        paper=1 / seconds["paper"] if with_paper else None,
        aim=aim,
        remark=remark,
    )
