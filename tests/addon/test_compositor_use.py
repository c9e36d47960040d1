# SPDX-License-Identifier: GPL-3.0-or-later
"""What users do around the compositor's node: layers, strips, frame ranges, scenes, edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import compositor_kinds as kinds
import numpy as np
import numpy.typing as npt
import pytest
from compositor_kinds import IS_5, OUTPUT, add, empty_tree, render_layers
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from test_compositor import render

Part = Callable[[str], Any]


@pytest.fixture
def stylized(shot: Any) -> Any:
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, seed=7))
    return shot


def painted(shot: Any, frame: int) -> npt.NDArray[np.int64]:
    return read_codes(shot.out_path("style", frame))


def compose() -> None:
    assert bpy.ops.paintover.compose() == {"FINISHED"}


def remove() -> None:
    assert bpy.ops.paintover.compose(remove=True) == {"FINISHED"}


def tree_of(scene: Any) -> Any:
    return scene.compositing_node_group if IS_5 else scene.node_tree


def state(part: Part, scene: Any, shot: Any) -> tuple[str, str]:
    found = part("compositor").state(scene, shot, "style")
    return found.step.value, found.why


def assert_shows(scene: Any, shot: Any, path: Path, frame: int = 2) -> None:
    np.testing.assert_array_equal(render(scene, frame, path / "out.png"), painted(shot, frame))


# ---- Several pictures put together in the tree


def two_layers(scene: Any) -> None:
    """The cube in one view layer, a floor in another; the first lies over the second."""
    scene.render.film_transparent = True
    cube, camera = bpy.data.objects["Cube"], scene.camera
    bpy.ops.mesh.primitive_plane_add(size=30, location=(0, 0, -1))
    plane: Any = bpy.context.object
    scene.camera = camera
    for thing, name in ((cube, "FG"), (plane, "BG")):
        collection: Any = bpy.data.collections.new(name)
        scene.collection.children.link(collection)
        collection.objects.link(thing)
        scene.collection.objects.unlink(thing)
    front = scene.view_layers[0]
    front.name = "Character"
    back = scene.view_layers.new("Background")
    front.layer_collection.children["BG"].exclude = True
    back.layer_collection.children["FG"].exclude = True
    tree = empty_tree(scene, "Image")
    layers = []
    for name in ("Background", "Character"):
        layers.append(render_layers(tree))
        layers[-1].node.layer = name
    over = add(tree, "CompositorNodeAlphaOver", *layers)
    add(tree, OUTPUT, over.outputs[0])


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
    after = blender_dumps.scene(scene)
    for dump in (before, after):
        for name in ("image_settings", "filepath"):
            del dump["render"][name]
    assert blender_dumps.differences(before, after) == []


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


# ---- Settings that hide the compositor


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


def test_both_eyes_get_the_stylized_frame(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.render.use_multiview = True
    scene.render.image_settings.views_format = "INDIVIDUAL"
    notes = part("steps").compose(scene)
    assert "both eyes get the same stylized frame" in notes
    with pytest.raises(RuntimeError, match=r"out\.png"):
        render(scene, 2, tmp_path / "out.png")
    for eye in "LR":
        codes = read_codes(tmp_path / f"out_{eye}.png")
        np.testing.assert_array_equal(codes, painted(stylized, 2))


# ---- Frame numbers


def shot_of(part: Part, scene: Any, frames: list[int], size: tuple[int, int]) -> Any:
    """A shot of these frames, all stylized."""
    manifests = part("engine.shared.manifest")
    manifest = manifests.Manifest(*size, frames[0], frames[-1])
    shot = part("engine.shared.shot").Shot(part("properties").shot_folder(scene), manifest)
    for frame in frames:
        pixels = np.ones((size[1], size[0], 4), np.float32)
        tile = picture(frame, seed=7)[: size[1], : size[0]]
        pixels[: tile.shape[0], : tile.shape[1]] = tile
        write_png(shot.image_path(frame), pixels)
        write_png(shot.out_path("style", frame), pixels)
        manifest.frames[frame] = manifests.FrameRecord(image="")
    shot.save()
    return shot


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


# ---- Shots that came from pictures


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


# ---- Several scenes


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


# ---- What users do to the node and around it


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
    with pytest.raises(RuntimeError, match=rf"0002.png is 96×32, but the shot is {WIDTH}×{HEIGHT}"):
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
