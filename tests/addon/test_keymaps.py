# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys for the steps: there to be given, and gone with the add-on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import addon_utils
import bpy
from conftest import MODULE

Part = Callable[[str], Any]


def ours(keys: Any) -> dict[str, str]:
    """Return the add-on's operators in the keymap of windows, and their keys."""
    keymap = keys.keymaps.get("Window")
    items = keymap.keymap_items if keymap else []
    return {item.idname: item.type for item in items if item.idname.startswith("paintover.")}


def test_a_few_steps_can_have_keys_and_take_none(part: Part) -> None:
    keys: Any = bpy.context.window_manager.keyconfigs
    named = part("keymaps").OPERATORS
    assert ours(keys.addon) == dict.fromkeys(named, "NONE")
    assert set(named) <= {cls.bl_idname for cls in part("operators").classes}
    addon_utils.disable(MODULE)
    try:
        assert ours(keys.addon) == {}
    finally:
        addon_utils.enable(MODULE, default_set=True)
    assert ours(keys.addon) == dict.fromkeys(named, "NONE")
