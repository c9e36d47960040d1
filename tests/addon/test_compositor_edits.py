# SPDX-License-Identifier: GPL-3.0-or-later
"""What users do to the compositor's node and around it is told, mended and kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import compositor_kinds as kinds
import pytest
from compositor_checks import Part, assert_shows, compose, remove, state, tree_of
from compositor_kinds import IS_5, OUTPUT, add, render_layers
from conftest import HEIGHT, picture, write_png


def cut_off(node: Any) -> None:
    node.id_data.links.remove(node.outputs[0].links[0])


def mute(node: Any) -> None:
    node.mute = True


def other_output(node: Any) -> None:
    """Another output node becomes the active one."""
    tree = node.id_data
    output = add(tree, OUTPUT, render_layers(tree))
    if IS_5:
        output.is_active_output = True
    else:
        tree.nodes.active = output


def delete(node: Any) -> None:
    node.id_data.nodes.remove(node)


def into_a_group(node: Any) -> None:
    """As the user's Make Group does: the node lies in a group, which takes its links."""
    tree = node.id_data
    group: Any = bpy.data.node_groups.new("Mine", "CompositorNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Image", in_out=direction, socket_type="NodeSocketColor")
    inputs, output = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    inner = group.nodes.new("CompositorNodeGroup")
    inner.node_tree = node.node_tree
    group.links.new(inputs.outputs[0], inner.inputs[0])
    group.links.new(inner.outputs[0], output.inputs[0])
    holder = tree.nodes.new("CompositorNodeGroup")
    holder.node_tree = group
    tree.links.new(node.inputs[0].links[0].from_socket, holder.inputs[0])
    tree.links.new(holder.outputs[0], node.outputs[0].links[0].to_socket)
    tree.nodes.remove(node)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (mute, "The node is muted"),
        (cut_off, "The node is not linked to the output that Blender renders"),
        (other_output, "The node is not linked to the output that Blender renders"),
        (delete, "The node is gone, but its output settings are not"),
        (into_a_group, 'The node is inside the group "Mine"'),
    ],
)
def test_edits_are_told_and_mended(
    scene: Any,
    stylized: Any,
    tmp_path: Path,
    part: Part,
    edit: Callable[[Any], None],
    reason: str,
) -> None:
    kinds.plain(scene)
    compose()
    edit(part("compositor").node(scene))
    step, why = state(part, scene, stylized)
    assert step != "up to date" and why == reason
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    assert_shows(scene, stylized, tmp_path)
    remove()
    assert not any("Paintover" in node.name for node in tree_of(scene).nodes)
    assert part("compositor").node(scene) is None


def test_nodes_behind_stay_and_are_told(scene: Any, stylized: Any, part: Part) -> None:
    kinds.plain(scene)
    compose()
    node = part("compositor").node(scene)
    target = node.outputs[0].links[0].to_socket
    blur = add(node.id_data, "CompositorNodeBlur", node.outputs[0])
    node.id_data.links.new(blur.outputs[0], target)
    node.inputs["Opacity"].default_value = 0.5
    sentence = part("steps").compose(scene)
    assert "Opacity 0.5" in sentence and 'changed by "Blur"' in sentence
    assert state(part, scene, stylized)[0] == "up to date"
    remove()
    assert blur.inputs["Image"].links[0].from_node.bl_idname == "CompositorNodeRLayers"
    assert target.links[0].from_node == blur


def test_work_in_a_tree_that_paintover_made_is_kept(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    compose()
    node = part("compositor").node(scene)
    source = node.inputs["Image"].links[0].from_socket
    blur = add(node.id_data, "CompositorNodeBlur", source)
    node.id_data.links.new(blur.outputs[0], node.inputs["Image"])
    remove()
    output = next(n for n in tree_of(scene).nodes if n.bl_idname == OUTPUT)
    assert output.inputs[0].links[0].from_node == blur


def test_undo_and_redo(scene: Any, stylized: Any, tmp_path: Path, part: Part) -> None:
    kinds.plain(scene)
    before = blender_dumps.scene(scene)
    bpy.ops.ed.undo_push(message="before")
    compose()
    bpy.ops.ed.undo_push(message="composed")
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert part("compositor").node(scene) is None and scene.paintover.before_compose == ""
    assert blender_dumps.differences(before["compositor"], blender_dumps.tree(tree_of(scene))) == []
    bpy.ops.ed.redo()
    scene = bpy.context.scene
    assert state(part, scene, stylized)[0] == "up to date"
    assert_shows(scene, stylized, tmp_path)
    remove()
    assert scene.render.image_settings.color_management == "FOLLOW_SCENE"
    assert blender_dumps.differences(before["compositor"], blender_dumps.tree(tree_of(scene))) == []


def test_linked_scene_is_refused(scene: Any, stylized: Any, tmp_path: Path, part: Part) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"), copy=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.scenes = ["Scene"]
    error = part("engine.shared.errors").PaintoverError
    for step in (
        lambda: part("compositor").compose(wanted.scenes[0], stylized, "style"),
        lambda: part("compositor").remove(wanted.scenes[0]),
    ):
        with pytest.raises(error, match=r"is linked from .*library.blend; open that file"):
            step()


def test_settings_are_restored_after_the_user_deleted_the_node(
    scene: Any, stylized: Any, part: Part
) -> None:
    compose()
    delete(part("compositor").node(scene))
    remove()
    assert scene.render.image_settings.color_management == "FOLLOW_SCENE"
    assert state(part, scene, stylized) == ("nothing", "Not in the compositor yet")
    assert not IS_5 or scene.compositing_node_group is None


def test_copies_of_the_node_go_with_it(scene: Any, stylized: Any, part: Part) -> None:
    kinds.plain(scene)
    before = blender_dumps.tree(tree_of(scene))
    compose()
    node = part("compositor").node(scene)
    copy = node.id_data.nodes.new("CompositorNodeGroup")
    copy.node_tree = node.node_tree
    node.id_data.links.new(node.inputs[0].links[0].from_socket, copy.inputs[0])
    add(node.id_data, "CompositorNodeViewer", copy.outputs[0])
    compose()
    remove()
    viewer = next(n for n in tree_of(scene).nodes if n.bl_idname == "CompositorNodeViewer")
    assert viewer.inputs[0].links[0].from_node.bl_idname == "CompositorNodeRLayers"
    tree_of(scene).nodes.remove(viewer)
    assert blender_dumps.differences(before, blender_dumps.tree(tree_of(scene))) == []


def test_frames_of_another_size_are_refused(scene: Any, stylized: Any) -> None:
    write_png(stylized.out_path("style", 2), picture(2)[: HEIGHT // 2])
    with pytest.raises(RuntimeError, match=r"0002\.png is 480×135, but the shot is 480×270"):
        bpy.ops.paintover.compose()
    stylized.out_path("style", 2).write_bytes(b"")
    with pytest.raises(RuntimeError, match=r"0002\.png is damaged; delete it and stylize again"):
        bpy.ops.paintover.compose()
    assert scene.paintover.before_compose == ""


def test_frames_in_the_other_format_are_told(scene: Any, stylized: Any) -> None:
    scene.paintover.format = "exr"
    with pytest.raises(RuntimeError, match="are PNG, but File Format is OpenEXR; change it, or"):
        bpy.ops.paintover.compose()
    assert scene.paintover.before_compose == ""


@pytest.mark.parametrize(
    ("edit", "reason"),
    [(mute, "The node is muted"), (delete, "The node is gone, but its output settings are not")],
)
def test_the_panel_tells_an_edit_at_once(
    scene: Any, stylized: Any, part: Part, edit: Callable[[Any], None], reason: str
) -> None:
    kinds.plain(scene)
    compose()
    watcher = part("ui.watcher")
    watcher.refresh()
    for _ in range(100):
        watcher._tick()
        if watcher.current()[0].steps["compose"].why == "In the compositor":
            break
        time.sleep(0.05)
    assert watcher.current()[0].steps["compose"].why == "In the compositor"
    edit(part("compositor").node(scene))
    bpy.context.view_layer.update()

    watcher._tick()

    assert watcher.current()[0].steps["compose"].why == reason


def test_nothing_is_asked_where_no_frame_is_stylized(scene: Any, shot: Any, part: Part) -> None:
    assert part("steps").stylized_frames(scene) == []
    for frame in (1, 3):
        write_png(shot.out_path("style", frame), picture(frame, seed=7))
    assert part("steps").stylized_frames(scene) == [1, 3]
    scene.paintover.folder = "//elsewhere"
    assert part("steps").stylized_frames(scene) == []


def test_a_node_without_a_shot_is_told(scene: Any, stylized: Any, part: Part) -> None:
    kinds.plain(scene)
    compose()
    folder = stylized.folder / "out/style"
    reason = part("compositor").state(scene, None, "style", None).why
    assert reason == f"There is no shot to show; the node plays {folder}"
