# SPDX-License-Identifier: GPL-3.0-or-later
"""The editors whose sidebars show the panels: the 3D viewport, the Image Editor, the compositor."""

from __future__ import annotations

from typing import Any

import bpy

SPACES = {"VIEW_3D": "view", "IMAGE_EDITOR": "image", "NODE_EDITOR": "node"}
"""Editors → their names in the identifiers of panels."""
MAIN = "main"


class Panel:
    """Base of the panels in the category Paintover, which ``in_spaces`` makes real panels."""

    bl_category = "Paintover"
    bl_region_type = "UI"
    layout: Any

    @classmethod
    def poll(cls, context: Any) -> bool:
        space = context.space_data
        return bool(space.type != "NODE_EDITOR" or space.tree_type == "CompositorNodeTree")


def align_settings(layout: Any) -> None:
    """Draw the settings that follow with their names at the left and their values at the right."""
    layout.use_property_split = True
    layout.use_property_decorate = False


def in_spaces(
    base: type, name: str, *, parent: str = MAIN, spaces: tuple[str, ...] = tuple(SPACES)
) -> tuple[type, ...]:
    """Return a panel class for each editor.

    Args:
        base: subclass of ``Panel``.
        name: last part of the identifiers, which are ``PAINTOVER_PT_view_NAME`` and so on.
        parent: name of the panel that it is a part of; "" for none.
        spaces: the editors, of ``SPACES``.
    """
    return tuple(_panel(base, name, parent, space) for space in spaces)


def _panel(base: type, name: str, parent: str, space: str) -> type:
    prefix = f"PAINTOVER_PT_{SPACES[space]}"
    attributes: dict[str, Any] = {"bl_idname": f"{prefix}_{name}", "bl_space_type": space}
    if parent:
        attributes["bl_parent_id"] = f"{prefix}_{parent}"
    return type(f"{prefix}_{name}", (base, bpy.types.Panel), attributes)
