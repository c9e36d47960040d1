# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame to paint next, and a training, in a real window: watched, kept, and taken back."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
from conftest import HERE, Blender
from test_real_blender import read


def test_a_training_is_watched_and_taken_back_by_mouse(
    blender: Blender, tmp_path: Path, pictures: Path
) -> None:
    blend = tmp_path / "training.blend"
    scene = ("--python", HERE / "make_scene.py", "--", blend, "480", "270", "6", "2.8")
    blender.do("-b", "--python-exit-code", "9", *scene)
    blender.do("-b", blend, "--command", "paintover", "capture")
    painting = tmp_path / "painting.png"
    frame = blend.parent / "paintover" / blend.stem / "frames/0001.png"
    cv2.imwrite(str(painting), 255 - read(frame))
    words = ("keyframe", "add", "1", "--file", painting)
    blender.do("-b", blend, "--command", "paintover", *words)
    usual = "560" if os.environ.get("PAINTOVER_LONG") else "280"
    limit = int(os.environ.get("PAINTOVER_LIMIT", usual))
    told = blender.do(
        *("--python-exit-code", "9", blend, "--python", HERE / "training_by_mouse.py"),
        limit=limit + 20,
        PAINTOVER_PICTURES=str(pictures),
        PAINTOVER_LIMIT=str(limit),
    )
    assert "Traceback" not in told, told[-6000:]
    for name in ("watched", "painted-frame", "kept", "two", "taken-back"):
        assert read(pictures / f"training-{name}.png").std() > 10
