# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a live style is, against a training of the same length on the same painting."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np

from benchmarks.own_process import run_module
from benchmarks.quality.truth import Truth
from benchmarks.rows import Row
from engine.evaluation.scores import score
from engine.shared.live_protocol import LiveRevert
from engine.shared.shot import Shot

from .client import JOB, Session, read_rgba, session

STROKES = 24
"""Strokes into which the painting is cut: bands of columns, from left to right."""
PAINTING_SHARE = 0.5
"""Share of the time in which they are painted."""


def measure(truth: Truth, seconds: float, work: Path) -> list[Row]:
    """Return the rows.

    Args:
        truth: a shot with its painted keyframe, and the right painting of every frame.
        seconds: of painting and learning, and of the training.
        work: a folder for a copy of the shot and for files.
    """
    folder = work / "shot"
    shutil.copytree(truth.shot.folder, folder)
    shutil.rmtree(folder / "styles", ignore_errors=True)
    shot = Shot.open(folder)
    size = shot.manifest.width, shot.manifest.height
    with session(folder, size, work / "files") as one:
        one.start(shot.frames[len(shot.frames) // 2], style="live", keep=False)
        _paint(one, shot, truth.keys[0], seconds)
        finished = one.finish("live")
        assert finished.path, finished.sentence
    words = ("--progress", "none")
    run_module("engine", "train", folder, "--style", "plain", "--seconds", seconds, *words)
    found: list[tuple[float, float]] = []
    for style in ("plain", "live"):
        run_module("engine", "stylize", folder, "--style", style, *words)
        mean = score(shot, truth.folder, style).mean
        assert mean.psnr is not None and mean.ssim is not None
        found.append((mean.psnr, mean.ssim))
    (plain_psnr, plain_ssim), (live_psnr, live_ssim) = found
    remark = (
        f"{seconds:g} s each; plain {plain_psnr:.2f} dB, {plain_ssim:.4f}; "
        f"live {live_psnr:.2f} dB, {live_ssim:.4f}"
    )
    return [
        Row("live_psnr_gap", round(plain_psnr - live_psnr, 3), "dB worse", aim=0.5, remark=remark),
        Row(
            "live_ssim_gap", round(plain_ssim - live_ssim, 4), "SSIM worse", aim=0.01, remark=remark
        ),
    ]


def _paint(one: Session, shot: Shot, key: int, seconds: float) -> None:
    """Paint a keyframe band by band, then wait until the time is over."""
    began = time.monotonic()
    final, pixels = read_rgba(shot.key_path(key)), read_rgba(shot.image_path(key))
    pixels[..., 3] = final[..., 3]
    bands = np.array_split(np.arange(final.shape[1]), STROKES)
    for number, band in enumerate(bands, 1):
        pixels[:, band] = final[:, band]
        one.paint(key, pixels)
        due = began + seconds * PAINTING_SHARE * number / STROKES
        time.sleep(max(0.0, due - time.monotonic()))
    one.send(LiveRevert(JOB, one.number(), key))  # the file holds the same
    time.sleep(max(0.0, began + seconds - time.monotonic()))
