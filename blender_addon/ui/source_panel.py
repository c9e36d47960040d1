# SPDX-License-Identifier: GPL-3.0-or-later
"""Source: what is painted over, the captured scene or pictures, and where the shot lies."""

from __future__ import annotations

from typing import Any

from .. import mattes, properties, shot_folders
from . import step_rows, watcher
from .spaces import Panel, align_settings, in_spaces
from .text import draw_wrapped


class _Source(Panel):
    bl_label = "Source"

    def draw_header_preset(self, context: Any) -> None:
        step_rows.draw_sign(self.layout, "capture")

    def draw(self, context: Any) -> None:
        row = step_rows.draw_step(
            self.layout, "capture", "paintover.capture", "RENDER_ANIMATION", context
        )
        row.operator("paintover.capture_pictures", text="", icon="FILE_FOLDER")


class _Shot(Panel):
    """Which frames are captured, and where to."""

    bl_label = "Shot"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = self.layout
        align_settings(layout)
        settings = properties.of(context.scene)
        layout.prop(settings, "folder", placeholder=shot_folders.default_folder(context.scene))
        if len(context.scene.view_layers) > 1 or settings.view_layer:
            layout.prop_search(settings, "view_layer", context.scene, "view_layers")
        column = layout.column(heading="Frames")
        column.prop(settings, "use_custom_range")
        if settings.use_custom_range:
            column = layout.column(align=True)
            column.prop(settings, "frame_start")
            column.prop(settings, "frame_end")


class _Matte(Panel):
    """What of the picture is painted."""

    bl_label = "Matte"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = self.layout
        align_settings(layout)
        settings = properties.of(context.scene)
        matte = settings.matte
        layout.prop(matte, "source")
        if matte.source == mattes.OBJECTS:
            row = layout.row()
            row.template_list(
                "PAINTOVER_UL_matte_objects", "", matte, "objects", matte, "active", rows=2
            )
            buttons = row.column(align=True)
            buttons.operator("paintover.matte_add", text="", icon="ADD")
            buttons.operator("paintover.matte_remove", text="", icon="REMOVE")
        elif matte.source == mattes.COLLECTION:
            layout.prop(matte, "collection")
        shot = watcher.current()[0].shot
        used = shot.manifest.matte if shot else ""
        if shot and shot.manifest.source.get("kind") == "pictures" and matte.source != mattes.WHOLE:
            text = "The frames of this shot are pictures; their mattes are files too."
            draw_wrapped(layout, text, "INFO", context)
        elif used and not mattes.is_captured(used) and matte.source == mattes.WHOLE:
            draw_wrapped(layout, "The shot has mattes from files.", "INFO", context)
        if used or matte.source != mattes.WHOLE:
            layout.prop(settings, "unpainted", text="Outside")


classes = (
    *in_spaces(_Source, "source"),
    *in_spaces(_Shot, "shot", parent="source"),
    *in_spaces(_Matte, "matte", parent="source"),
)
