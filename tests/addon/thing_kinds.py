# SPDX-License-Identifier: GPL-3.0-or-later
"""Things of every kind that Blender renders, and settings that change how it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from material_kinds import new_material

Place = tuple[float, float, float]


def coloured(name: str, *colour: float) -> Any:
    material = new_material(name)
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour, 1)
    return material


def cube(place: Place, material: Any | None = None) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=1.3, location=place)
    thing: Any = bpy.context.object
    if material:
        thing.data.materials.append(material)
    return thing


def _modified(thing: Any, kind: str, **values: Any) -> Any:
    """Give an object geometry nodes with one node between input and output."""
    tree: Any = bpy.data.node_groups.new(kind, "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    node = tree.nodes.new(f"GeometryNode{kind}")
    for name, value in values.items():
        node.inputs[name].default_value = value
    if node.inputs[0].type == "GEOMETRY":
        tree.links.new(start.outputs[0], node.inputs[0])
    tree.links.new(node.outputs[0], end.inputs[0])
    thing.modifiers.new(kind, "NODES").node_group = tree
    return thing


def _curve(place: Place) -> None:
    bpy.ops.curve.primitive_bezier_circle_add(location=place, radius=0.6)
    bpy.context.object.data.bevel_depth = 0.2


def _text(place: Place) -> None:
    bpy.ops.object.text_add(location=place)
    bpy.context.object.data.extrude = 0.1


def _particle_hair(place: Place) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add(location=place, radius=0.4)
    system = bpy.context.object.modifiers.new("hair", "PARTICLE_SYSTEM").particle_system
    system.settings.type, system.settings.hair_length, system.settings.count = "HAIR", 0.5, 40


def _hair_curves(place: Place) -> None:
    curves: Any = bpy.data.hair_curves.new("curves")
    curves.add_curves([4] * 20)
    points = np.random.default_rng(0).uniform(-0.7, 0.7, (20, 4, 3)).astype(np.float32)
    curves.attributes["position"].data.foreach_set("vector", points.ravel())
    thing: Any = bpy.data.objects.new("curves", curves)
    thing.location = place
    bpy.context.scene.collection.objects.link(thing)


def _fog(place: Place) -> None:
    material = new_material("fog")
    tree = material.node_tree
    tree.links.clear()
    fog = tree.nodes.new("ShaderNodeVolumePrincipled")
    tree.links.new(fog.outputs[0], tree.nodes["Material Output"].inputs["Volume"])
    _modified(cube(place, material), "MeshToVolume")


def _collection_instance(place: Place) -> None:
    source = cube((0, 0, 0), coloured("source", 0.1, 0.1, 0.9))
    hidden = bpy.data.collections.new("hidden")
    hidden.objects.link(source)
    source.users_collection[0].objects.unlink(source)
    empty: Any = bpy.data.objects.new("instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", hidden
    empty.location = place
    bpy.context.scene.collection.objects.link(empty)


def _face_instances(place: Place) -> None:
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=2, y_subdivisions=2, size=1.4, location=place)
    parent = bpy.context.object
    child = cube(place)
    child.scale, child.parent, parent.instance_type = (0.2, 0.2, 0.2), parent, "FACES"


def _own_slot(place: Place) -> None:
    thing = cube(place, coloured("of the mesh", 0.9, 0.5, 0.1))
    thing.material_slots[0].link = "OBJECT"
    thing.material_slots[0].material = coloured("of the object", 0.1, 0.8, 0.8)


def _own_empty_slot(place: Place) -> None:
    thing = cube(place, coloured("falls back", 0.9, 0.1, 0.8))
    thing.material_slots[0].link = "OBJECT"
    thing.material_slots[0].material = None


def _no_faces(place: Place) -> None:
    mesh: Any = bpy.data.meshes.new("edge")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0)], [(0, 1)], [])
    for data in (mesh, bpy.data.meshes.new("nothing")):
        thing: Any = bpy.data.objects.new(data.name, data)
        thing.location = place
        bpy.context.scene.collection.objects.link(thing)


def _displaced(place: Place) -> None:
    material = coloured("displaced", 0.7, 0.7, 0.2)
    material.displacement_method = "BOTH"
    nodes, link = material.node_tree.nodes, material.node_tree.links.new
    noise, displace, bump = (
        nodes.new(f"ShaderNode{kind}") for kind in ("TexNoise", "Displacement", "Bump")
    )
    for node in (displace, bump):
        link(noise.outputs[0], node.inputs["Height"])
    link(displace.outputs[0], nodes["Material Output"].inputs["Displacement"])
    link(bump.outputs[0], nodes["Principled BSDF"].inputs["Normal"])
    cube(place, material).modifiers.new("finer", "SUBSURF").render_levels = 4


def _in_a_collection(setting: str, place: Place) -> None:
    collection = bpy.data.collections.new(setting)
    scene = bpy.context.scene
    scene.collection.children.link(collection)
    thing = cube(place, coloured(setting, 0.5, 0.5, 0.5))
    scene.collection.objects.unlink(thing)
    collection.objects.link(thing)
    setattr(bpy.context.view_layer.layer_collection.children[setting], setting, True)


def _with(name: str, value: bool) -> Callable[[Place], None]:
    return lambda place: setattr(cube(place, coloured(name, 0.6, 0.2, 0.6)), name, value)


def _lit_alone(place: Place) -> None:
    receivers = bpy.data.collections.new("receivers")
    receivers.objects.link(cube(place, coloured("lit alone", 0.9, 0.9, 0.9)))
    bpy.ops.object.light_add(type="POINT", location=(place[0], place[1], 3))
    bpy.context.object.light_linking.receiver_collection = receivers


THINGS: tuple[Callable[[Place], Any], ...] = (
    _curve,
    _text,
    lambda place: bpy.ops.object.metaball_add(location=place, radius=0.8),
    _particle_hair,
    _hair_curves,
    lambda place: _modified(cube(place), "MeshToPoints", Radius=0.3),
    _fog,
    _collection_instance,
    _face_instances,
    lambda place: _modified(cube(place), "MeshCube"),
    lambda place: _modified(cube(place), "SetMaterial", Material=coloured("set", 0.1, 0.2, 0.9)),
    _own_slot,
    _own_empty_slot,
    _no_faces,
    _displaced,
    lambda place: _in_a_collection("holdout", place),
    lambda place: _in_a_collection("indirect_only", place),
    _with("is_holdout", True),
    _with("is_shadow_catcher", True),
    _with("visible_camera", False),
    _with("visible_shadow", False),
    _lit_alone,
)
"""Functions that add a thing at a place."""


def _view(scene: Any) -> None:
    view = scene.view_settings
    view.view_transform, view.look, view.exposure, view.gamma = "AgX", "AgX - Punchy", 0.7, 1.2
    view.use_curve_mapping = view.use_white_balance = True
    view.curve_mapping.curves[3].points.new(0.3, 0.6)
    view.white_balance_temperature = 4000


def _blur(scene: Any) -> None:
    lens = scene.camera.data
    lens.type, lens.dof.use_dof = "PERSP", True
    lens.dof.focus_distance, lens.dof.aperture_fstop = 3, 0.3


def _override(scene: Any) -> None:
    scene.view_layers[0].material_override = coloured("override", 0.1, 0.9, 0.9)


def _background_set(scene: Any) -> None:
    other: Any = bpy.data.scenes.new("set")
    thing: Any = bpy.data.objects.new("of the set", bpy.data.objects["Cube"].data.copy())
    thing.location = (1, 1, 1)
    other.collection.objects.link(thing)
    scene.background_set = other


def _lines(scene: Any) -> None:
    layer = scene.view_layers[0]
    scene.render.use_freestyle = layer.use_freestyle = True
    lines = layer.freestyle_settings.linesets
    lineset = lines[0] if lines else lines.new("lines")
    lineset.linestyle = bpy.data.linestyles.new("blue")
    lineset.linestyle.color = (0, 0, 1)


def _empty_world(scene: Any) -> None:
    scene.world = bpy.data.worlds.new("empty")
    if bpy.app.version < (5, 0, 0):
        scene.world.use_nodes = True
    scene.world.node_tree.nodes.clear()


def _transparent(scene: Any) -> None:
    scene.render.film_transparent = True
    bpy.data.objects.remove(bpy.data.objects["Plane"])


def _simplified(scene: Any) -> None:
    bpy.data.objects["Cube"].modifiers.new("finer", "SUBSURF").render_levels = 3
    scene.render.use_simplify, scene.render.simplify_subdivision_render = True, 1


def _cycles(**values: Any) -> Callable[[Any], None]:
    return lambda scene: [setattr(scene.cycles, *item) for item in values.items()] and None


def _render(**values: Any) -> Callable[[Any], None]:
    return lambda scene: [setattr(scene.render, *item) for item in values.items()] and None


SETTINGS: dict[str, Callable[[Any], None]] = {
    "view": _view,
    "depth of field": _blur,
    "denoiser": _cycles(use_denoising=True),
    "adaptive sampling": _cycles(samples=64, use_adaptive_sampling=True, adaptive_threshold=0.2),
    "animated seed": _cycles(use_animated_seed=True),
    "transparent film": _transparent,
    "persistent data": _render(use_persistent_data=True),
    "pixel aspect": _render(pixel_aspect_x=2.0),
    "override": _override,
    "background set": _background_set,
    "empty world": _empty_world,
    "simplify": _simplified,
    "lines": _lines,
}
"""Name → function that changes a scene with a cube."""
