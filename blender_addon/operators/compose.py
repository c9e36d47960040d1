# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose: put the stylized frames into the compositor, or take them out again."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import steps, watcher
from ..compositor import group as compositor
from ..engine.shared.errors import PaintoverError
from ..jobs import Status
from . import polls

_ASKED = (
    "So that rendered files show the stylized frames unchanged, the output's",
    "color management is set to Standard, and dithering is turned off.",
    "The scene's view transform stays; Blender's own windows put the",
    "result through it once more. Removing the node undoes all of this.",
)


class PAINTOVER_OT_compose(polls.PolledOperator):
    bl_idname = "paintover.compose"
    bl_label = "Send to Compositor"
    bl_description = (
        "Add the node Paintover before the compositor's output, or bring it up to date. "
        "Turns dithering off and, unless the scene's view is Standard, sets the output's color "
        "management to Standard. Removing the node gives the settings back"
    )
    bl_options = {"REGISTER", "UNDO"}

    remove: BoolProperty(
        name="Remove",
        description="Take the node out and give the output settings back",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        scene: Any = context.scene
        asked = compositor.node(scene) is None and compositor.needs_override(scene)
        if self.remove or bpy.app.background or not asked:
            return self.execute(context)
        manager: Any = context.window_manager
        return manager.invoke_props_dialog(  # type: ignore[no-any-return]
            self, width=440, title=self.bl_label, confirm_text=self.bl_label
        )

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        column = layout.column(align=True)
        for line in _ASKED:
            column.label(text=line)

    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = context.scene
        try:
            sentence = self._remove(scene) if self.remove else steps.compose(scene)
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, sentence)
        watcher.refresh()
        return {"FINISHED"}

    def _remove(self, scene: bpy.types.Scene) -> str:
        if compositor.remove(scene):
            return "The node is removed and the output settings are as they were"
        return "There is no Paintover node in the compositor"
