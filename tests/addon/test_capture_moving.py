# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured pictures of what moves are the user's own renders, code for code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from captures import open_shot, run
from conftest import read_codes
from thing_kinds import Place, coloured, cube

Part = Callable[[str], Any]
FRAMES = (1, 3, 5)


def moved(thing: Any) -> Any:
    """Let an object move and turn from frame 1 to 5."""
    start = thing.location.x
    for frame, step in ((1, 0.0), (5, 0.8)):
        thing.location.x, thing.rotation_euler.z = start + step, step
        for path in ("location", "rotation_euler"):
            thing.keyframe_insert(path, frame=frame)
    return thing


def instanced() -> Any:
    """A small cube out of sight, to show as instances."""
    return cube((40, 0, 0), coloured("instance", 0.9, 0.3, 0.1))


def particles(place: Place, **settings: Any) -> Any:
    """A grid with a particle system; return the grid."""
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=5, y_subdivisions=5, size=1, location=place)
    grid: Any = bpy.context.object
    system = grid.modifiers.new("particles", "PARTICLE_SYSTEM").particle_system
    for name, value in settings.items():
        setattr(system.settings, name, value)
    return grid


def emitter(place: Place) -> None:
    particles(
        *(place,),
        **{"count": 40, "frame_start": 1, "frame_end": 6, "lifetime": 50, "particle_size": 0.15},
        **{"render_type": "OBJECT", "instance_object": instanced()},
    )


def grass(place: Place) -> Any:
    return particles(
        *(place,),
        **{"type": "HAIR", "count": 40, "particle_size": 0.15},
        **{"render_type": "OBJECT", "instance_object": instanced()},
    )


def dynamic_hair(place: Place) -> None:
    grid = moved(particles(place, type="HAIR", count=40, hair_length=0.8))
    grid.particle_systems[0].use_hair_dynamics = True


def collection_instance(place: Place) -> None:
    hidden = bpy.data.collections.new("hidden")
    thing = cube((0, 0, 0), coloured("in a collection", 0.1, 0.2, 0.9))
    hidden.objects.link(thing)
    bpy.context.scene.collection.objects.unlink(thing)
    empty: Any = bpy.data.objects.new("empty", None)
    empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", hidden, place
    bpy.context.scene.collection.objects.link(moved(empty))


def more_and_more(place: Place) -> None:
    array = cube(place).modifiers.new("array", "ARRAY")
    for frame, count in ((1, 1), (5, 4)):
        array.count = count
        array.keyframe_insert("count", frame=frame)


def now_and_then(place: Place) -> None:
    thing = moved(cube(place, coloured("now and then", 0.1, 0.9, 0.9)))
    for frame, hidden in ((1, False), (3, True), (4, False)):
        thing.hide_render = hidden
        thing.keyframe_insert("hide_render", frame=frame)


KINDS: tuple[Callable[[Place], Any], ...] = (
    emitter,
    lambda place: moved(grass(place)),
    grass,
    collection_instance,
    more_and_more,
    now_and_then,
)


@pytest.fixture
def moving(scene: Any) -> Any:
    """A thing of every kind side by side, seen from above, 480×270."""
    scene.frame_end = 5
    render = scene.render
    render.resolution_x, render.resolution_y, render.dither_intensity = 480, 270, 0
    scene.camera.location, scene.camera.rotation_euler = (0, -1, 12), (0, 0, 0)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 14
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    for number, add in enumerate(KINDS):
        add((number % 4 * 3 - 5.0, 2 - number // 4 * 3.0, 0))
    scene.frame_set(1)
    bpy.ops.wm.save_mainfile()
    return scene


def own_renders(folder: Path) -> dict[int, Any]:
    """Play and render the animation as the user does; return the pictures of ``FRAMES``."""
    scene = opened()
    for frame in range(1, 7):
        scene.frame_set(frame)
    scene.render.image_settings.file_format, scene.render.filepath = "PNG", str(folder / "####")
    scene.render.image_settings.color_mode = "RGB"
    bpy.ops.render.render(animation=True)
    return {frame: read_codes(folder / f"{frame:04d}.png") for frame in FRAMES}


def opened() -> Any:
    """Open the .blend again, so that nothing is simulated yet, and return the scene."""
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    return bpy.context.scene


@pytest.mark.usefixtures("moving")
def test_what_moves_looks_the_same(part: Part, tmp_path: Path) -> None:
    own = own_renders(tmp_path)
    assert np.abs(own[1] - own[5]).mean() > 3
    scene = opened()
    result = run(part, scene, tmp_path / "shot", [1, 2, 3, 4, 5])
    shot = open_shot(part, tmp_path / "shot")
    for frame in FRAMES:
        differs = (read_codes(shot.image_path(frame)) != own[frame]).any(axis=-1)
        assert differs.mean() < 0.002, frame  # the turn of particles is not the same each time
    assert "motion" not in shot.manifest.passes
    assert [note for note in result.warnings if "particles" in note] == [
        "Cycles leaves out particles while it writes motion, so motion is estimated from the "
        "pictures; use EEVEE for exact motion."
    ]
    assert not scene.view_layers[0].use_pass_vector


def test_grass_that_stands_still_has_motion(moving: Any, part: Part, tmp_path: Path) -> None:
    for thing in list(moving.objects):
        if thing.type != "CAMERA" and not thing.name.startswith("Grid.002"):
            bpy.data.objects.remove(thing)
    assert [thing.name for thing in moving.objects if thing.particle_systems] == ["Grid.002"]
    result = run(part, moving, tmp_path / "shot", [1])
    assert "motion" in open_shot(part, tmp_path / "shot").manifest.passes
    assert result.warnings == []


def test_dynamic_hair_is_in_the_picture(moving: Any, part: Part, tmp_path: Path) -> None:
    for thing in list(moving.objects):
        if thing.type not in ("CAMERA", "LIGHT"):
            bpy.data.objects.remove(thing)
    dynamic_hair((0, 0, 0))
    bpy.ops.wm.save_mainfile()
    own = own_renders(tmp_path)
    result = run(part, opened(), tmp_path / "shot", [1])
    picture = read_codes(open_shot(part, tmp_path / "shot").image_path(1))
    assert np.array_equal(picture, own[1])
    assert "Simulated from frame 1 on for the capture: Grid" in result.warnings[0]


def test_simulations_in_collection_instances_are_found(scene: Any, part: Part) -> None:
    hidden = bpy.data.collections.new("hidden")
    thing = cube((0, 0, 0))
    thing.modifiers.new("cloth", "CLOTH")
    hidden.objects.link(thing)
    scene.collection.objects.unlink(thing)
    not_baked = part("capture.simulations").not_baked
    assert not_baked(scene) == []
    empty: Any = bpy.data.objects.new("empty", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", hidden
    scene.collection.objects.link(empty)
    assert [found.name for found in not_baked(scene)] == [thing.name]
