# SPDX-License-Identifier: GPL-3.0-or-later
"""A pillar that turns about its axis before a wall, in any size, with or without a surface pass.

Every point is known: at ``TURN`` radians a frame, the pillar's back is seen when its front is not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import synthetic

from engine.images.pictures import write_picture
from engine.shared import passes
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot

FRAMES = 13
TURN = 2 * np.pi / 24
"""Frame 13 shows what frame 1 does not."""
PILLAR, WALL = 0.25, 0.75
"""The random numbers of the two objects."""


def _noise(seed: int) -> np.ndarray:
    """A smooth texture that repeats, (512, 512, 3), 0..1."""
    rough = np.random.default_rng(seed).random((64, 64, 3)).astype(np.float32)
    wide = cv2.resize(np.tile(rough, (3, 3, 1)), (1536, 1536), interpolation=cv2.INTER_CUBIC)
    return np.clip(wide[512:1024, 512:1024], 0, 1)


TEXTURES = _noise(1), _noise(2)


def _textured(number: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return TEXTURES[number][np.mod(v, 512).astype(int), np.mod(u, 512).astype(int)]


def angle_at(frame: int) -> float:
    """How far the pillar is turned, in radians."""
    return TURN * (frame - 1)


def layers(frame: int, width: int, height: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The picture (H, W, 4) and the passes of a frame."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = height * 0.4
    across = (x - width / 2) / radius
    pillar = np.abs(across) < 1
    wall = (y < height * 0.9) & ~pillar
    around = np.arcsin(np.clip(across, -1, 1)) + angle_at(frame)
    on_pillar = np.stack([np.sin(around), y / radius, np.cos(around)], -1)
    on_wall = np.stack([x / radius, y / radius, 0 * x], -1)
    colours = np.where(
        pillar[..., None],
        _textured(0, around * 512 / (2 * np.pi), y * 240 / height),
        _textured(1, x * 400 / width, y * 240 / height),
    )
    alpha = (pillar | wall).astype(np.float32)
    picture = np.concatenate([colours * alpha[..., None], alpha[..., None]], -1)
    surface = np.where(pillar[..., None], on_pillar, np.where(wall[..., None], on_wall, 0))
    found = {f"L.{passes.SURFACE_AOV}.{c}": surface[..., i] for i, c in enumerate("RGB")}
    found[f"L.{passes.SURFACE_AOV}.A"] = alpha
    found[f"L.{passes.OBJECT_AOV}.X"] = PILLAR * pillar + WALL * wall
    found["L.Depth.Z"] = np.where(pillar, 4, np.where(wall, 6, 1e10))
    return picture.astype(np.float32), {k: v.astype(np.float32) for k, v in found.items()}


def make_shot(
    folder: Path,
    width: int = 160,
    height: int = 90,
    *,
    surface: bool = True,
    frames: int = FRAMES,
    shown: Callable[[int], int] = lambda frame: frame,
) -> Shot:
    """Make a shot; ``shown`` tells which frame of the scene a frame shows."""
    shot = Shot(folder, Manifest(width, height, 1, frames))
    shot.manifest.source = {"kind": "pictures"}
    shot.manifest.passes = {"image": "pictures", "alpha": "pictures"}
    if surface:
        shot.manifest.passes |= {"surface": passes.SURFACE_AOV, "object": passes.OBJECT_AOV}
        shot.manifest.passes |= {"depth": "Depth"}
    for frame in range(1, frames + 1):
        picture, channels = layers(shown(frame), width, height)
        path = shot.image_path(frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, picture)
        record = FrameRecord(digest_picture(path))
        if surface:
            synthetic.write_layers(shot.passes_path(frame), channels)
            record.passes = digest_picture(shot.passes_path(frame))
        shot.manifest.frames[frame] = record
    shot.save()
    return shot


def paint(shot: Shot, *frames: int) -> None:
    """Paint frames: other colours, all of the picture."""
    for frame in frames:
        picture, _ = layers(frame, shot.manifest.width, shot.manifest.height)
        picture[..., :3] = picture[..., [2, 0, 1]]
        shot.key_path(frame).parent.mkdir(parents=True, exist_ok=True)
        write_picture(shot.key_path(frame), picture)
