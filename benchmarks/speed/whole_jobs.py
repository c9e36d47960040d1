# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user waits for: whole runs of the command line, from the start of the process."""

from __future__ import annotations

from pathlib import Path

from benchmarks.own_process import run_module
from benchmarks.rows import Row
from benchmarks.turns import seconds_of

from .extents import FileJob
from .processes import copy_untrained, make_shot, paint

MOST_BEYOND = 0.1
"""Longest time that a training may take beyond the seconds asked for, as a share of these."""


def overhead_row(captured_shot: Path, folder: Path, job: FileJob, device: str) -> Row:
    """Measure how much longer ``engine train --seconds`` takes than it was asked to.

    Args:
        captured_shot: folder of a captured shot; it is not changed.
        folder: empty folder for a copy.
        job: the shot, and the seconds to ask for.
        device: value of the engine's option ``--device``.
    """
    shot = copy_untrained(captured_shot, folder)
    paint(shot, 1)
    _engine("train", shot, device, "--steps", 1, "--style", "first")
    took = _engine("train", shot, device, "--seconds", job.seconds)
    return Row(
        "train_overhead_60",
        max(0.0, took - job.seconds),
        "s",
        aim=MOST_BEYOND * job.seconds,
        remark=(
            f"beyond `train --seconds {job.seconds:g}`, {job.frames} captured frames of {job.size},"
            f" one keyframe: {took:.1f} s from the start of the process to its end; not the first"
            " run, which compiles loops"
        ),
    )


def footage_row(folder: Path, job: FileJob, device: str) -> Row:
    """Measure ``engine stylize`` on plain pictures: seconds a frame, everything included.

    Args:
        folder: empty folder for the pictures and the shot.
        job: size and frames of the shot, and seconds of training.
        device: value of the engine's option ``--device``.
    """
    size = job.size.width, job.size.height
    shot = make_shot(folder / "pictures", folder / "shot", *size, job.frames)
    _engine("train", shot, device, "--seconds", job.seconds)
    _engine("stylize", shot, device, "--frames", 1)
    took = _engine("stylize", shot, device, "--force")
    return Row(
        "stylize_footage_960",
        took / job.frames,
        "s",
        aim=0.25,
        remark=(
            f"a frame, {job.frames} plain frames of {job.size}, one keyframe, from the start of the"
            " process to its end; the motion is estimated meanwhile"
        ),
    )


def _engine(verb: str, shot: Path, device: str, *words: object) -> float:
    """Run ``python -m engine VERB SHOT WORDS…`` and return the seconds that it took."""
    arguments = verb, shot, "--device", device, "--progress", "none", *words
    return seconds_of(lambda: run_module("engine", *arguments))
