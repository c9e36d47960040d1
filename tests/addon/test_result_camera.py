# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames as the picture of the camera: shown at their frames, and hidden again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest
from compositor_checks import Part, shot_of
from conftest import picture, read_codes, write_png
from test_compositor import render


def toggle() -> None:
    assert bpy.ops.paintover.result_camera() == {"FINISHED"}


def test_it_is_shown_and_hidden_again(scene: Any, stylized: Any, tmp_path: Path) -> None:
    scene.render.dither_intensity = 0
    plain = render(scene, 2, tmp_path / "plain.png")
    camera = scene.camera.data
    toggle()
    (shown,) = camera.background_images
    assert camera.show_background_images and shown.show_background_image
    assert (shown.display_depth, shown.alpha, shown.frame_method) == ("FRONT", 1.0, "STRETCH")
    assert Path(bpy.path.abspath(shown.image.filepath)) == stylized.out_path("style", 1)
    user = shown.image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (1, 0, 3)
    assert not shown.image.use_view_as_render
    assert (render(scene, 2, tmp_path / "out.png") == plain).all()
    assert (read_codes(tmp_path / "out.png") == plain).all()
    toggle()
    assert not camera.background_images and not camera.show_background_images


def test_the_users_picture_stays(scene: Any, stylized: Any) -> None:
    camera = scene.camera.data
    camera.show_background_images = True
    mine = camera.background_images.new()
    mine.image = bpy.data.images.load(str(stylized.image_path(1)))
    toggle()
    assert len(camera.background_images) == 2
    toggle()
    assert [one.image.name for one in camera.background_images] == ["0001.png"]
    assert camera.show_background_images


def test_frames_below_0(scene: Any, part: Part) -> None:
    shot_of(part, scene, [-2, -1], (96, 64))
    toggle()
    user = scene.camera.data.background_images[0].image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (-2, 0, 2)
    toggle()
    assert not scene.camera.data.background_images


def test_bad_luck_is_a_sentence(scene: Any, shot: Any) -> None:
    with pytest.raises(RuntimeError, match=r"no stylized frames in .*; stylize first"):
        bpy.ops.paintover.result_camera()
    write_png(shot.out_path("style", 1), picture(1, seed=7))
    scene.camera = None
    with pytest.raises(RuntimeError, match='The scene "Scene" has no camera; add one'):
        bpy.ops.paintover.result_camera()
