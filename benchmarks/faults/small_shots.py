# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiny shots to be hurt: a disc that moves over nothing, and a painting of its first frame."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from engine.images.pictures import write_picture
from engine.images.types import FloatArray
from engine.shared.pictures.digests import digest_picture

WIDTH, HEIGHT = 64, 48
FRAMES = 4
PAINTED = "painted"


def make_inputs(folder: Path, frames: int = FRAMES) -> Path:
    """Make folders ``input``, ``mask`` and ``painted`` for ``import``, and return the folder."""
    for frame in range(1, frames + 1):
        pixels = _picture(frame)
        write_picture(folder / "input" / f"{frame:04d}.png", pixels)
        write_picture(folder / "mask" / f"{frame:04d}.png", np.repeat(pixels[..., 3:], 3, axis=2))
    add_painting(folder / PAINTED / "0001.png", 1)
    return folder


def add_painting(path: Path, frame: int) -> None:
    """Write a painting of a frame."""
    painting = _picture(frame)
    painting[..., :3] = np.round(painting[..., [2, 0, 1]] * 3) / 3
    write_picture(path, painting)


def _picture(frame: int) -> FloatArray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x, y = x - 20 - 2 * frame, y - HEIGHT / 2
    inside = (np.hypot(x, y) < 16).astype(np.float32)
    shade = np.clip(0.6 - x / 60 - y / 80, 0, 1)
    colours = [shade * inside, shade * inside * (0.5 + 0.5 * np.sin(x / 3)), (1 - shade) * inside]
    return np.asarray(np.stack([*colours, inside], axis=2), np.float32)


def contents(folder: Path, *parts: str) -> dict[str, str]:
    """Return the digests of the files below some parts of a folder, by their names in it.

    Of styles only the tensors count, since their headers tell seconds, and of pictures not the
    date.
    """
    found = {}
    for part in parts:
        top = folder / part
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                found[str(path.relative_to(folder))] = _digest(path)
    return found


def _digest(path: Path) -> str:
    if path.suffix in (".png", ".exr"):
        return digest_picture(path)
    hasher = hashlib.sha256()
    if path.suffix == ".safetensors":
        for name, tensor in sorted(load_file(path).items()):
            hasher.update(name.encode() + tensor.numpy().tobytes())
    else:
        hasher.update(path.read_bytes())
    return hasher.hexdigest()
