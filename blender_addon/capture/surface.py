# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface coordinates as two AOVs, written by a node that the capture adds to every material.

``paintover_surface`` is Blender's *Generated* texture coordinate, computed from the mesh before
armatures and shape keys, times the size of the object's texture space. ``paintover_object`` is
Blender's random number of the object, which differs between instances, rounded to steps that a
24-bit float represents exactly.

Cycles treats a material with AOVs but without a surface as see-through, and without AOVs as black.
So such a material gets none. Where the last node alone does not tell whether there is a surface,
that shader is led through our node, which adds one that reflects nothing: Cycles never leaves that
away, unlike an emission of 0. That would hide a volume, so a material with one gets no AOVs then.

All additions have names that start with ``paintover_`` and store what they replaced. So they can
be removed in any state: after an exception, an undo or a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from .. import saved_state, versions
from ..engine.shared import passes

SIZE = "paintover_size"
_NAME = "paintover_capture"
_STANDS_FOR = "paintover_stands_for"
_APPENDED = "paintover_appended"
_FACES = "paintover_material_indices"
_LARGEST = 32.0
"""Size of an object, in scene units, up to which 24-bit floats suffice: they round its
coordinates by at most 1/8 millimetre (for units of a metre)."""
_TYPES = frozenset({"MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD"})


def add(engine: str) -> None:
    """Let all materials write the two AOVs, and add a material to objects without one.

    This includes objects outside the scene, because instances, geometry nodes and particles can
    show them. The look stays the same.

    Args:
        engine: the render engine, which determines how an object without a material looks.
    """
    remove()
    group = _node_group()
    stand_ins = _StandIns(engine)
    for data, objects in _data_with_objects():
        _fill_slots(data, objects, stand_ins)
    for material in bpy.data.materials:
        if versions.has_shader_nodes(material) and not material.is_grease_pencil:
            _add_node(material.node_tree, group, engine)


def is_added() -> bool:
    """Return whether the materials write the two AOVs now."""
    return _NAME in bpy.data.node_groups


def fits_24_bits() -> bool:
    """Return whether 24-bit floats suffice for the surface coordinates of all objects."""
    users = [objects for _, objects in _data_with_objects()]
    return all(max(obj.dimensions) <= _LARGEST for objects in users for obj in objects)


def remove() -> None:
    """Remove everything that ``add`` added."""
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
    all_objects: Any = bpy.data.objects
    for obj in all_objects:
        if SIZE in obj:
            del obj[SIZE]


def _add_node(tree: Any, group: Any, engine: str) -> None:
    surface = None
    if engine == "CYCLES":
        output = tree.get_output_node("CYCLES")
        surface, volume = (_link_to(output, name) for name in ("Surface", "Volume"))
        if surface is None or (volume and not _is_surface(surface.from_node)):
            return
    active = tree.nodes.active
    node = tree.nodes.new("ShaderNodeGroup")
    node.name, node.node_tree, node.select = _NAME, group, False
    tree.nodes.active = active
    if surface and not _is_surface(surface.from_node):
        shader, target = surface.from_socket, surface.to_socket
        tree.links.new(shader, node.inputs[0])
        tree.links.new(node.outputs[0], target)


def _link_to(output: Any | None, name: str) -> Any | None:
    links = output.inputs[name].links if output else ()
    return next((link for link in links if link.is_valid and not link.is_muted), None)


def _is_surface(node: Any) -> bool:
    """Return whether Cycles always keeps a node as a surface."""
    return not node.mute and node.bl_idname.startswith("ShaderNodeBsdf")


def _remove_nodes(tree: Any) -> None:
    for node in [node for node in tree.nodes if node.name.startswith(_NAME)]:
        shaders = [link.from_socket for socket in node.inputs for link in socket.links]
        surfaces = [link.to_socket for socket in node.outputs for link in socket.links]
        tree.nodes.remove(node)
        for shader in shaders:
            for surface in surfaces:
                tree.links.new(shader, surface)


def _node_group() -> Any:
    group: Any = bpy.data.node_groups.new(_NAME, "ShaderNodeTree")
    nodes, link = group.nodes, group.links.new
    for in_out in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Shader", in_out=in_out, socket_type="NodeSocketShader")
    nothing = nodes.new("ShaderNodeBsdfDiffuse")
    nothing.inputs["Color"].default_value = (0, 0, 0, 1)
    both = nodes.new("ShaderNodeAddShader")
    link(nodes.new("NodeGroupInput").outputs[0], both.inputs[0])
    link(nothing.outputs[0], both.inputs[1])
    link(both.outputs[0], nodes.new("NodeGroupOutput").inputs[0])
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
    """Materials with nodes that look like a material without nodes, or like no material."""

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
    """Yield each data-block with a surface, and the objects that use it."""
    users: dict[int, tuple[Any, list[Any]]] = {}
    for obj in bpy.data.objects:
        if obj.type in _TYPES and obj.data is not None:
            data: Any = obj.data
            users.setdefault(data.session_uid, (data, []))[1].append(obj)
    yield from users.values()


def _needs_stand_in(material: bpy.types.Material | None) -> bool:
    return material is None or not (
        versions.has_shader_nodes(material) or material.is_grease_pencil
    )


def _fill_slots(data: Any, objects: list[Any], stand_ins: _StandIns) -> None:
    size = [2 * length for length in getattr(data, "texspace_size", (0.5, 0.5, 0.5))]
    for obj in objects:
        obj[SIZE] = size
        for slot in obj.material_slots:
            # Where an object's own slot is empty, Blender shows the material of its data.
            if slot.link == "OBJECT" and slot.material and _needs_stand_in(slot.material):
                slot.material = stand_ins.instead_of(slot.material)
    for index, material in enumerate(data.materials):
        if _needs_stand_in(material):
            data.materials[index] = stand_ins.instead_of(material)
    if not data.materials:
        # Blender resets the faces' material index when the last slot is removed.
        if "material_index" in getattr(data, "attributes", ()) and not data.is_editmode:
            indices = [0] * len(data.polygons)
            data.polygons.foreach_get("material_index", indices)
            data[_FACES] = indices
        data.materials.append(stand_ins.instead_of(None, appended=True))


def _empty_slots(data: Any, objects: list[Any]) -> None:
    for obj in objects:
        for slot in obj.material_slots:
            if slot.link == "OBJECT" and _is_stand_in(slot.material):
                slot.material = _replaced(slot.material)
    for index, material in enumerate(data.materials):
        if _is_stand_in(material) and _APPENDED not in material:
            data.materials[index] = _replaced(material)
    if len(data.materials) == 1 and _is_stand_in(data.materials[0]):
        data.materials.clear()
    if _FACES in data:
        with saved_state.put_back():
            data.polygons.foreach_set("material_index", list(data[_FACES]))
        del data[_FACES]


def _replaced(stand_in: Any) -> bpy.types.Material | None:
    found = stand_in.get(_STANDS_FOR)
    return found if isinstance(found, bpy.types.Material) else None


def _is_stand_in(material: bpy.types.Material | None) -> bool:
    return material is not None and material.name.startswith(_NAME)
