# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes, files dropped onto the window, and the example, by mouse in a real Blender."""

from __future__ import annotations

from pathlib import Path

import cv2
from conftest import HERE, Blender


def test_keyframes_and_the_example_by_mouse(
    blender: Blender, tmp_path: Path, pictures: Path
) -> None:
    blend = tmp_path / "my shot é.blend"
    make = HERE / "make_keyframes.py"
    blender.do("-b", "--python-exit-code", "9", "--python", make, "--", blend)
    blender.do(
        *("--python-exit-code", "9", blend, "--python", HERE / "keyframes_by_mouse.py"),
        limit=400,
        PAINTOVER_PICTURES=str(pictures),
    )
    for name in ("keyframes", "duplicate", "versions", "drop", "example"):
        shown = cv2.imread(str(pictures / f"{name}.png"))
        assert shown is not None and shown.std() > 10, name
