# SPDX-License-Identifier: GPL-3.0-or-later
"""In compositors of every kind the painting is rendered, and removing leaves no trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import compositor_kinds as kinds
import numpy as np
import pytest
from conftest import picture, read_codes, write_png
from random_trees import random_tree
from test_compositor import render

PICTURE = kinds.SHOWS_A_PICTURE + (kinds.ONLY_IN_5 if kinds.IS_5 else kinds.ONLY_BEFORE_5)
NONE = kinds.SHOWS_NONE + (
    kinds.ONLY_IN_5_SHOWS_NONE if kinds.IS_5 else kinds.ONLY_BEFORE_5_SHOWS_NONE
)


@pytest.fixture
def stylized(shot: Any) -> Any:
    """The shot with random stylized frames 1 and 2; frame 3 is not stylized."""
    for frame in (1, 2):
        write_png(shot.out_path("style", frame), picture(frame, alpha=True, seed=7))
    return shot


@pytest.mark.parametrize("kind", PICTURE + NONE, ids=lambda kind: kind.__name__)
def test_painting_is_rendered_and_removing_leaves_no_trace(
    scene: Any, stylized: Any, tmp_path: Path, kind: Callable[[Any], None]
) -> None:
    scene.render.dither_intensity = 0.5
    plain = render(scene, 3, tmp_path / "plain.png")
    kind(scene)
    scene.render.dither_intensity = 0
    if kind in PICTURE:
        plain = render(scene, 3, tmp_path / "plain.png")
    scene.render.dither_intensity = 0.5
    # Blender fills in these values when they are used for the first time.
    for management in ("OVERRIDE", "FOLLOW_SCENE"):
        scene.render.image_settings.color_management = management
    scene.render.image_settings.view_settings.exposure = 0.75
    before = blender_dumps.scene(scene)
    assert bpy.ops.paintover.compose() == {"FINISHED"}
    painted = read_codes(stylized.out_path("style", 2))
    painted[painted[..., 3] == 0] = 0
    np.testing.assert_array_equal(render(scene, 2, tmp_path / "out.png"), painted)
    missing = render(scene, 3, tmp_path / "missing.png")
    assert np.abs(missing - plain).max() <= 1
    assert bpy.ops.paintover.compose() == {"FINISHED"}
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.data.scenes["Scene"]
    assert bpy.ops.paintover.compose(remove=True) == {"FINISHED"}
    scene.frame_set(1)
    set_back(scene, before)
    assert blender_dumps.differences(before, blender_dumps.scene(scene)) == []


def set_back(scene: Any, before: dict[str, Any]) -> None:
    """Set back what ``render`` changed."""
    image = scene.render.image_settings
    image.color_mode = before["render"]["image_settings"]["color_mode"]
    scene.render.filepath = before["render"]["filepath"]


@pytest.mark.parametrize("seed", range(20))
def test_random_trees(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any], seed: int
) -> None:
    random_tree(scene, seed)
    scene.view_settings.view_transform = ("AgX", "Standard")[seed % 2]
    before = blender_dumps.scene(scene)
    assert bpy.ops.paintover.compose() == {"FINISHED"}
    painted = read_codes(stylized.out_path("style", 2))
    painted[painted[..., 3] == 0] = 0
    np.testing.assert_array_equal(render(scene, 2, tmp_path / "out.png"), painted)
    assert bpy.ops.paintover.compose(remove=True) == {"FINISHED"}
    after = blender_dumps.scene(scene)
    for name in ("compositor", "trees"):
        assert blender_dumps.differences(before[name], after[name]) == []
