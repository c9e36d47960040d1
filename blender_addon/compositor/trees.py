# SPDX-License-Identifier: GPL-3.0-or-later
"""The compositor tree of a scene, and which of its sockets Blender renders.

Blender 4.5 renders the active node Composite, and does not tell which one that is. Later versions
render the first output of the tree, if it is a color, at the active Group Output.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy

from .. import saved_state, versions
from . import marks, sequences

Base = Callable[[Any], Any]
"""Adds a node to a tree for the picture below the stylized frames; returns its output socket."""


def is_shared(tree: Any) -> bool:
    """Return whether anything but one scene uses a tree, or whether it lies in another file."""
    users = tree.users - int(tree.use_fake_user)
    return bool(versions.HAS_COMPOSITOR_GROUPS and (users > 1 or not tree.is_editable))


def own_tree(scene: Any, base: Base) -> Any:
    """Return a tree that only this scene uses, so that changing it changes no other scene.

    A scene without a tree gets one that shows the base. A tree that other scenes use, or that lies
    in another file, becomes a node in a new tree, or is copied if it has Paintover's node.

    Args:
        scene: gets the tree.
        base: adds the picture of a tree that has none.
    """
    versions.use_compositor_nodes(scene)
    tree = versions.compositor_tree(scene)
    if tree is not None and not is_shared(tree):
        return tree
    if tree is not None and any(map(marks.is_ours, tree.nodes)):
        own = tree.copy()
    else:
        groups: Any = bpy.data.node_groups
        own = groups.new(f"{scene.name} Compositing", "CompositorNodeTree")
        own[marks.MADE] = True
        own.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        output = _add(own, versions.COMPOSITOR_OUTPUT, (680, 0))
        picture = _wrap(own, tree) if tree is not None else None
        own.links.new(picture or base(own), output.inputs[0])
    versions.set_compositor_tree(scene, own)
    return own


def _wrap(own: Any, tree: Any) -> Any | None:
    """Add a tree as a node; return its output that is a picture, or None."""
    group = _add(own, "CompositorNodeGroup", (300, 200))
    group.node_tree = tree
    # Blender renders only the scenes that Render Layers nodes outside of groups show.
    for node in all_nodes(tree):
        scenes = {other.scene for other in own.nodes if other.type == "R_LAYERS"}
        if node.type == "R_LAYERS" and node.scene and node.scene not in scenes:
            add_layers(own, node.scene, node.layer)
    return next((socket for socket in group.outputs if socket.type == "RGBA"), None)


def all_nodes(tree: Any) -> list[Any]:
    """Return the nodes of a tree and of the groups in it, those of each group once."""
    waiting, seen = [tree], {tree.as_pointer()}
    found: list[Any] = []
    while waiting:
        nodes = list(waiting.pop(0).nodes)
        found += nodes
        for node in nodes:
            inner = node.node_tree if node.type == "GROUP" else None
            if inner is not None and inner.as_pointer() not in seen:
                seen.add(inner.as_pointer())
                waiting.append(inner)
    return found


def add_layers(tree: Any, scene: Any, layer: str) -> Any:
    """Add the node Render Layers; return its picture."""
    node = _add(tree, "CompositorNodeRLayers", (0, 0))
    node.scene = scene
    node.layer = layer
    return node.outputs["Image"]


def show_sequence(tree: Any, image: Any, sequence: sequences.Sequence) -> Any:
    """Show an image sequence in the node that was added for it, or add that; return its picture."""
    node = sequence_node(tree) or _add(tree, "CompositorNodeImage", (0, 0))
    node.image = image
    sequences.play(node, sequence)
    return node.outputs["Image"]


def sequence_node(tree: Any) -> Any | None:
    """Return the node that ``show_sequence`` added, or None."""
    return next((node for node in tree.nodes if marks.is_made(node) and node.type == "IMAGE"), None)


def _add(tree: Any, kind: str, location: tuple[float, float]) -> Any:
    node = tree.nodes.new(kind)
    node[marks.MADE] = True
    node.location = location
    node.select = False
    return node


def outputs(tree: Any) -> list[Any]:
    """Return the input sockets of the outputs that Blender may render; none if it renders none."""
    nodes = [node for node in tree.nodes if node.bl_idname == versions.COMPOSITOR_OUTPUT]
    if not versions.HAS_COMPOSITOR_GROUPS:
        return [node.inputs["Image"] for node in nodes]
    sockets = _interface(tree)
    if not sockets or sockets[0].socket_type != "NodeSocketColor":
        return []
    return [
        socket
        for node in nodes
        if node.is_active_output
        for socket in node.inputs
        if socket.identifier == sockets[0].identifier
    ]


def make_output(tree: Any) -> list[Any]:
    """Return ``outputs``; first add what the tree lacks to have one, and let it show all."""
    if not outputs(tree):
        picture = _user_picture(tree)
        if versions.HAS_COMPOSITOR_GROUPS:
            sockets = _interface(tree)
            if not sockets or sockets[0].socket_type != "NodeSocketColor":
                added = tree.interface.new_socket(
                    "Image", in_out="OUTPUT", socket_type="NodeSocketColor"
                )
                tree.interface.move(added, 0)
                tree[marks.SOCKET] = added.identifier
        if not outputs(tree):
            right = max((node.location.x for node in tree.nodes), default=0.0)
            _add(tree, versions.COMPOSITOR_OUTPUT, (right + 600, 0))
        if picture is not None:
            tree.links.new(picture, outputs(tree)[0])
    found = outputs(tree)
    for socket in found:
        before = versions.show_output(socket.node)
        if before:
            socket.node[marks.OUTPUT] = json.dumps(before)
    return found


def _user_picture(tree: Any) -> Any | None:
    """Return what is linked to the first picture of the tree's output, though it isn't rendered."""
    for node in tree.nodes:
        if node.bl_idname == versions.COMPOSITOR_OUTPUT and getattr(node, "is_active_output", True):
            for socket in node.inputs:
                if socket.type == "RGBA" and socket.links:
                    return socket.links[0].from_socket
    return None


def clean_up(scene: Any, tree: Any) -> None:
    """Take away what ``own_tree``, ``add_layers`` and ``make_output`` added, unless it is used."""
    for node in tree.nodes:
        if marks.OUTPUT in node:
            before = saved_state.read(node[marks.OUTPUT], dict[str, bool]) or {}
            for name in before.keys() & {"mute", "use_alpha"}:
                with saved_state.put_back():
                    setattr(node, name, before[name])
            del node[marks.OUTPUT]
    added = sequence_node(tree)
    image = added.image if added else None
    if marks.MADE in tree:
        if all(map(marks.is_made, tree.nodes)):
            _drop(scene, tree)
        elif marks.SOCKET in tree:
            del tree[marks.SOCKET]  # the output stays with the user's work
    else:
        _remove_added(tree)
    if image is not None and image.users == 0:
        bpy.data.images.remove(image)


def _remove_added(tree: Any) -> None:
    used = {link.from_node.name for link in tree.links if not marks.is_made(link.to_node)}
    used |= {link.to_node.name for link in tree.links if not marks.is_made(link.from_node)}
    for node in [node for node in tree.nodes if marks.is_made(node) and node.name not in used]:
        tree.nodes.remove(node)
    if marks.SOCKET in tree:
        _remove_added_output(tree)


def _drop(scene: Any, tree: Any) -> None:
    """Give the scene the tree that it had before ``own_tree``, or none."""
    original = next((node.node_tree for node in tree.nodes if node.type == "GROUP"), None)
    versions.set_compositor_tree(scene, original)
    if tree.users == 0:
        bpy.data.node_groups.remove(tree)


def _remove_added_output(tree: Any) -> None:
    """Remove the output that was added to the interface, unless it shows what no other shows."""
    identifier = tree[marks.SOCKET]
    outputs = [node for node in tree.nodes if node.bl_idname == versions.COMPOSITOR_OUTPUT]
    for node in outputs:
        added = [socket for socket in node.inputs if socket.identifier == identifier]
        others = [socket for socket in node.inputs if socket.identifier != identifier]
        sources = [link.from_socket for socket in others for link in socket.links]
        for link in [link for socket in added for link in socket.links]:
            if link.from_socket in sources:
                tree.links.remove(link)
    used = [s for node in outputs for s in node.inputs if s.identifier == identifier and s.links]
    for item in [item for item in _interface(tree) if item.identifier == identifier]:
        if not used:
            tree.interface.remove(item)
    del tree[marks.SOCKET]


def _interface(tree: Any) -> list[Any]:
    """Return the outputs in the tree's interface, in their order."""
    return [
        item
        for item in tree.interface.items_tree
        if item.item_type == "SOCKET" and item.in_out == "OUTPUT"
    ]
