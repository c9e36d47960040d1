# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that are put together, shots of pictures, and settings that hide the compositor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import compositor_kinds as kinds
import numpy as np
import pytest
from compositor_checks import Part, assert_shows, compose, painted, remove, shot_of, state
from compositor_kinds import IS_5, OUTPUT, add, empty_tree, render_layers, two_layers
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from test_compositor import render


@pytest.mark.parametrize("view", ["Standard", "AgX"])
def test_other_view_layers_stay_in_the_picture(
    scene: Any, shot: Any, tmp_path: Path, part: Part, view: str
) -> None:
    two_layers(scene)
    scene.view_settings.view_transform = view
    scene.render.dither_intensity = 0
    shot.manifest.source = {"kind": "blender", "view_layer": "Character"}
    shot.save()
    pixels = picture(2, seed=7)
    pixels[:, : WIDTH // 2, 3] = 0
    write_png(shot.out_path("style", 2), pixels)
    plain = {frame: render(scene, frame, tmp_path / "plain.png") for frame in (2, 3)}
    before = blender_dumps.scene(scene)
    compose()
    node = part("compositor").node(scene)
    assert all(link.from_node.layer == "Character" for link in node.inputs[0].links)
    out = render(scene, 2, tmp_path / "out.png")
    np.testing.assert_array_equal(out[:, WIDTH // 2 :], painted(shot, 2)[:, WIDTH // 2 :])
    covered = plain[2][:, : WIDTH // 2, 3] == 255
    assert covered.mean() > 0.3
    assert (out[:, : WIDTH // 2, 3][covered] == 255).all()
    # At the edge of the cube, and where it lies in front, the layers differ from the picture.
    same = np.abs(out - plain[2])[:, : WIDTH // 2].max(-1) <= 1
    assert same.mean() > 0.5
    missing = np.abs(render(scene, 3, tmp_path / "missing.png") - plain[3]).max(-1)
    assert (missing <= 1).mean() > 0.97
    compose()
    remove()
    assert blender_dumps.differences_after_render(before, blender_dumps.scene(scene)) == []


def test_plate_behind_a_transparent_render_stays(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.view_settings.view_transform = "Standard"
    scene.render.film_transparent = True
    write_png(tmp_path / "plate.png", picture(9, seed=3))
    tree = empty_tree(scene, "Image")
    plate = tree.nodes.new("CompositorNodeImage")
    plate.image = bpy.data.images.load(str(tmp_path / "plate.png"))
    over = add(tree, "CompositorNodeAlphaOver", plate.outputs["Image"], render_layers(tree))
    add(tree, OUTPUT, over.outputs[0])
    pixels = picture(2, seed=7)
    pixels[: HEIGHT // 2, :, 3] = 0
    write_png(stylized.out_path("style", 2), pixels)
    compose()
    out = render(scene, 2, tmp_path / "out.png")
    expected = painted(stylized, 2)
    expected[: HEIGHT // 2] = read_codes(tmp_path / "plate.png")[: HEIGHT // 2]
    np.testing.assert_array_equal(out, expected)


def add_strip(scene: Any, kind: str = "COLOR") -> Any:
    strips = scene.sequence_editor_create().strips
    length = {"length": 9} if IS_5 else {"frame_end": 10}
    return strips.new_effect(name="slate", type=kind, channel=1, frame_start=1, **length)


def test_strips_of_the_sequencer_give_way(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    compose()
    strip = add_strip(scene)
    strip.color = (0, 0, 1)
    assert (render(scene, 2, tmp_path / "slate.png")[..., 2] > 200).all()
    step, why = state(part, scene, stylized)
    assert (step, why) == ("out of date", "The strips of the sequencer are rendered instead")
    compose()
    assert_shows(scene, stylized, tmp_path)
    remove()
    assert scene.render.use_sequencer
    strip.mute = True
    compose()
    assert scene.render.use_sequencer
    assert_shows(scene, stylized, tmp_path)


def test_render_region_is_off_while_composed(scene: Any, stylized: Any, tmp_path: Path) -> None:
    render_settings = scene.render
    render_settings.use_border = render_settings.use_crop_to_border = True
    render_settings.border_max_x = 0.5
    compose()
    assert_shows(scene, stylized, tmp_path)
    remove()
    assert render_settings.use_border and render_settings.use_crop_to_border


@pytest.mark.skipif(not IS_5, reason="Blender 4.5 makes a tree that shows the 3D scene")
def test_shot_of_pictures_needs_no_camera(scene: Any, tmp_path: Path, part: Part) -> None:
    shot = shot_of(part, scene, [1001, 1002, 1003], (WIDTH, HEIGHT))
    shot.manifest.source = {"kind": "pictures"}
    shot.save()
    scene.camera = None
    write_png(shot.out_path("style", 1002), picture(2, seed=9))
    shot.out_path("style", 1003).unlink()
    before = blender_dumps.scene(scene)
    compose()
    assert_shows(scene, shot, tmp_path, 1002)
    out = render(scene, 1003, tmp_path / "out.png")
    np.testing.assert_array_equal(out, read_codes(shot.image_path(1003)))
    part("compositor").node(scene).inputs["Opacity"].default_value = 0
    out = render(scene, 1002, tmp_path / "out.png")
    np.testing.assert_array_equal(out, read_codes(shot.image_path(1002)))
    compose()
    remove()
    after = blender_dumps.scene(scene)
    for name in ("compositor", "trees", "images", "paintover"):
        assert after[name] == before[name]


def test_scene_without_camera_is_told(scene: Any, stylized: Any, part: Part) -> None:
    kinds.plain(scene)
    scene.camera = None
    before = blender_dumps.scene(scene)
    with pytest.raises(RuntimeError, match='The scene "Scene" has no camera; add one'):
        bpy.ops.paintover.compose()
    after = blender_dumps.scene(scene)
    assert blender_dumps.differences(before["compositor"], after["compositor"]) == []
    assert scene.paintover.before_compose == ""


def test_animated_dithering_is_refused(scene: Any, stylized: Any) -> None:
    scene.render.driver_add("dither_intensity").driver.expression = "1.5"
    scene.frame_set(1)
    before = blender_dumps.scene(scene)
    with pytest.raises(RuntimeError, match='"Dither Intensity" of the scene "Scene" is animated'):
        bpy.ops.paintover.compose()
    assert blender_dumps.differences(before, blender_dumps.scene(scene)) == []
    assert scene.render.driver_remove("dither_intensity")
    compose()


def test_text_burnt_into_the_picture_is_told(scene: Any, stylized: Any, part: Part) -> None:
    scene.render.use_stamp = True
    compose()
    assert "Burn Into Image writes over it" in state(part, scene, stylized)[1]
