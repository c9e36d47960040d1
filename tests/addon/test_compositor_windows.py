# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows show the painting as its files are; what it covers is told, and a matte limits it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import compositor_kinds as kinds
import numpy as np
import pytest
from compositor_checks import Part, compose, painted, remove, shot_of, state, tree_of
from compositor_kinds import OUTPUT, add, empty_tree, render_layers
from conftest import HEIGHT, WIDTH, read_codes, write_png
from test_compositor import render

LARGE = 480, 270


@pytest.fixture
def viewers(scene: Any, tmp_path: Path) -> Iterator[list[Any]]:
    """The images in which Blender's windows show renders, as the user has them."""
    kinds.plain(scene)
    render(scene, 1, tmp_path / "first.png")
    found = [image for image in bpy.data.images if image.source == "VIEWER"]
    assert "Render Result" in [image.name for image in found]
    for image in found:
        image.use_view_as_render = True
    yield found
    for image in found:
        image.use_view_as_render = True


@pytest.mark.parametrize("view", ["Standard", "Filmic", "AgX"])
def test_window_and_file_have_the_paintings_colours(
    scene: Any, viewers: list[Any], tmp_path: Path, part: Part, view: str
) -> None:
    scene.render.resolution_x, scene.render.resolution_y = LARGE
    scene.view_settings.view_transform = view
    shot = shot_of(part, scene, [1], LARGE)
    random = np.random.default_rng(5).integers(0, 256, (*LARGE[::-1], 4)) / 255
    random[..., 3] = 1
    write_png(shot.out_path("style", 1), random.astype(np.float32))
    compose()
    np.testing.assert_array_equal(render(scene, 1, tmp_path / "out.png"), painted(shot, 1))
    # What Blender saves and shows of the render, without the scene's view transform.
    shown = bpy.data.images["Render Result"]
    assert not shown.use_view_as_render
    shown.save_render(str(tmp_path / "saved.png"), scene=scene)
    np.testing.assert_array_equal(read_codes(tmp_path / "saved.png"), painted(shot, 1))
    assert scene.view_settings.view_transform == view
    remove()
    assert all(image.use_view_as_render for image in viewers)


def test_windows_follow_the_scene_that_is_rendered(
    scene: Any, viewers: list[Any], stylized: Any, tmp_path: Path, part: Part
) -> None:
    compose()
    other = scene.copy()
    follow = part("compositor").follow_windows
    part("compositor").remove(other)
    assert all(image.use_view_as_render for image in viewers)
    render(scene, 2, tmp_path / "out.png")
    assert not bpy.data.images["Render Result"].use_view_as_render
    follow(other)
    assert all(image.use_view_as_render for image in viewers)
    follow(scene)
    assert not any(image.use_view_as_render for image in viewers)
    bpy.data.scenes.remove(other)


def test_a_window_that_the_user_set_stays(viewers: list[Any], stylized: Any) -> None:
    for image in viewers:
        image.use_view_as_render = False
    compose()
    remove()
    assert not any(image.use_view_as_render for image in viewers)


def test_effects_that_the_painting_covers_are_told(scene: Any, stylized: Any, part: Part) -> None:
    tree = empty_tree(scene, "Image")
    glare = add(tree, "CompositorNodeGlare", render_layers(tree))
    output = add(tree, OUTPUT, glare.outputs["Image"])
    sentence = part("steps").compose(scene)
    told = 'covers "Glare" (to have it on the painting, link it behind the node)'
    assert told in sentence
    assert state(part, scene, stylized) == ("up to date", f"In the compositor, {told}")
    node = part("compositor").node(scene)
    tree.links.new(glare.inputs["Image"].links[0].from_socket, node.inputs["Image"])
    tree.links.new(node.outputs["Image"], glare.inputs["Image"])
    tree.links.new(glare.outputs["Image"], output.inputs[0])
    assert state(part, scene, stylized)[1] == 'In the compositor, changed by "Glare"'
    tree.links.new(node.outputs["Image"], output.inputs[0])
    assert state(part, scene, stylized)[1] == "In the compositor"


def test_effects_in_a_shared_tree_are_told(scene: Any, stylized: Any, part: Part) -> None:
    tree = empty_tree(scene, "Image")
    blur = add(tree, "CompositorNodeBlur", render_layers(tree))
    glare = add(tree, "CompositorNodeGlare", blur.outputs[0])
    add(tree, OUTPUT, glare.outputs["Image"])
    if kinds.IS_5:
        bpy.data.scenes.new("Other").compositing_node_group = tree
    sentence = part("steps").compose(scene)
    first = sorted(name for name in ("Blur", "Glare") if f'covers "{name}" and 1 more' in sentence)
    assert first and "to have them on the painting" in sentence


def test_a_matte_limits_the_painting(scene: Any, stylized: Any, tmp_path: Path, part: Part) -> None:
    scene.render.dither_intensity = 0
    kinds.plain(scene)
    plain = render(scene, 2, tmp_path / "plain.png")
    compose()
    tree, node = tree_of(scene), part("compositor").node(scene)
    half = np.ones((HEIGHT, WIDTH, 4), np.float32)
    half[:, : WIDTH // 2, :3] = 0
    write_png(tmp_path / "matte.png", half)
    matte = tree.nodes.new("CompositorNodeImage")
    matte.image = bpy.data.images.load(str(tmp_path / "matte.png"))
    tree.links.new(matte.outputs["Image"], node.inputs["Matte"])
    out = render(scene, 2, tmp_path / "out.png")
    np.testing.assert_array_equal(out[:, WIDTH // 2 :], painted(stylized, 2)[:, WIDTH // 2 :])
    assert np.abs(out - plain)[:, : WIDTH // 2].max() <= 1
    assert state(part, scene, stylized)[0] == "up to date"
    compose()
    assert node.inputs["Matte"].links
