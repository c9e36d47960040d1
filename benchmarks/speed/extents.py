# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the benchmark: frame sizes, frames, repetitions, seconds."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        """``640×640``."""
        return f"{self.width}×{self.height}"


@dataclasses.dataclass(frozen=True)
class FileJob:
    """A shot to stylize from files to files: size, frames, seconds of training before."""

    size: Size
    frames: int
    seconds: float = 5.0


@dataclasses.dataclass(frozen=True)
class Extent:
    """The size of the benchmark.

    Attributes:
        sizes: frame sizes for the networks alone.
        turns: how often our network and ``paper`` are measured in turn.
        small, full: the shots ``figure`` and ``room`` for stylizing from files.
        asked: the shot ``room`` and the seconds for the row on the time beyond these.
        footage: plain frames for the row on stylizing them.
        learnt: size of the shot to train on.
        learnt_frames: its number of frames.
        scored: its frames that are scored.
        step_turns: turns of training steps.
        budgets: seconds of training to try, in this order.
        train_paper: whether ``paper`` is trained for all its steps; else the stored quality is
            used, and the duration of a step times their number.
        large: frame size for the memory rows; None to skip them.
        many_frames: number of small frames for the row on memory growth.
        blender: whether the steps in Blender are measured.
        large_gpu: the shot for stylizing from files on a GPU.
        gpu_seconds: seconds of training on a GPU.
    """

    sizes: tuple[Size, ...]
    turns: int
    small: FileJob
    full: FileJob
    asked: FileJob
    footage: FileJob
    learnt: Size
    learnt_frames: int
    scored: tuple[int, ...]
    step_turns: int
    budgets: tuple[float, ...]
    train_paper: bool
    large: Size | None
    many_frames: int
    blender: bool
    large_gpu: FileJob
    gpu_seconds: float = 10.0


SQUARE = Size(640, 640)
WIDE = Size(512, 288)
QUARTER_HD = Size(960, 540)
HD, UHD = Size(1920, 1080), Size(3840, 2160)
BUDGETS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)

FULL = Extent(
    sizes=(WIDE, SQUARE, QUARTER_HD, HD, UHD),
    turns=5,
    small=FileJob(SQUARE, 60),
    full=FileJob(WIDE, 30),
    asked=FileJob(QUARTER_HD, 14, 60.0),
    footage=FileJob(QUARTER_HD, 100),
    learnt=WIDE,
    learnt_frames=30,
    scored=(6, 12, 18, 24, 30),
    step_turns=7,
    budgets=BUDGETS,
    train_paper=True,
    large=UHD,
    many_frames=1000,
    blender=True,
    large_gpu=FileJob(HD, 30),
)
SHORT = Extent(
    sizes=(WIDE, SQUARE, QUARTER_HD),
    turns=3,
    small=FileJob(SQUARE, 60),
    full=FileJob(WIDE, 20),
    asked=FileJob(WIDE, 20, 60.0),
    footage=FileJob(QUARTER_HD, 30),
    learnt=Size(256, 144),
    learnt_frames=8,
    scored=(3, 5, 8),
    step_turns=4,
    budgets=BUDGETS,
    train_paper=False,
    large=None,
    many_frames=200,
    blender=False,
    large_gpu=FileJob(HD, 10),
)
