# SPDX-License-Identifier: GPL-3.0-or-later
"""Each painting is rendered at its frame, whatever the numbers, and the render at the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from compositor_checks import Part, assert_shows, compose, painted, shot_of, state
from conftest import HEIGHT, WIDTH, read_codes, write_png
from test_compositor import render


@pytest.mark.parametrize("has_links", [True, False])
def test_frames_before_zero(
    scene: Any, tmp_path: Path, part: Part, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """At a usual size; Blender cannot read files with negative numbers."""

    def no_links(*_: Any) -> None:
        raise OSError("no symbolic links")

    if not has_links:
        monkeypatch.setattr(Path, "symlink_to", no_links)
    size = (480, 270)
    scene.render.resolution_x, scene.render.resolution_y = size
    shot = shot_of(part, scene, [-3, -2, 0, 1, 2], size)
    scene.render.dither_intensity = 0
    plain = {frame: render(scene, frame, tmp_path / "plain.png") for frame in (-4, -1, 3)}
    compose()
    for frame in shot.frames:
        assert_shows(scene, shot, tmp_path, frame)
    for frame, codes in plain.items():
        assert np.abs(render(scene, frame, tmp_path / "out.png") - codes).max() <= 1
    assert state(part, scene, shot)[0] == "up to date"
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    write_png(shot.out_path("style", -2), np.zeros((size[1], size[0], 4), np.float32) + 1)
    if not has_links:
        assert state(part, scene, shot) == ("out of date", "The stylized frames have changed")
    part("compositor").refresh(scene, shot)
    assert state(part, scene, shot)[0] == "up to date"
    assert_shows(scene, shot, tmp_path, -2)


@pytest.mark.parametrize("frames", [[0, 1, 2], [1001, 1002, 1003], [9998, 10000, 10001], [1, 3, 5]])
def test_frame_ranges(scene: Any, tmp_path: Path, part: Part, frames: list[int]) -> None:
    shot = shot_of(part, scene, frames, (WIDTH, HEIGHT))
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200
    scene.frame_step = 2
    compose()
    for frame in frames:
        assert_shows(scene, shot, tmp_path, frame)
    part("compositor").node(scene).inputs["Opacity"].default_value = 0
    gap = next(n for n in range(frames[0] + 1, frames[-1] + 2) if n not in frames)
    plain = render(scene, gap, tmp_path / "plain.png")
    part("compositor").node(scene).inputs["Opacity"].default_value = 1
    np.testing.assert_array_equal(render(scene, gap, tmp_path / "out.png"), plain)


def test_frames_stylized_later_are_shown_after_a_refresh(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.render.dither_intensity = 0
    plain = render(scene, 2, tmp_path / "plain.png")
    path = stylized.out_path("style", 2)
    path.rename(tmp_path / "later.png")
    sentence = part("steps").compose(scene)
    assert "frames 2 are not stylized yet and show the render" in sentence
    assert np.abs(render(scene, 2, tmp_path / "out.png") - plain).max() <= 1
    (tmp_path / "later.png").rename(path)
    assert state(part, scene, stylized) == ("out of date", "Stylized frames are new: 2")
    part("compositor").refresh(scene, stylized)
    assert state(part, scene, stylized)[0] == "up to date"
    assert_shows(scene, stylized, tmp_path)
    path.unlink()
    assert state(part, scene, stylized) == ("out of date", "Stylized frames are missing: 2")


def test_frames_of_a_farm_are_shown_when_the_blend_is_opened(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    path = stylized.out_path("style", 2)
    path.rename(tmp_path / "later.png")
    compose()
    bpy.ops.wm.save_mainfile()
    (tmp_path / "later.png").rename(path)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    assert state(part, scene, stylized)[0] == "up to date"
    scene.render.filepath = str(tmp_path / "film-")
    scene.render.image_settings.file_format = "PNG"
    bpy.ops.render.render(animation=True)
    for frame in stylized.frames:
        film = read_codes(tmp_path / f"film-000{frame}.png")
        np.testing.assert_array_equal(film, painted(stylized, frame))
