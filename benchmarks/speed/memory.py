# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of the engine's process: of large frames, and whether many small ones make it grow."""

from __future__ import annotations

from pathlib import Path

from .extents import Size
from .processes import copy_untrained, make_shot, paint, peaks_of_stylizing, run_engine
from .rows import Row

MIB = 2**20
LARGE_FRAMES = 2
MOST_OF_LARGE = 2048.0
"""MiB for frames of 3840×2160 on the CPU."""
SMALL = Size(64, 64)
EARLY = 20
"""Frame after which memory should not grow any more."""
STEPS = ("--steps", "2")
SETTINGS = ("--guides", "colour", *STEPS)


def large_row(size: Size, folder: Path, device: str) -> Row:
    """Measure the peak of a process that stylizes a few large frames by their colour."""
    shot = make_shot(folder / "pictures", folder / "shot", size.width, size.height, LARGE_FRAMES)
    what = f"{LARGE_FRAMES} frames of {size} by the guide colour"
    return _peak_row("memory_4k", shot, what, device, SETTINGS)


def guided_row(captured_shot: Path, size: Size, folder: Path, device: str) -> Row:
    """Measure the peak of a process that stylizes large captured frames by all their guides.

    Args:
        captured_shot: a shot's folder; it stays as it is.
        size: of its frames.
        folder: an empty place for a copy.
        device: as ``engine stylize --device``.
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
        aim=MOST_OF_LARGE,
        remark=(
            f"peak of the process that stylizes {what}; training on one took "
            f"{training / MIB:.0f} MiB"
        ),
    )


def growth_row(frames: int, folder: Path, device: str) -> Row:
    """Measure by how much many small frames raise the peak of a process."""
    shot = make_shot(folder / "pictures", folder / "shot", SMALL.width, SMALL.height, frames)
    run_engine("train", shot, *SETTINGS, "--device", device)
    early, late = peaks_of_stylizing(shot, "style", device, EARLY)
    late = max(early, late)  # Linux counts pages in batches, so a peak can seem to have fallen
    return Row(
        "memory_growth_1000",
        (late - early) / MIB,
        "MiB",
        remark=(
            f"peak after {frames} frames of {SMALL}, {late / MIB:.0f} MiB, less that after {EARLY}"
        ),
    )
