# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the example."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import example_files
from ..jobs import Status
from ..ui.text import draw_wrapped
from . import dialogs, polls
from .reports import reports_errors


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
        return dialogs.ask(self, context, title="Open Example", button="Open", width=360)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        text = "It opens as you saved it last."
        draw_wrapped(layout, text, "INFO", context)
        layout.prop(self, "anew", text="Start Anew, and Keep That One Beside It")

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        path = example_files.copy(anew=self.anew)
        example_files.open_blend(path)
        return {"FINISHED"}
