# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes of a scene make its captured frames out of date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from captures import run

Part = Callable[[str], Any]


@pytest.fixture
def captured(scene: Any, part: Part) -> Any:
    """The scene, with a world, frames 1 and 2 captured."""
    scene.world = bpy.data.worlds.new("World")
    scene.frame_end = 2
    run(part, scene, part("properties").shot_folder(scene), [1, 2])
    part("shot_links").claim(scene, part("properties").shot_folder(scene))
    assert not is_changed(part, scene)
    return scene


def is_changed(part: Part, scene: Any) -> bool:
    """Return whether the panel says that the render settings have changed."""
    step = part("states").look(scene).steps["capture"]
    assert step.step.value == ("out of date" if "settings" in step.why else "up to date"), step
    return "settings" in step.why


def full_copy(scene: Any) -> Any:
    with bpy.context.temp_override(scene=scene):
        bpy.ops.scene.new(type="FULL_COPY")
    return next(other for other in bpy.data.scenes if other != scene)


def test_a_full_copy_is_up_to_date_until_something_changes(captured: Any, part: Part) -> None:
    copy = full_copy(captured)
    assert copy.camera.name == "Camera.001"
    assert copy.world.name == "World.001"
    assert not is_changed(part, copy)
    folder = part("properties").shot_folder(copy)
    # Frames of both scenes stand side by side.
    result = run(part, copy, folder, [1, 2, 3])
    assert (result.skipped, result.rendered) == ([1, 2], [3])
    for scene in (captured, copy):
        assert not is_changed(part, scene), scene.name
        assert run(part, scene, folder, [1, 2, 3]).rendered == []
    camera = copy.camera.copy()
    copy.collection.objects.link(camera)
    copy.camera = camera
    assert is_changed(part, copy)


def test_another_camera_or_world_of_the_scene_is_noticed(captured: Any, part: Part) -> None:
    first = captured.camera
    other = first.copy()
    captured.collection.objects.link(other)
    assert (first.name, other.name) == ("Camera", "Camera.001")
    captured.camera = other
    assert is_changed(part, captured)
    captured.camera = first
    captured.world = bpy.data.worlds["World"].copy()
    assert captured.world.name == "World.001"
    assert is_changed(part, captured)
    captured.world = bpy.data.worlds["World"]
    assert not is_changed(part, captured)
    captured.timeline_markers.new("cut", frame=1).camera = first
    assert is_changed(part, captured)


def test_appended_scene_is_up_to_date(captured: Any, part: Part, tmp_path: Path) -> None:
    bpy.ops.wm.save_mainfile()
    source = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with bpy.data.libraries.load(source) as (_, wanted):
        wanted.scenes = ["Scene"]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "appended.blend"))
    appended = next(scene for scene in bpy.data.scenes if scene.paintover.shot_id)
    assert appended.camera.name != "Camera"
    assert not is_changed(part, appended)


def test_time_remapping_is_noticed(captured: Any, part: Part) -> None:
    folder = part("properties").shot_folder(captured)
    captured.render.frame_map_new = 200
    assert is_changed(part, captured)
    assert run(part, captured, folder, [1, 2]).rendered == [1, 2]
    assert not is_changed(part, captured)
    captured.render.frame_map_old, captured.render.frame_map_new = 50, 50
    assert is_changed(part, captured), "the frames of before were replaced"
