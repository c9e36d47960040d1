# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a compositor tree and a scene's settings hold, as plain data to compare."""

from __future__ import annotations

from typing import Any

import bpy

_PLAIN = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
# Blender works these out again when it needs them.
_IGNORED = {"dimensions", "curve_mapping", "users", "inferred_structure_type"}


def settings(owner: Any, depth: int = 3) -> dict[str, Any]:
    """Return the plain properties of a Blender struct and of the structs in it."""
    found: dict[str, Any] = {}
    for item in owner.bl_rna.properties:
        name = item.identifier
        if name == "rna_type" or name in _IGNORED:
            continue
        value = getattr(owner, name)
        if item.type in _PLAIN:
            is_list = hasattr(value, "__len__") and not isinstance(value, str)
            found[name] = sorted(value) if isinstance(value, set) else value
            if is_list and not isinstance(value, set):
                found[name] = [float(part) for part in _flat(value)]
        elif item.type == "POINTER" and value is not None:
            if isinstance(value, bpy.types.ID):
                found[name] = value.name_full
            elif depth and not isinstance(value, (bpy.types.Node, bpy.types.NodeTree)):
                found[name] = settings(value, depth - 1)
    return found


def _flat(value: Any) -> list[Any]:
    parts: list[Any] = []
    for part in value:
        parts += _flat(part) if hasattr(part, "__len__") else [part]
    return parts


def tree(tree: Any) -> dict[str, Any]:
    """Return the nodes, links, interface and custom properties of a tree, in their order."""
    nodes = []
    for node in tree.nodes:
        nodes.append(
            {
                "settings": settings(node),
                "parent": node.parent.name if node.parent else "",
                "custom": sorted(node.keys()),
                "inputs": [settings(socket, 0) for socket in node.inputs],
                "outputs": [settings(socket, 0) for socket in node.outputs],
            }
        )
    links = [
        (
            link.from_node.name,
            link.from_socket.identifier,
            link.to_node.name,
            link.to_socket.identifier,
            link.is_muted,
            link.is_valid,
        )
        for link in tree.links
    ]
    return {
        "name": tree.name_full,
        "custom": sorted(tree.keys()),
        "nodes": nodes,
        "active": tree.nodes.active.name if tree.nodes.active else "",
        "links": links,
        "interface": [settings(item, 0) for item in tree.interface.items_tree],
    }


def scene(scene: Any) -> dict[str, Any]:
    """Return a scene's render settings and its compositor, and the numbers of data-blocks."""
    is_5 = bpy.app.version >= (5, 0, 0)
    compositor = scene.compositing_node_group if is_5 else scene.node_tree
    return {
        "render": settings(scene.render),
        "view": [settings(scene.view_settings), settings(scene.display_settings)],
        "uses nodes": is_5 or scene.use_nodes,
        "layers": [(layer.name, layer.use) for layer in scene.view_layers],
        "compositor": tree(compositor) if compositor else None,
        "paintover": scene.paintover.before_compose,
        "trees": sorted((group.name_full, group.users) for group in bpy.data.node_groups),
        "images": sorted(
            image.name_full for image in bpy.data.images if image.type != "RENDER_RESULT"
        ),
    }


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Return where two dumps differ, with both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = sorted(before.keys() | after.keys())
        parts = [(name, before.get(name), after.get(name)) for name in names]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        parts = [(str(n), a, b) for n, (a, b) in enumerate(zip(before, after, strict=True))]
    else:
        return [] if before == after else [f"{path}: {before} became {after}"]
    return [line for name, a, b in parts for line in differences(a, b, f"{path}/{name}")]


def differences_after_render(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return where dumps of a scene differ, but for the output settings that a test's render sets.

    These are taken out of both dumps.
    """
    for dump in (before, after):
        for name in ("image_settings", "filepath"):
            del dump["render"][name]
    return differences(before, after)
