# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: the frames that are painted by hand."""

from __future__ import annotations

from typing import Any

from ..keyframes import weights as keyframe_weights
from . import assistant_part, step_rows, watcher
from .spaces import Panel, in_spaces
from .text import draw_wrapped


class _Keyframes(Panel):
    bl_label = "Keyframes"

    def draw_header_preset(self, context: Any) -> None:
        step_rows.draw_sign(self.layout, "keyframe")

    def draw(self, context: Any) -> None:
        layout = self.layout
        step_rows.draw_step(layout, "keyframe", "paintover.keyframe_add", "BRUSH_DATA", context)
        unused = watcher.current()[0].unused
        if unused:
            draw_wrapped(layout, f"{unused}.", "INFO", context)
        session = context.window_manager.paintover
        row = layout.row()
        row.template_list(
            "PAINTOVER_UL_keyframes", "", session, "keyframes", session, "keyframe_index", rows=3
        )
        buttons = row.column(align=True)
        buttons.operator("paintover.keyframe_add", text="", icon="ADD")
        index = session.keyframe_index
        chosen = session.keyframes[index].frame if index < len(session.keyframes) else None
        removal = buttons.column(align=True)
        removal.enabled = chosen is not None
        remove = removal.operator("paintover.keyframe_remove", text="", icon="REMOVE")
        if chosen is not None:
            remove.frame = chosen
        buttons.operator("paintover.keyframe_from_file", text="", icon="FILE_FOLDER")
        if chosen is not None:
            layout.operator("paintover.keyframe_open", icon="BRUSH_DATA").frame = chosen
            settings = keyframe_weights.row(context.scene, chosen)
            if settings is not None:
                weight = layout.row()
                weight.active = watcher.current()[0].uses_paint
                weight.use_property_split = True
                weight.prop(settings, "weight", slider=True)
        assistant_part.draw(layout, context)


classes = in_spaces(_Keyframes, "keyframes")
