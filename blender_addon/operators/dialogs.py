# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators ask before they run: a file or a folder, or their own options in a dialog."""

from __future__ import annotations

from typing import Any

import bpy

from ..jobs import Status


def ask_for_path(operator: bpy.types.Operator, context: bpy.types.Context) -> Status:
    """Open the file browser, which fills ``filepath`` or ``directory`` and runs ``execute``."""
    manager: Any = context.window_manager
    manager.fileselect_add(operator)
    return {"RUNNING_MODAL"}


def ask(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    *,
    title: str,
    button: str,
    width: int = 300,
) -> Status:
    """Open a dialog with what the operator draws; its button runs ``execute``.

    Args:
        operator: has ``draw``.
        context: Blender's context.
        title: title of the dialog.
        button: text of the button.
        width: of the dialog in pixels, before the interface is scaled.
    """
    manager: Any = context.window_manager
    opened: Status = manager.invoke_props_dialog(
        operator, width=width, title=title, confirm_text=button
    )
    return opened


class AsksForPath:
    """Mixin of operators that are about a file or a folder, and ask for it first."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        operator: Any = self
        return ask_for_path(operator, context)
