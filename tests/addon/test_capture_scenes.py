# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes as animators have them: view layers, stereo, simulations, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from captures import Part, open_shot, run
from conftest import read_codes
from exr_passes import read_passes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shot"


def test_view_layer_is_the_first_in_use_or_the_chosen_one(scene: Any, part: Part) -> None:
    scene.frame_end = 1
    first = scene.view_layers[0]
    first.name, first.use = "Layout", False
    for name in ("Beauty", "Lines"):
        scene.view_layers.new(name).use = True
    operator: Any = bpy.ops.paintover.capture
    states, folder = part("states"), part("properties").shot_folder(scene)
    operator()
    assert open_shot(part, folder).manifest.source["view_layer"] == "Beauty"
    assert states.look(scene).steps["capture"].step.value == "up to date"
    scene.paintover.view_layer = "Layout"
    assert states.look(scene).steps["capture"].step.value == "out of date"
    result = run(part, scene, folder, [1])
    assert result.rendered == [1]
    assert "Captured the view layer Layout; Beauty and Lines are not" in result.warnings[0]
    assert open_shot(part, folder).manifest.source["view_layer"] == "Layout"
    assert [layer.use for layer in scene.view_layers] == [False, True, True]
    assert run(part, scene, folder, [1]).warnings == []
    scene.paintover.view_layer = "Gone"
    assert states.look(scene).steps["capture"].step.value == "out of date"
    with pytest.raises(RuntimeError, match='no view layer "Gone"; choose another'):
        operator()


def test_what_is_left_out_is_said_and_the_rest_is_there(
    scene: Any, part: Part, folder: Path, tmp_path: Path
) -> None:
    render = scene.render
    run(part, scene, tmp_path / "plain", [1, 2])
    scene.view_layers.new("Sky")
    strips: Any = scene.sequence_editor_create()
    strips = strips.strips if hasattr(strips, "strips") else strips.sequences
    ends = {"length": 10} if bpy.app.version >= (5, 0, 0) else {"frame_end": 10}
    strips.new_effect(name="slate", type="COLOR", channel=1, frame_start=1, **ends)
    render.use_multiview = render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = 0.25, 0.75
    render.use_motion_blur = render.use_lock_interface = render.use_stamp = True
    scene.frame_step = 2
    if bpy.app.version >= (5, 0, 0):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    result = run(part, scene, folder, [1, 2])
    said = " ".join(result.warnings)
    assert result.rendered == [1, 2]
    for word in ("Sky is not", "Stereo", "Render Region", "Motion blur", "every second"):
        assert word in said, word
    assert len(result.warnings) == 5
    assert render.use_multiview and render.use_crop_to_border and render.use_lock_interface
    assert render.image_settings.file_format == "FFMPEG"
    for frame in (1, 2):
        plain = open_shot(part, tmp_path / "plain").image_path(frame)
        captured = open_shot(part, folder).image_path(frame)
        assert np.array_equal(read_codes(captured), read_codes(plain))


class _OtherEngine(bpy.types.RenderEngine):
    """A render engine that writes the picture alone."""

    bl_idname, bl_label = "OTHER_ENGINE", "Other"

    def render(self, depsgraph: Any) -> None:
        render = depsgraph.scene.render
        result: Any = self.begin_result(0, 0, render.resolution_x, render.resolution_y)
        pixels = render.resolution_x * render.resolution_y
        result.layers[0].passes["Combined"].rect = [[0.2, 0.4, 0.6, 1.0]] * pixels
        self.end_result(result)


def test_an_engine_without_surfaces_is_named(scene: Any, part: Part, folder: Path) -> None:
    bpy.utils.register_class(_OtherEngine)
    try:
        scene.render.engine = "OTHER_ENGINE"
        result = run(part, scene, folder, [1])
    finally:
        scene.render.engine = "CYCLES"
        bpy.utils.unregister_class(_OtherEngine)
    assert set(open_shot(part, folder).manifest.passes) == {"alpha"}
    assert len(result.warnings) == 1
    assert "OTHER_ENGINE tells nothing about surfaces or motion" in result.warnings[0]


def test_an_object_that_serves_as_camera(scene: Any, part: Part, folder: Path) -> None:
    light = next(thing for thing in scene.objects if thing.type == "LIGHT")
    light.matrix_world = scene.camera.matrix_world
    scene.camera = light
    result = run(part, scene, folder, [1])
    assert open_shot(part, folder).manifest.frames[1].camera is None
    assert result.warnings == [
        "The camera is panoramic, custom or no camera object, so the motion of the background is "
        "not known."
    ]


def simulated(scene: Any) -> None:
    """A falling rigid body, a falling cloth, and geometry nodes that move a cube a step a frame."""
    bpy.ops.rigidbody.world_add()
    body: Any = bpy.data.objects["Cube"]
    body.location = (0, 0, 2)
    bpy.context.view_layer.objects.active = body
    bpy.ops.rigidbody.object_add()
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=6, y_subdivisions=6, location=(-2, 0, 1))
    bpy.context.object.modifiers.new("cloth", "CLOTH")
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(1.5, -2, 0))
    tree: Any = bpy.data.node_groups.new("moves", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeSimulationInput", "GeometryNodeSetPosition")
    start, enter, move = (tree.nodes.new(kind) for kind in kinds)
    leave, end = (
        tree.nodes.new(f"{kind}Output") for kind in ("GeometryNodeSimulation", "NodeGroup")
    )
    enter.pair_with_output(leave)
    move.inputs["Offset"].default_value = (-0.2, 0.1, 0)
    chain = [(start, enter), (enter, move), (move, leave), (leave, end)]
    for one, other in chain:
        sockets = [s for s in other.inputs if s.type == "GEOMETRY"]
        source = [s for s in one.outputs if s.type == "GEOMETRY"]
        tree.links.new(source[0], sockets[0])
    bpy.context.object.modifiers.new("moves", "NODES").node_group = tree


def test_simulations_that_are_not_baked_go_on_as_in_one_go(
    scene: Any, part: Part, folder: Path, tmp_path: Path
) -> None:
    scene.frame_end = 8
    simulated(scene)
    bpy.ops.wm.save_mainfile()
    whole = run(part, scene, folder, [1, 2, 3, 4, 5, 6, 7, 8])
    assert "paintover_kept_caches" not in scene
    assert not scene.rigidbody_world.point_cache.is_baked
    assert len(whole.warnings) == 1
    codes = {n: read_codes(open_shot(part, folder).image_path(n)) for n in (1, 6, 8)}
    assert np.abs(codes[1] - codes[8]).mean() > 5
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    again: Any = bpy.context.scene
    result = run(part, again, tmp_path / "rest", [6, 8])
    assert len(result.warnings) == 1
    assert "from frame 1 on for the capture: rigid bodies, Grid, Cube.001." in result.warnings[0]
    for frame in (6, 8):
        rest = open_shot(part, tmp_path / "rest").image_path(frame)
        assert np.array_equal(read_codes(rest), codes[frame]), frame
    depths = [
        read_passes(open_shot(part, one).passes_path(8))["Depth"]
        for one in (folder, rest.parents[1])
    ]
    assert np.array_equal(*depths)


def test_simulation_in_a_library_and_a_save_meanwhile(
    scene: Any, part: Part, folder: Path, tmp_path: Path
) -> None:
    simulated(scene)
    library = tmp_path / "library.blend"
    bpy.data.libraries.write(str(library), {bpy.data.objects["Grid"]})
    bpy.data.objects.remove(bpy.data.objects["Grid"])
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Grid"]
    scene.collection.objects.link(wanted.objects[0])
    frames = [1, 2, 3, 4, 5]
    scene.frame_end = 5
    bpy.ops.wm.save_mainfile()
    run(part, scene, folder, frames)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    again: Any = bpy.context.scene
    for progress in part("capture").capture(again, tmp_path / "saved", frames):
        if progress.text == "Frame 4":
            bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "copy.blend"), copy=True)
    for frame in frames:
        pictures = [open_shot(part, one).image_path(frame) for one in (folder, tmp_path / "saved")]
        assert np.array_equal(*map(read_codes, pictures)), frame
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "copy.blend"))
    saved: Any = bpy.context.scene
    assert not saved.rigidbody_world.point_cache.is_baked
    assert "paintover_kept_caches" not in saved
