# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks on what Paintover made in the compositor, so that removing takes away that alone.

They are custom properties, so they are saved in the .blend and follow undo, renaming and copies.
"""

from __future__ import annotations

from typing import Any

GROUP = "paintover"
"""On a node group: it is Paintover's, with its frames and view as JSON."""
LINKS = "paintover_links"
"""On Paintover's node: where in the tree's list of links those lay that it replaced."""
MADE = "paintover_made"
"""On a node or a tree: Paintover made it."""
OUTPUT = "paintover_output"
"""On an output node: settings that hid the picture, as JSON."""
SOCKET = "paintover_socket"
"""On a tree: identifier of the output that Paintover added to its interface."""
WINDOW = "paintover_window"
"""On an image of Blender that shows renders: Paintover took the view transform off it."""


def is_ours(node: Any) -> bool:
    """Return whether a node holds Paintover's node group."""
    group = getattr(node, "node_tree", None)
    return group is not None and GROUP in group


def is_made(node: Any) -> bool:
    """Return whether Paintover added this node beside its own one."""
    return MADE in node
