# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain footage: noisy pictures of a texture that moves evenly, without any pass."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.images.pictures import write_picture
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot

WIDTH, HEIGHT = 96, 64
STEP_X, STEP_Y = 3, 1
"""Pixels to the right and down a frame."""
NOISE = 0.04


def clean(frame: int) -> np.ndarray:
    """The picture without noise, (H, W, 3), 0..1."""
    rng = np.random.default_rng(1)
    texture = cv2.GaussianBlur(rng.random((HEIGHT + 40, WIDTH + 80, 3)), (0, 0), 2)
    texture = (texture - texture.min()) / np.ptp(texture)
    top, left = 20 - STEP_Y * frame, 40 - STEP_X * frame
    return texture[top : top + HEIGHT, left : left + WIDTH].astype(np.float32)


def noisy(frame: int) -> np.ndarray:
    """The picture as it was filmed."""
    noise = np.random.default_rng(frame).normal(0, NOISE, (HEIGHT, WIDTH, 3))
    return np.clip(clean(frame) + noise, 0, 1).astype(np.float32)


def make_shot(folder: Path, frames: int = 7) -> Shot:
    """Write a shot of frames 1 to ``frames``."""
    shot = Shot(folder, Manifest(WIDTH, HEIGHT, 1, frames))
    shot.manifest.passes = {"image": "pictures", "alpha": "pictures"}
    for frame in range(1, frames + 1):
        write_picture(shot.image_path(frame), noisy(frame))
        shot.manifest.frames[frame] = FrameRecord(digest_picture(shot.image_path(frame)))
    shot.save()
    return shot
