# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the example."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import example_files, messages
from ..engine.shared.errors import PaintoverError
from ..jobs import Status
from ..ui.text import draw_wrapped
from . import polls


class PAINTOVER_OT_example_open(polls.PolledOperator):
    bl_idname = "paintover.example_open"
    bl_label = "Open Example"
    bl_description = (
        "Open a small shot that comes with Paintover: a fox, with one frame painted. Blender asks "
        "before unsaved changes are lost"
    )
    bl_options = {"REGISTER"}

    anew: BoolProperty(
        name="Start Anew",
        description="Put the example that you have worked on aside, and open it as it was at first",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if not example_files.blend().is_file():
            return self.execute(context)
        manager: Any = context.window_manager
        return manager.invoke_props_dialog(  # type: ignore[no-any-return]
            self, width=360, title="Open Example", confirm_text="Open"
        )

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        text = "It opens as you saved it last."
        draw_wrapped(layout, text, "INFO", context)
        layout.prop(self, "anew", text="Start Anew, and Keep That One Beside It")

    def execute(self, context: bpy.types.Context) -> Status:
        try:
            path = example_files.copy(anew=self.anew)
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        example_files.open_blend(path)
        return {"FINISHED"}
