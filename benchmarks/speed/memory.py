# SPDX-License-Identifier: GPL-3.0-or-later
"""Peak memory of the engine's process with large frames, and its growth over many small ones."""

from __future__ import annotations

from pathlib import Path

from benchmarks.rows import Row

from .extents import Size
from .processes import copy_untrained, make_shot, paint, peaks_of_stylizing, run_engine

MIB = 2**20
LARGE_FRAMES = 2
MAX_OF_LARGE = 2048.0
"""Aim for frames of 3840×2160 on the CPU, in MiB."""
SMALL = Size(64, 64)
EARLY = 20
"""Number of frames after which the memory should no longer grow."""
STEPS = ("--steps", "2")
SETTINGS = ("--guides", "colour", *STEPS)


def large_row(size: Size, folder: Path, device: str) -> Row:
    """Measure the peak memory of stylizing a few large frames with the guide ``colour``."""
    shot = make_shot(folder / "pictures", folder / "shot", size.width, size.height, LARGE_FRAMES)
    what = f"{LARGE_FRAMES} frames of {size} by the guide colour"
    return _peak_row("memory_4k", shot, what, device, SETTINGS)


def guided_row(captured_shot: Path, size: Size, folder: Path, device: str) -> Row:
    """Measure the peak memory of stylizing large captured frames with all guides.

    Args:
        captured_shot: folder of a captured shot; it is not changed.
        size: size of its frames.
        folder: empty folder for a copy.
        device: value of the engine's option ``--device``.
    """
    shot = copy_untrained(captured_shot, folder)
    paint(shot, 1)
    what = f"{LARGE_FRAMES} captured frames of {size} by all guides"
    return _peak_row("memory_4k_guides", shot, what, device, STEPS)


def _peak_row(name: str, shot: Path, what: str, device: str, settings: tuple[str, ...]) -> Row:
    training = run_engine("train", shot, *settings, "--device", device)
    peak = run_engine("stylize", shot, "--device", device)
    return Row(
        name,
        peak / MIB,
        "MiB",
        aim=MAX_OF_LARGE,
        remark=(
            f"peak of the process that stylizes {what}; training on one took "
            f"{training / MIB:.0f} MiB"
        ),
    )


def growth_row(frames: int, folder: Path, device: str) -> Row:
    """Measure the growth of the peak memory over many small frames."""
    shot = make_shot(folder / "pictures", folder / "shot", SMALL.width, SMALL.height, frames)
    run_engine("train", shot, *SETTINGS, "--device", device)
    early, late = peaks_of_stylizing(shot, "style", device, EARLY)
    late = max(early, late)  # Linux counts pages in batches, so a peak can appear to fall
    return Row(
        "memory_growth_1000",
        (late - early) / MIB,
        "MiB",
        remark=(
            f"peak after {frames} frames of {SMALL}, {late / MIB:.0f} MiB, less that after {EARLY}"
        ),
    )
