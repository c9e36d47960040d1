# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys for a few steps, without a key until the user gives them one in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

KEYMAP = "Window"
OPERATORS = (
    "paintover.keyframe_add",
    "paintover.train",
    "paintover.stylize",
    "paintover.run",
    "paintover.live",
)
"""In the order of the preferences; no key is taken from Blender or from other add-ons."""

_items: list[tuple[Any, Any]] = []


def draw(layout: Any, context: Any) -> None:
    """Draw a row for each key, to change or to clear it."""
    keys: Any = context.window_manager.keyconfigs.user
    keymap = keys.keymaps.get(KEYMAP) if keys else None
    if keymap is None:
        return
    column = layout.column()
    column.label(text="Keys")
    found = {item.idname: item for item in keymap.keymap_items}
    for operator in OPERATORS:
        if operator in found:  # the user may have removed it
            row = column.row()
            row.label(text=found[operator].name)
            row.prop(found[operator], "type", text="", full_event=True)


def register() -> None:
    manager: Any = bpy.context.window_manager
    keys = manager.keyconfigs.addon
    if keys is None:  # as in some programs that have no window
        return
    keymap = keys.keymaps.new(name=KEYMAP, space_type="EMPTY", region_type="WINDOW")
    for operator in OPERATORS:
        _items.append((keymap, keymap.keymap_items.new(operator, "NONE", "PRESS")))


def unregister() -> None:
    for keymap, item in _items:
        keymap.keymap_items.remove(item)
    _items.clear()
