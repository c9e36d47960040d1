# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs processes of the engine, and makes shots for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.own_process import ROOT, measure_in


def seconds_to_ready() -> float:
    """Start a worker and return the seconds until it reports that it is ready."""
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


def run_engine(*arguments: str | Path) -> int:
    """Run ``python -m engine ARGUMENTS``; return its peak memory in bytes.

    Raises:
        PaintoverError: it failed.
    """
    return _in_engine("run", *arguments, "--progress", "none")[-1]


def peaks_of_stylizing(shot: Path, style: str, device: str, after: int) -> tuple[int, int]:
    """Stylize a shot. Returns the peak memory in bytes after ``after`` frames and at the end."""
    early, late = _in_engine("watch", shot, style, device, after)
    return early, late


def copy_untrained(shot: Path, folder: Path) -> Path:
    """Copy a shot without its styles and stylized frames, and return the copy."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shot, folder, ignore=shutil.ignore_patterns("styles", "out", "versions"))
    return folder


def make_pictures(folder: Path, width: int, height: int, frames: int) -> None:
    """Write pictures of moving smooth noise, ``0001.png`` …."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for frame in range(1, frames + 1):
        cv2.imwrite(str(folder / f"{frame:04d}.png"), np.roll(picture, 2 * frame, axis=1))


def make_shot(pictures: Path, shot: Path, width: int, height: int, frames: int) -> Path:
    """Make pictures, import them, paint the first frame, and return the shot."""
    make_pictures(pictures, width, height, frames)
    run_engine("import", shot, "--input", pictures)
    paint(shot, 1)
    return shot


def make_stylized_shot(pictures: Path, shot: Path, frames: int) -> None:
    """Make a 1920×1080 shot of noise with stylized frames, for the compositor."""
    make_pictures(pictures, 1920, 1080, frames)
    shutil.copytree(pictures, shot / "out/style")
    run_engine("import", shot, "--input", pictures)


def paint(shot: Path, frame: int) -> None:
    """Paint a frame of a shot: flat colours, brush noise and ink lines."""
    name = f"{frame:04d}.png"
    picture = cv2.imread(str(shot / "frames" / name), cv2.IMREAD_UNCHANGED)
    colours = cv2.medianBlur(np.ascontiguousarray(picture[..., :3]), 9) // 48 * 48 + 24
    ink = cv2.Canny(np.ascontiguousarray(picture[..., :3]), 60, 120) > 0
    colours[ink] = 20
    picture[..., :3] = colours
    (shot / "keys").mkdir(exist_ok=True)
    cv2.imwrite(str(shot / "keys" / name), picture)


def _in_engine(what: str, *words: object) -> list[int]:
    peaks: list[int] = measure_in("benchmarks.speed.in_engine", what, *words)
    return peaks
