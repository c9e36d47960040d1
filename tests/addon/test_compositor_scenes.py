# SPDX-License-Identifier: GPL-3.0-or-later
"""Several scenes in a .blend, each with its painting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import compositor_kinds as kinds
import pytest
from compositor_checks import Part, assert_shows, compose, remove, shot_of, state
from compositor_kinds import IS_5, OUTPUT, two_layers
from conftest import HEIGHT, WIDTH, picture, write_png


def test_full_copy_of_a_composed_scene(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.paintover.folder = str(stylized.folder)
    kinds.plain(scene)
    compose()
    bpy.ops.scene.new(type="FULL_COPY")
    copy: Any = bpy.context.scene
    assert copy != scene
    # The copy's own shot leaves the first scene's picture alone.
    copy.paintover.folder = str(tmp_path / "other")
    assert state(part, copy, shot_of(part, copy, [1, 2, 3], (WIDTH, HEIGHT)))[0] == "out of date"
    other = shot_of(part, copy, [1, 2, 3], (WIDTH, HEIGHT))
    write_png(other.out_path("style", 2), picture(2, seed=5))
    compose()
    bpy.context.window.scene = scene
    assert_shows(scene, stylized, tmp_path)
    bpy.context.window.scene = copy
    remove()
    assert copy.render.image_settings.color_management == "FOLLOW_SCENE"
    assert part("compositor").node(copy) is None
    bpy.context.window.scene = scene
    assert part("compositor").node(scene) is not None
    assert scene.render.image_settings.color_management == "OVERRIDE"
    assert_shows(scene, stylized, tmp_path)


@pytest.mark.skipif(not IS_5, reason="before Blender 5.0, scenes cannot share a tree")
def test_two_scenes_with_a_shared_tree_each_get_their_painting(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.paintover.folder = str(stylized.folder)
    kinds.plain(scene)
    tree = scene.compositing_node_group
    before = blender_dumps.tree(tree)
    bpy.ops.scene.new(type="LINK_COPY")
    other: Any = bpy.context.scene
    other.compositing_node_group = tree
    other.paintover.folder = str(tmp_path / "other")
    shots = {scene: stylized, other: shot_of(part, other, [1, 2, 3], (WIDTH, HEIGHT))}
    write_png(shots[other].out_path("style", 2), picture(2, seed=5))
    for active in shots:
        bpy.context.window.scene = active
        compose()
    for active, shot in shots.items():
        bpy.context.window.scene = active
        assert_shows(active, shot, tmp_path)
    for active in shots:
        bpy.context.window.scene = active
        remove()
    assert scene.compositing_node_group == other.compositing_node_group == tree
    assert blender_dumps.differences(before, blender_dumps.tree(tree)) == []


@pytest.mark.skipif(not IS_5, reason="before Blender 5.0, groups cannot hold Render Layers")
def test_covered_view_layers_are_told(scene: Any, stylized: Any, part: Part) -> None:
    two_layers(scene)
    stylized.manifest.source = {"kind": "blender", "view_layer": "Character"}
    stylized.save()
    other: Any = bpy.data.scenes.new("Other")
    other.compositing_node_group = scene.compositing_node_group
    assert 'the painting covers the view layer "Background"' in part("steps").compose(scene)


@pytest.mark.skipif(not IS_5, reason="before Blender 5.0, scenes cannot share a tree")
def test_removing_where_two_scenes_share_the_composed_tree(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    kinds.plain(scene)
    compose()
    other: Any = bpy.data.scenes.new("Other")
    other.compositing_node_group = scene.compositing_node_group
    assert part("compositor").remove(other)
    assert part("compositor").node(other) is None
    assert [node.bl_idname for node in other.compositing_node_group.nodes] == [
        "CompositorNodeRLayers",
        OUTPUT,
    ]
    assert state(part, scene, stylized)[0] == "up to date"
    assert_shows(scene, stylized, tmp_path)
