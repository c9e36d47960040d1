# SPDX-License-Identifier: GPL-3.0-or-later
"""Materials of odd kinds, made by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy


def new_material(name: str) -> Any:
    """A material with a Principled BSDF and an output."""
    material: Any = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material


def odd_material(kind: str, other_engine: str) -> Any:
    """A material of one of ``KINDS``.

    Args:
        kind: its name.
        other_engine: target of an output that is not for the engine that renders.
    """
    material = new_material(kind)
    tree = material.node_tree
    output = tree.nodes["Material Output"]
    if kind in {"other engine", "each engine"}:
        output.target = other_engine
        if kind == "each engine":
            here = "EEVEE" if other_engine == "CYCLES" else "CYCLES"
            tree.nodes.new("ShaderNodeOutputMaterial").target = here
    else:
        KINDS[kind](tree, output)
    return material


def _shader(name: str, **values: Any) -> Callable[[Any, Any], None]:
    def link_alone(tree: Any, output: Any) -> None:
        node = tree.nodes.new(f"ShaderNode{name}")
        for key, value in values.items():
            node.inputs[key].default_value = value
        tree.links.new(node.outputs[0], output.inputs["Surface"])

    return link_alone


def _half(name: str) -> Callable[[Any, Any], None]:
    """A node for two shaders that has one."""

    def link_with_one(tree: Any, output: Any) -> None:
        node = tree.nodes.new(f"ShaderNode{name}")
        socket = next(socket for socket in node.inputs if socket.type == "SHADER")
        tree.links.new(tree.nodes["Principled BSDF"].outputs[0], socket)
        tree.links.new(node.outputs[0], output.inputs["Surface"])

    return link_with_one


def _alone(name: str, socket: str, **values: Any) -> Callable[[Any, Any], None]:
    """A node at one input of the output, and nothing else."""

    def link_only(tree: Any, output: Any) -> None:
        tree.links.clear()
        node = tree.nodes.new(name)
        for key, value in values.items():
            node.inputs[key].default_value = value
        tree.links.new(node.outputs[0], output.inputs[socket])

    return link_only


def _group(surface: bool, volume: bool) -> Callable[[Any, Any], None]:
    """A group that has sockets for both, with something in it or not."""

    def link_group(tree: Any, output: Any) -> None:
        group: Any = bpy.data.node_groups.new("odd", "ShaderNodeTree")
        for name in ("Surface", "Volume"):
            group.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketShader")
        end = group.nodes.new("NodeGroupOutput")
        node = tree.nodes.new("ShaderNodeGroup")
        node.node_tree = group
        tree.links.new(node.outputs[0], output.inputs["Surface"])
        if surface:
            group.links.new(group.nodes.new("ShaderNodeBsdfDiffuse").outputs[0], end.inputs[0])
        if volume:
            group.links.new(group.nodes.new("ShaderNodeVolumeScatter").outputs[0], end.inputs[1])
            tree.links.new(node.outputs[1], output.inputs["Volume"])

    return link_group


KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda _tree, _output: None,
    "nothing linked": lambda tree, _output: tree.links.clear(),
    "only volume": _alone("ShaderNodeVolumePrincipled", "Volume", Density=0.3),
    "emission of 0": _shader("Emission", Strength=0.0),
    "empty group": _group(surface=False, volume=False),
    "group with surface": _group(surface=True, volume=False),
    "group with volume": _group(surface=False, volume=True),
    "other engine": _half(""),
    "no output": lambda tree, _output: tree.nodes.clear(),
    "only displacement": _alone("ShaderNodeDisplacement", "Displacement"),
    "only a reroute": _alone("NodeReroute", "Surface"),
    "muted link": lambda tree, _output: setattr(tree.links[0], "is_muted", True),
    "muted": lambda tree, _output: setattr(tree.nodes["Principled BSDF"], "mute", True),
    "each engine": _half(""),
    "emission": _shader("Emission"),
    "empty mix": _shader("MixShader"),
    "empty sum": _shader("AddShader"),
    "half a mix": _half("MixShader"),
    "half a sum": _half("AddShader"),
    "transparent": _shader("BsdfTransparent"),
    "holdout": _shader("Holdout"),
    "glass": _shader("BsdfGlass"),
    "toon": _shader("BsdfToon"),
    "hair": _shader("BsdfHair"),
    "subsurface": _shader("SubsurfaceScattering"),
    "background": _shader("Background"),
    "volume as surface": _shader("VolumeScatter"),
    "portal": _shader("BsdfRayPortal"),
    "only for EEVEE": _shader("EeveeSpecular"),
    "translucent": _shader("BsdfTranslucent"),
}
"""Name → function that changes the nodes of a new material."""
