# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositor trees at random, from the kinds of nodes and links that users have."""

from __future__ import annotations

import random
from typing import Any

import bpy
from compositor_kinds import IS_5, OUTPUT, empty_tree

_NODES = (
    *("CompositorNodeRLayers", "CompositorNodeBlur", "CompositorNodeGlare", "NodeReroute"),
    *("CompositorNodeAlphaOver", "CompositorNodeViewer", "CompositorNodeRGB", "ShaderNodeMath"),
    *("CompositorNodeSetAlpha", "CompositorNodePremulKey", "NodeFrame", "CompositorNodeGroup"),
    *("ShaderNodeMix", "CompositorNodeSwitch", "CompositorNodeHueSat", OUTPUT, OUTPUT),
)
_OUTPUTS = ("Image", "Mask", "Speed", "Color")


def random_tree(scene: Any, seed: int) -> None:
    """Give a scene a tree that is the same for the same seed, mostly with a picture."""
    dice = random.Random(seed)
    tree = empty_tree(scene, *(dice.choice(_OUTPUTS) for _ in range(dice.randint(0, 3))))
    for _ in range(dice.randint(1, 14)):
        _add_node(tree, dice)
    for _ in range(dice.randint(0, 20)):
        _add_link(tree, dice)
    layers = [node for node in tree.nodes if node.type == "R_LAYERS"]
    outputs = [node for node in tree.nodes if node.bl_idname == OUTPUT]
    for output in outputs:
        pictures = [socket for socket in output.inputs if socket.type == "RGBA"]
        if layers and pictures and dice.random() < 0.6:
            tree.links.new(dice.choice(layers).outputs["Image"], pictures[0])
    if outputs and IS_5:
        dice.choice(outputs).is_active_output = True
    elif outputs:
        tree.nodes.active = dice.choice(outputs)
    if IS_5 and dice.random() < 0.2:
        other: Any = bpy.data.scenes.new("Other")
        other.compositing_node_group = tree


def _add_node(tree: Any, dice: random.Random) -> None:
    node = tree.nodes.new(dice.choice(_NODES))
    node.location = (dice.uniform(-500, 500), dice.uniform(-500, 500))
    node.select = dice.random() < 0.5
    if node.type == "GROUP":
        node.node_tree = _group()
    elif node.bl_idname == "ShaderNodeMix":
        node.data_type = "RGBA"
    node.mute = node.type != "FRAME" and dice.random() < 0.15
    frames = [frame for frame in tree.nodes if frame.type == "FRAME"]
    if frames and node.type != "FRAME" and dice.random() < 0.3:
        node.parent = dice.choice(frames)


def _group() -> Any:
    group: Any = bpy.data.node_groups.new("Group", "CompositorNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        group.interface.new_socket("Image", in_out=direction, socket_type="NodeSocketColor")
    inputs, output = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    group.links.new(inputs.outputs[0], output.inputs[0])
    return group


def _add_link(tree: Any, dice: random.Random) -> None:
    """Add a link that closes no circle."""
    first, second = dice.choice(list(tree.nodes)), dice.choice(list(tree.nodes))
    outputs = [socket for socket in first.outputs if socket.enabled]
    inputs = [s for s in second.inputs if s.enabled and s.bl_idname != "NodeSocketVirtual"]
    if outputs and inputs and second not in _upstream(first):
        link = tree.links.new(dice.choice(outputs), dice.choice(inputs))
        link.is_muted = dice.random() < 0.1


def _upstream(node: Any) -> list[Any]:
    found = [node]
    for other in found:
        sources = [link.from_node for socket in other.inputs for link in socket.links]
        found += [source for source in sources if source not in found]
    return found
