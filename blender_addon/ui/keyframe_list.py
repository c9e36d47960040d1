# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of keyframes: picture, frame, state, mask and weight of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..keyframes import weights as keyframe_weights
from . import thumbnails, watcher
from .text import filled, translated


def chosen(context: Any) -> int | None:
    """Return the frame of the keyframe that is chosen in the list, or None."""
    session = context.window_manager.paintover
    index = session.keyframe_index
    return session.keyframes[index].frame if index < len(session.keyframes) else None


def draw(layout: Any, context: Any) -> Any:
    """Draw the list; return the column for the buttons beside it."""
    session = context.window_manager.paintover
    row = layout.row()
    row.template_list(
        "PAINTOVER_UL_keyframes", "", session, "keyframes", session, "keyframe_index", rows=3
    )
    return row.column(align=True)


def draw_thumbnail(layout: Any, icon: int, lines: float) -> None:
    """Draw a thumbnail as high as some lines of text, or its place as long as there is none."""
    picture = layout.row()
    picture.alignment = "LEFT"
    if icon:
        picture.template_icon(icon_value=icon, scale=lines)
    else:
        picture.scale_y = lines
        picture.label(text="", icon="IMAGE_DATA")


def _thumbnail(item: Any) -> int:
    """Return the icon of a row's painting; 0 as long as there is none."""
    return thumbnails.icon(Path(item.picture)) if item.picture else 0


def draw_chosen(layout: Any, context: Any) -> None:
    """Draw the chosen keyframe larger, with its buttons and its weight."""
    session = context.window_manager.paintover
    frame = chosen(context)
    if frame is None:
        return
    item = session.keyframes[session.keyframe_index]
    row = layout.row()
    draw_thumbnail(row, _thumbnail(item), 4)
    column = row.column(align=True)
    text = filled("Frame {frame}", frame=frame)
    jump = column.operator("paintover.keyframe_jump", text=text, icon="TIME")
    jump.frame = frame
    column.label(text=item.state, icon=item.icon)
    paint = column.row(align=True)
    paint.operator("paintover.keyframe_open", icon="BRUSH_DATA").frame = frame
    paint.operator("paintover.keyframe_open_in", text="", icon="WINDOW").frame = frame
    mask = column.row(align=True)
    text = "Paint Mask" if item.is_masked else "Add Mask"
    mask.operator("paintover.mask_paint", text=text, icon="MOD_MASK").frame = frame
    if item.is_masked:
        mask.operator("paintover.mask_remove", text="", icon="X").frame = frame
    settings = keyframe_weights.row(context.scene, frame)
    if settings is not None and (len(session.keyframes) > 1 or settings.weight != 1):
        weight = layout.row()
        weight.active = watcher.current()[0].uses_paint
        weight.use_property_split = True
        weight.prop(settings, "weight", slider=True)


class PAINTOVER_UL_keyframes(bpy.types.UIList):
    # Blender checks the number of arguments, so the unused ones cannot be *arguments.
    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None,
        flt_flag: int | None,
    ) -> None:
        row = layout.row(align=True)
        thumbnail = _thumbnail(item)
        if thumbnail:
            row.label(text="", icon_value=thumbnail)
        else:
            row.label(text="", icon="IMAGE_DATA")
        text = f"{item.frame}  {translated(item.state)}"
        row.label(text=text, icon=item.icon, translate=False)
        if item.is_masked:
            row.label(text="", icon="MOD_MASK")
        settings = keyframe_weights.row(context.scene, item.frame)
        if settings is not None and settings.weight != 1:
            weight = row.row(align=True)
            weight.alignment = "RIGHT"
            weight.prop(settings, "weight", text="", emboss=False)
        paint = row.operator("paintover.keyframe_open", text="", icon="BRUSH_DATA", emboss=False)
        paint.frame = item.frame


class PAINTOVER_MT_keyframe(bpy.types.Menu):
    bl_label = "Keyframe"
    bl_description = "More to do with the chosen keyframe"

    def draw(self, context: Any) -> None:
        frame = chosen(context)
        layout: Any = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        if frame is None:
            layout.label(text="Choose a keyframe in the list first")
            return
        layout.operator("paintover.keyframe_jump", icon="TIME").frame = frame
        layout.operator("paintover.keyframe_open_in", icon="WINDOW").frame = frame
        layout.separator()
        layout.operator("paintover.keyframe_duplicate", icon="DUPLICATE").frame = frame
        layout.operator("paintover.keyframe_move", icon="ARROW_LEFTRIGHT").frame = frame
        layout.separator()
        layout.operator("paintover.keyframe_remove", icon="REMOVE").frame = frame


classes = (PAINTOVER_UL_keyframes, PAINTOVER_MT_keyframe)
