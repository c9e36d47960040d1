# SPDX-License-Identifier: GPL-3.0-or-later
"""Which surface point a pixel shows: two AOVs, written by a node in every material for a while.

``paintover_surface`` is Blender's *Generated* texture coordinate, made from the mesh before
armatures and shape keys, times the size of the object's texture space. ``paintover_object`` is
Blender's random number of the object, another one for each instance, in steps that a float of
24 bits holds exactly.

Everything added has a name of ours and says itself what it replaced, so it can be taken away
without knowing who added it: after an exception, an undo, or a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from .. import versions
from ..engine.shared import passes

SIZE = "paintover_size"
_NAME = "paintover_capture"
_STANDS_FOR = "paintover_stands_for"
_APPENDED = "paintover_appended"
_FACES = "paintover_material_indices"
_LARGEST = 32.0
"""Floats of 24 bits round the coordinates of an object so large by up to an eighth of a
millimetre."""
_TYPES = frozenset({"MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD"})


def add(engine: str) -> None:
    """Have all materials of the file write the two AOVs, and give one to what has none.

    All of them, because an object may come into the picture through instances, geometry nodes
    and particles. The look stays the same.

    Args:
        engine: the render engine, which decides how a missing material looks.
    """
    remove()
    group = _node_group()
    stand_ins = _StandIns(engine)
    for data, objects in _data_with_objects():
        _fill_slots(data, objects, stand_ins)
    for material in bpy.data.materials:
        if versions.has_shader_nodes(material) and not material.is_grease_pencil:
            tree: Any = material.node_tree
            active = tree.nodes.active
            node = tree.nodes.new("ShaderNodeGroup")
            node.name, node.node_tree, node.select = _NAME, group, False
            tree.nodes.active = active


def is_added() -> bool:
    """Tell whether the materials write the two AOVs now."""
    return _NAME in bpy.data.node_groups


def fits_24_bits() -> bool:
    """Tell whether floats of 24 bits tell the points of all objects apart."""
    users = [objects for _, objects in _data_with_objects()]
    return all(max(thing.dimensions) <= _LARGEST for objects in users for thing in objects)


def remove() -> None:
    """Take away everything that ``add`` added, whoever called it."""
    for data, objects in _data_with_objects():
        _empty_slots(data, objects)
    for material in list(bpy.data.materials):
        if material.name.startswith(_NAME):
            bpy.data.materials.remove(material)
        elif material.node_tree is not None:
            _remove_nodes(material.node_tree)
    for group in list(bpy.data.node_groups):
        if group.name.startswith(_NAME):
            bpy.data.node_groups.remove(group)
    things: Any = bpy.data.objects
    for thing in things:
        if SIZE in thing:
            del thing[SIZE]


def _remove_nodes(tree: Any) -> None:
    for node in [node for node in tree.nodes if node.name.startswith(_NAME)]:
        tree.nodes.remove(node)


def _node_group() -> Any:
    group: Any = bpy.data.node_groups.new(_NAME, "ShaderNodeTree")
    nodes, link = group.nodes, group.links.new
    coordinates = nodes.new("ShaderNodeTexCoord")
    centred = nodes.new("ShaderNodeVectorMath")
    centred.operation = "SUBTRACT"
    centred.inputs[1].default_value = (0.5, 0.5, 0.5)
    size = nodes.new("ShaderNodeAttribute")
    size.attribute_type, size.attribute_name = "OBJECT", SIZE
    scaled = nodes.new("ShaderNodeVectorMath")
    scaled.operation = "MULTIPLY"
    link(coordinates.outputs["Generated"], centred.inputs[0])
    link(centred.outputs[0], scaled.inputs[0])
    link(size.outputs["Vector"], scaled.inputs[1])
    surface = nodes.new("ShaderNodeOutputAOV")
    surface.aov_name = passes.SURFACE_AOV
    link(scaled.outputs[0], surface.inputs["Color"])
    info = nodes.new("ShaderNodeObjectInfo")
    nearest = nodes.new("ShaderNodeMath")
    nearest.operation = "ADD"
    nearest.inputs[1].default_value = passes.OBJECT_STEP / 2
    number = nodes.new("ShaderNodeMath")
    number.operation = "SNAP"
    number.inputs[1].default_value = passes.OBJECT_STEP
    identity = nodes.new("ShaderNodeOutputAOV")
    identity.aov_name = passes.OBJECT_AOV
    link(info.outputs["Random"], nearest.inputs[0])
    link(nearest.outputs[0], number.inputs[0])
    link(number.outputs[0], identity.inputs["Value"])
    return group


class _StandIns:
    """Materials with nodes that look like a material without nodes, or like none at all."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._made: dict[tuple[str, bool], Any] = {}

    def instead_of(self, material: bpy.types.Material | None, *, appended: bool = False) -> Any:
        key = (material.name_full if material else "", appended)
        if key not in self._made:
            made: Any = material.copy() if material else bpy.data.materials.new(_NAME)
            made.name = _NAME
            versions.use_shader_nodes(made)
            tree = made.node_tree
            tree.nodes.clear()
            kind, values = versions.plain_shader(self._engine, material)
            shader = tree.nodes.new(kind)
            for name, value in values.items():
                shader.inputs[name].default_value = value
            output = tree.nodes.new("ShaderNodeOutputMaterial")
            tree.links.new(shader.outputs[0], output.inputs["Surface"])
            if material:
                made[_STANDS_FOR] = material
            if appended:
                made[_APPENDED] = True
            self._made[key] = made
        return self._made[key]


def _data_with_objects() -> Iterator[tuple[Any, list[Any]]]:
    """Yield each data-block that can show a surface, with the objects that use it."""
    users: dict[int, tuple[Any, list[Any]]] = {}
    for thing in bpy.data.objects:
        if thing.type in _TYPES and thing.data is not None:
            data: Any = thing.data
            users.setdefault(data.session_uid, (data, []))[1].append(thing)
    yield from users.values()


def _needs_stand_in(material: bpy.types.Material | None) -> bool:
    return material is None or not (
        versions.has_shader_nodes(material) or material.is_grease_pencil
    )


def _fill_slots(data: Any, objects: list[Any], stand_ins: _StandIns) -> None:
    size = [2 * length for length in getattr(data, "texspace_size", (0.5, 0.5, 0.5))]
    for thing in objects:
        thing[SIZE] = size
        for slot in thing.material_slots:
            if slot.link == "OBJECT" and _needs_stand_in(slot.material):
                slot.material = stand_ins.instead_of(slot.material)
    for index, material in enumerate(data.materials):
        if _needs_stand_in(material):
            data.materials[index] = stand_ins.instead_of(material)
    if not data.materials:
        # Blender sets the faces' material to 0 when the last slot goes.
        if "material_index" in getattr(data, "attributes", ()) and not data.is_editmode:
            indices = [0] * len(data.polygons)
            data.polygons.foreach_get("material_index", indices)
            data[_FACES] = indices
        data.materials.append(stand_ins.instead_of(None, appended=True))


def _empty_slots(data: Any, objects: list[Any]) -> None:
    for thing in objects:
        for slot in thing.material_slots:
            if slot.link == "OBJECT" and _is_stand_in(slot.material):
                slot.material = slot.material.get(_STANDS_FOR)
    for index, material in enumerate(data.materials):
        if _is_stand_in(material) and _APPENDED not in material:
            data.materials[index] = material.get(_STANDS_FOR)
    if len(data.materials) == 1 and _is_stand_in(data.materials[0]):
        data.materials.clear()
    if _FACES in data:
        data.polygons.foreach_set("material_index", list(data[_FACES]))
        del data[_FACES]


def _is_stand_in(material: bpy.types.Material | None) -> bool:
    return material is not None and material.name.startswith(_NAME)
