# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose: sends the stylized frames to the compositor, or removes them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import compositor, steps
from ..engine.shared.files import as_text
from ..jobs import Status
from ..ui import watcher
from . import dialogs, polls
from .reports import reports_errors

_EXPLANATION = (
    "To write the stylized frames to rendered files unchanged, the output's",
    "color management is set to Standard, and dithering is turned off.",
    "Windows with the render show the same colors as the files. The scene's",
    "view transform stays. Removing the node restores the settings.",
)


class PAINTOVER_OT_compose(polls.PolledOperator):
    bl_idname = "paintover.compose"
    bl_label = "Send to Compositor"
    bl_description = (
        "Add the node Paintover before the compositor's output, or update it. Turns dithering off "
        "and, unless the scene's view is Standard, sets the output's color management to Standard. "
        "Removing the node restores the settings"
    )
    bl_options = {"REGISTER", "UNDO"}

    remove: BoolProperty(
        name="Remove",
        description="Remove the node and restore the output settings",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_frames_to_compose(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        scene: Any = context.scene
        ask = compositor.node(scene) is None and compositor.needs_override(scene)
        if self.remove or bpy.app.background or not ask or not steps.stylized_frames(scene):
            return self.execute(context)
        return dialogs.ask(self, context, title=self.bl_label, button=self.bl_label, width=440)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        column = layout.column(align=True)
        for line in _EXPLANATION:
            column.label(text=line)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = context.scene
        sentence = self._remove(scene) if self.remove else steps.compose(scene)
        self.report({"INFO"}, as_text(sentence))
        watcher.refresh()
        return {"FINISHED"}

    def _remove(self, scene: bpy.types.Scene) -> str:
        if compositor.remove(scene):
            return "The node is removed and the output settings are restored"
        return "There is no Paintover node in the compositor"
