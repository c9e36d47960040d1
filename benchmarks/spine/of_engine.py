# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements of the engine's process."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Run:
    """How a process went: wall-clock seconds and the most memory that it held, in bytes."""

    seconds: float
    peak: int


def seconds_to_ready() -> float:
    """Start a worker and return how long it takes to say that it is ready."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "engine", "worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        line = worker.stdout.readline()
        seconds = time.perf_counter() - began
        worker.stdin.close()
    if '"Ready"' not in line:
        raise RuntimeError(f"the worker did not get ready: {line!r}")
    return seconds


def run_engine(*arguments: str | Path) -> Run:
    """Run ``python -m engine ARGUMENTS``. Raises RuntimeError where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *map(str, arguments), "--progress", "none"], cwd=ROOT
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError(f"engine {arguments[0]} failed with status {status}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(time.perf_counter() - began, usage.ru_maxrss * unit)


def copy_untrained(shot: Path, folder: Path) -> Path:
    """Copy a shot without its styles and stylized frames, and return the copy."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shot, folder, ignore=shutil.ignore_patterns("styles", "out", "versions"))
    return folder


def make_stylized_shot(pictures: Path, shot: Path, frames: int) -> None:
    """Make a 1920×1080 shot of noise that counts as stylized, for the compositor."""
    random = np.random.default_rng(1)
    stylized = shot / "out/style"
    for folder in (pictures, stylized):
        folder.mkdir(parents=True)
    for frame in range(1, frames + 1):
        coarse = random.integers(0, 256, (68, 120, 3), np.uint8)
        picture = cv2.resize(coarse, (1920, 1080), interpolation=cv2.INTER_CUBIC)
        for folder in (pictures, stylized):
            cv2.imwrite(str(folder / f"{frame:04d}.png"), picture)
    run_engine("import", shot, "--input", pictures)


def paint(shot: Path, frame: int) -> None:
    """Put a simple painting of a frame into the shot: flat colours, noise of a brush, ink."""
    name = f"{frame:04d}.png"
    picture = cv2.imread(str(shot / "frames" / name), cv2.IMREAD_UNCHANGED)
    colours = cv2.medianBlur(picture[..., :3], 9) // 48 * 48 + 24
    ink = cv2.Canny(picture[..., :3], 60, 120) > 0
    colours[ink] = 20
    picture[..., :3] = colours
    (shot / "keys").mkdir(exist_ok=True)
    cv2.imwrite(str(shot / "keys" / name), picture)
