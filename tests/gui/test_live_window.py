# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session in a real window: strokes by mouse, undo, playback, and accidents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import HERE, Blender
from test_real_blender import read

SHORT = "paint,undo_and_redo,paint_the_viewport,kill_the_engine,saved_elsewhere,another_file"
"""What runs by default, within a minute; all of it with PAINTOVER_LONG=1."""


@pytest.fixture
def painted_blend(blender: Blender, tmp_path: Path) -> Path:
    """A .blend with a captured shot of 480×270, six frames, and a keyframe at frame 1."""
    path = tmp_path / "live.blend"
    scene = ("--python", HERE / "make_scene.py", "--", path, "480", "270", "6")
    blender.do("-b", "--python-exit-code", "9", *scene)
    blender.do("-b", path, "--command", "paintover", "capture")
    blender.do("-b", path, "--command", "paintover", "keyframe", "add", "1")
    return path


def test_live_by_mouse_in_the_window(blender: Blender, painted_blend: Path, pictures: Path) -> None:
    told = blender.do(
        *("--python-exit-code", "9", painted_blend, "--python", HERE / "live_by_mouse.py"),
        limit=600,
        PAINTOVER_PICTURES=str(pictures),
        PAINTOVER_LIVE_STEPS="" if os.environ.get("PAINTOVER_LONG") else SHORT,
        PAINTOVER_LIMIT="580",
    )
    assert "Traceback" not in told, told[-6000:]
    stroke = read(pictures / "live-stroke.png")
    assert stroke.shape == (1000, 1600, 3)
    assert stroke.std() > 10
