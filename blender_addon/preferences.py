# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the engine's Python."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import PointerProperty, StringProperty

from .engine.shared.errors import PaintoverError
from .engine_process import environment as engine_python
from .live import settings as live


class PAINTOVER_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__ or ""

    engine_python: StringProperty(
        name="Engine Python",
        description="Python 3.11 or later with PyTorch and the other packages of the engine. "
        "Leave empty to use the one that the add-on installs",
        subtype="FILE_PATH",
    )
    live: PointerProperty(type=live.PAINTOVER_PG_live_preferences)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.use_property_split = True
        layout.prop(self, "engine_python")
        draw_engine(layout)


def draw_engine(layout: Any) -> None:
    """Draw the Python that runs the engine, and the buttons to install or remove it."""
    try:
        python = engine_python.find()
        layout.label(text=f"Engine Python: {python.origin}", icon="CHECKMARK")
    except PaintoverError:
        layout.label(text="The engine is not set up yet", icon="ERROR")
    if engine_python.is_installed():
        layout.operator("paintover.engine_remove", icon="TRASH")
    else:
        row = layout.row(align=True)
        row.operator("paintover.engine_install", icon="IMPORT")
        row.operator("paintover.engine_install_offline", text="", icon="FILE_FOLDER")
        if not bpy.app.online_access:
            lines = layout.column(align=True)
            lines.label(text="Online access is off,", icon="INFO")
            lines.label(text="see Preferences > System", icon="BLANK1")


def register() -> None:
    bpy.utils.register_class(PAINTOVER_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(PAINTOVER_preferences)
