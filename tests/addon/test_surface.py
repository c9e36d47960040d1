# SPDX-License-Identifier: GPL-3.0-or-later
"""The surface point and the object that a pixel shows, in real renders of things that move."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
import pytest
from exr_passes import Passes, read_passes

WIDTH, HEIGHT, SCALE = 288, 192, 12.0
PIXEL = SCALE / WIDTH
BOTH_ENGINES = pytest.mark.parametrize("flat_scene", ["CYCLES", "EEVEE"], indirect=True)
Part = Callable[[str], Any]


@pytest.fixture(scope="module")
def eevee_works() -> bool:
    """EEVEE ends the process where it finds no graphics; another process tries, with Workbench."""
    code = (
        "import bpy, os; r = bpy.context.scene.render; r.resolution_x = r.resolution_y = 8;"
        "r.engine = 'BLENDER_WORKBENCH'; r.compositor_device = 'CPU'; bpy.ops.render.render();"
        "os._exit(0)"  # as in conftest: Blender 4.5 hangs at times when it ends
    )
    return (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )


@pytest.fixture(params=["CYCLES"])
def flat_scene(request: pytest.FixtureRequest, part: Part, scene: Any) -> Any:
    """An empty scene seen from straight above, 24 pixels a unit, with frames 1 and 2."""
    if request.param == "EEVEE":
        if not request.getfixturevalue("eevee_works"):
            pytest.skip("EEVEE finds no graphics on this machine")
        scene.render.engine = part("versions").EEVEE
        scene.eevee.taa_render_samples = 1
    for thing in list(bpy.data.objects):
        if thing.type == "MESH":
            bpy.data.objects.remove(thing)
    scene.frame_end = 2
    scene.cycles.samples = 4
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 10), (0, 0, 0)
    camera.data.type, camera.data.ortho_scale = "ORTHO", SCALE
    return scene


def new_material(name: str) -> Any:
    material: Any = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material


def grid(name: str, x: float, y: float, material: Any = None) -> Any:
    bpy.ops.mesh.primitive_grid_add(
        x_subdivisions=8, y_subdivisions=8, size=1.6, location=(x, y, 0)
    )
    thing: Any = bpy.context.object
    thing.name = name
    thing.data.materials.append(material or new_material(name))
    return thing


def animate(owner: Any, path: str, first: Any, second: Any) -> None:
    for frame, value in ((1, first), (2, second)):
        setattr(owner, path, value)
        owner.keyframe_insert(path, frame=frame)


def bend(thing: Any) -> None:
    """Bend the upper half of an object with an armature in frame 2."""
    bpy.ops.object.armature_add(location=thing.location)
    armature: Any = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    lower = armature.data.edit_bones[0]
    lower.head, lower.tail = (0, -0.8, 0), (0, 0, 0)
    upper = armature.data.edit_bones.new("upper")
    upper.head, upper.tail, upper.parent = (0, 0, 0), (0, 0.8, 0), lower
    bpy.ops.object.mode_set(mode="OBJECT")
    for name, sign in (("Bone", -1), ("upper", 1)):
        group = thing.vertex_groups.new(name=name)
        for vertex in thing.data.vertices:
            group.add([vertex.index], float(np.clip(0.5 + sign * vertex.co.y, 0, 1)), "REPLACE")
    thing.modifiers.new("bend", "ARMATURE").object = armature
    bone = armature.pose.bones["upper"]
    bone.rotation_mode = "XYZ"
    animate(bone, "rotation_euler", (0, 0, 0), (0, 0, 0.7))


def geometry_nodes(thing: Any, instance: Any) -> None:
    """Put an instance of another object on each vertex."""
    tree: Any = bpy.data.node_groups.new("instances", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    info = tree.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = instance
    info.inputs["As Instance"].default_value = True
    points = tree.nodes.new("GeometryNodeInstanceOnPoints")
    points.inputs["Scale"].default_value = (0.4, 0.4, 0.4)
    tree.links.new(start.outputs[0], points.inputs["Points"])
    tree.links.new(info.outputs["Geometry"], points.inputs["Instance"])
    tree.links.new(points.outputs[0], end.inputs[0])
    thing.modifiers.new("instances", "NODES").node_group = tree


def vertices(scene: Any, thing: Any, frame: int) -> npt.NDArray[np.float64]:
    """World positions of a deformed object's vertices, (N, 3)."""
    scene.frame_set(frame)
    evaluated = thing.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([evaluated.matrix_world @ vertex.co for vertex in evaluated.data.vertices])


def instances(scene: Any, name: str, frame: int) -> list[Any]:
    scene.frame_set(frame)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return [
        instance.matrix_world.copy()
        for instance in depsgraph.object_instances
        if instance.is_instance and instance.object.name == name
    ]


def pixels(points: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Rows and columns of world positions seen from above."""
    columns = np.floor(points[:, 0] / PIXEL + WIDTH / 2).astype(int)
    rows = np.floor(HEIGHT / 2 - points[:, 1] / PIXEL).astype(int)
    return rows, columns


def capture(
    part: Part, scene: Any, folder: Path, frames: tuple[int, ...] = (1, 2)
) -> dict[int, Passes]:
    for _ in part("capture").capture(scene, folder, list(frames)):
        pass
    shot = part("engine.shared.shot").Shot.open(folder)
    return {frame: read_passes(shot.passes_path(frame)) for frame in frames}


def inside(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Leave out the outline, where pixels are mixed or next door."""
    x, y = points[:, 0], points[:, 1]
    return (x > x.min() + 0.1) & (x < x.max() - 0.1) & (y > y.min() + 0.1) & (y < y.max() - 0.1)


def check_point(passes: Passes, points: Any, truth: Any, reach: float = 1.6) -> None:
    """The pixels of world positions show these surface points, to about a pixel."""
    found = passes["paintover_surface"][pixels(points)]
    assert np.all(found[:, 3] == 1), "covered pixels must have alpha 1"
    assert len(found) >= 9
    assert np.abs(found[:, :3] - truth).max() < reach * PIXEL


@BOTH_ENGINES
def test_deformed_and_rigid(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    sheared = grid("sheared", -4.5, 2)
    sheared.shape_key_add(name="Basis")
    key = sheared.shape_key_add(name="sheared")
    for point in key.data:
        point.co.x += 0.3 * point.co.y + 0.2
    animate(key, "value", 0.0, 1.0)
    bent = grid("bent", -1.5, 2)
    bend(bent)
    turned = grid("turned", 1.5, 2)
    turned.scale = (1.2, 0.7, 1)
    animate(turned, "rotation_euler", (0, 0, 0), (0, 0, 0.8))
    mirrored = grid("mirrored", -4, -2)
    for vertex in mirrored.data.vertices:
        vertex.co.x = 0.45 * vertex.co.x + 0.36
    mirrored.modifiers.new("mirror", "MIRROR")
    mirrored.modifiers.new("smooth", "SUBSURF").subdivision_type = "SIMPLE"
    bend(mirrored)
    solid = grid("solid", 1.5, -2)
    for vertex in solid.data.vertices:
        vertex.co.x += 3
    solid.location.x -= 3
    things = {
        thing: vertices(flat_scene, thing, 1) for thing in bpy.data.objects if thing.type == "MESH"
    }
    both = capture(part, flat_scene, tmp_path / "shot")
    identities: dict[str, float] = {}
    for thing, rest_world in things.items():
        centre = np.array(thing.data.texspace_location)
        for frame in (1, 2):
            here = vertices(flat_scene, thing, frame)
            rest = (rest_world - np.array(thing.location)) / np.array(thing.scale) - centre
            chosen = inside(rest_world)
            check_point(both[frame], here[chosen], rest[chosen])
            found = both[frame]["paintover_object"][pixels(here[chosen])]
            assert np.ptp(found) == 0
            assert identities.setdefault(thing.name, float(found[0, 0])) == found[0, 0]
    assert len(set(identities.values())) == len(things)
    background = both[1]["paintover_surface"][:4]
    assert np.all(background == 0)
    assert np.all(both[1]["paintover_object"][:4] == 0)


def test_instances(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    source = grid("source", 50, 50)
    collection = bpy.data.collections.new("hidden")
    for owner in source.users_collection:
        owner.objects.unlink(source)
    collection.objects.link(source)
    source.location = (0, 0, 0)
    for x in (-4.0, -1.5):
        empty: Any = bpy.data.objects.new("instance", None)
        empty.instance_type, empty.instance_collection = "COLLECTION", collection
        flat_scene.collection.objects.link(empty)
        animate(empty, "location", (x, 2, 0), (x + 0.3, 1, 0))
    bpy.ops.mesh.primitive_plane_add(size=2, location=(2.5, 0, 0))
    geometry_nodes(bpy.context.object, source)
    animate(bpy.context.object, "rotation_euler", (0, 0, 0), (0, 0, 0.5))
    rest = np.array([vertex.co for vertex in source.data.vertices])
    both = capture(part, flat_scene, tmp_path / "shot")
    identities = []
    for frame in (1, 2):
        seen = []
        for matrix in instances(flat_scene, "source", frame):
            here = np.array([matrix @ vertex.co for vertex in source.data.vertices])
            chosen = inside(rest)
            check_point(both[frame], here[chosen], rest[chosen], 1.6 / matrix.to_scale().x)
            found = both[frame]["paintover_object"][pixels(here[chosen])]
            assert np.ptp(found) == 0
            seen.append(float(found[0, 0]))
        identities.append(seen)
    assert identities[0] == identities[1]
    assert len(identities[0]) == len(set(identities[0])) == 6


@BOTH_ENGINES
def test_edges_carry_their_share(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    flat_scene.render.film_transparent = True
    flat_scene.cycles.samples = flat_scene.eevee.taa_render_samples = 4
    flat_scene.render.resolution_percentage = 50
    thing = grid("edge", 0, 0)
    thing.rotation_euler.z = 0.4
    passes = capture(part, flat_scene, tmp_path / "shot", (1,))[1]
    surface, alpha = passes["paintover_surface"], passes["Combined"][..., 3]
    edge = (alpha > 0.2) & (alpha < 0.8)
    assert edge.sum() > 30
    assert np.abs(surface[..., 3] - alpha)[edge].max() < 0.05
    whole = surface[edge][:, :3] / surface[edge][:, 3:]
    assert np.all(np.abs(whole).max(-1) < 0.8 + 2 * PIXEL)
    assert np.all(np.abs(whole).max(-1) > 0.8 - 4 * PIXEL)
    identity = passes["paintover_object"][..., 0]
    # An identity is averaged with the empty part of the pixel like the coordinates are.
    whole_identity = identity[edge] / surface[edge][:, 3]
    assert np.abs(whole_identity - identity.max()).max() < 2e-3


@pytest.mark.parametrize("size", [30, 20000])
def test_points_of_large_things_are_told_apart(
    flat_scene: Any, part: Part, tmp_path: Path, size: float
) -> None:
    place = 0.25 * size
    bpy.ops.mesh.primitive_plane_add(size=size, location=(place, 0, 0))
    bpy.context.object.data.materials.append(new_material("ground"))
    passes = capture(part, flat_scene, tmp_path / "shot", (1,))[1]
    columns = (np.arange(WIDTH) + 0.5) * PIXEL - SCALE / 2 - place
    # The mean of four samples lies up to half a pixel beside the middle.
    step = np.diff(passes["paintover_surface"][HEIGHT // 2, :, 0].astype(np.float64))
    assert np.abs(passes["paintover_surface"][..., 0] - columns).max() < PIXEL
    assert step.min() > 0
    numbers = (
        passes["paintover_object"].astype(np.float64) / part("engine.shared.passes").OBJECT_STEP
    )
    assert np.abs(numbers - np.rint(numbers)).max() < 0.01


def without_and_with_capture(
    part: Part, scene: Any, folder: Path
) -> tuple[npt.NDArray[np.float32], Passes]:
    """Combined as Blender renders it by itself, and all passes as captured."""
    bpy.ops.render.render()
    path = folder / "plain.exr"
    with part("capture.frames").image_format(
        scene, "OPEN_EXR_MULTILAYER", color_depth="32", exr_codec="PXR24"
    ):
        bpy.data.images["Render Result"].save_render(str(path), scene=scene)
    return read_passes(path)["Combined"], capture(part, scene, folder / "shot", (1,))[1]


@BOTH_ENGINES
def test_things_without_nodes_look_the_same(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    flat_scene.frame_set(1)
    bare, empty, plain = (
        grid("bare", -4, 0),
        grid("empty", -1, 0),
        grid("plain", 2, 0, bpy.data.materials.new("plain")),
    )
    bare.data.materials.clear()
    empty.data.materials[0] = None
    plain.data.materials[0].diffuse_color = (0.7, 0.2, 0.1, 1)
    plain.data.materials[0].roughness = 0.3
    before, passes = without_and_with_capture(part, flat_scene, tmp_path)
    assert np.array_equal(before, passes["Combined"])
    for thing in (bare, empty, plain):
        points = np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])
        chosen = inside(points)
        rest = points - np.array(thing.location)
        check_point(passes, points[chosen], rest[chosen])


def test_other_kinds_of_things(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    material = new_material("shared")
    bpy.ops.object.text_add(location=(-5, 1, 0))
    text: Any = bpy.context.object
    text.data.body, text.data.size = "HI", 3
    bpy.ops.object.metaball_add(location=(0, 1, 0), radius=1)
    bpy.ops.curve.primitive_bezier_circle_add(location=(4, 1, 0), radius=1)
    bpy.context.object.data.bevel_depth = 0.3
    for thing in bpy.data.objects:
        if thing.type in {"FONT", "META", "CURVE"}:
            thing.data.materials.append(material)
    both = capture(part, flat_scene, tmp_path / "shot")
    for left, right in ((0, 100), (110, 180), (190, 288)):
        surface = both[1]["paintover_surface"][:, left:right]
        covered = surface[..., 3] > 0.99
        assert covered.sum() > 100
        values = surface[covered][:, :2]
        assert len(np.unique(values.round(2), axis=0)) > 0.5 * min(len(values), 200)
        again = both[2]["paintover_surface"][:, left:right]
        assert np.abs(again - surface)[covered & (again[..., 3] > 0.99)].max() < 2 * PIXEL
