# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: the frames that are painted by hand."""

from __future__ import annotations

import os
from typing import Any

import bpy

from ..engine.shared.keyframes.versions import Version
from ..engine.shared.shot import Shot
from . import assistant_part, keyframe_list, step_rows, thumbnails, watcher
from .spaces import Panel, in_spaces
from .text import draw_detail, draw_wrapped, filled

_MOST_VERSIONS = 8


class _Keyframes(Panel):
    bl_label = "Keyframes"

    def draw_header_preset(self, context: Any) -> None:
        step_rows.draw_sign(self.layout, "keyframe")

    def draw(self, context: Any) -> None:
        layout = self.layout
        snapshot = watcher.current()[0]
        step_rows.draw_step(layout, "keyframe", "paintover.keyframe_add", "BRUSH_DATA", context)
        if snapshot.unused:
            draw_wrapped(layout, f"{snapshot.unused}.", "INFO", context)
        if snapshot.shot is not None:
            _draw_use(layout, context, snapshot.shot)
        buttons = keyframe_list.draw(layout, context)
        buttons.operator("paintover.keyframe_add", text="", icon="ADD")
        chosen = keyframe_list.chosen(context)
        removal = buttons.column(align=True)
        removal.enabled = chosen is not None
        remove = removal.operator("paintover.keyframe_remove", text="", icon="REMOVE")
        if chosen is not None:
            remove.frame = chosen
        buttons.operator("paintover.keyframe_from_file", text="", icon="FILE_FOLDER")
        buttons.menu("PAINTOVER_MT_keyframe", text="", icon="DOWNARROW_HLT")
        keyframe_list.draw_chosen(layout, context)


class _Next(Panel):
    """What the paintings show of the shot, and which frame to paint next."""

    bl_label = "What to Paint Next"

    @classmethod
    def poll(cls, context: Any) -> bool:
        return super().poll(context) and watcher.current()[0].is_whole

    def draw(self, context: Any) -> None:
        assistant_part.draw(self.layout, context)


def _draw_use(layout: Any, context: Any, shot: Shot) -> None:
    """Offer the picture in the Image Editor, such as one that was dropped there, as a painting."""
    space = context.space_data
    image = space.image if space.type == "IMAGE_EDITOR" else None
    if image is None or image.source != "FILE" or not image.filepath:
        return
    path = os.path.normpath(bpy.path.abspath(image.filepath, library=image.library))
    fits = tuple(image.size) == (shot.manifest.width, shot.manifest.height)
    if fits and not path.startswith(f"{shot.folder}{os.sep}"):
        use = layout.operator("paintover.keyframe_drop", text="Use Picture as Keyframe")
        use.filepath = path


class _Versions(Panel):
    bl_label = "Earlier Paintings"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        return super().poll(context) and bool(_versions(context))

    def draw(self, context: Any) -> None:
        versions, shot = _versions(context), watcher.current()[0].shot
        size = shot.manifest.size if shot else (0, 0)
        column = self.layout.column()
        for version in versions[:_MOST_VERSIONS]:
            row = column.row()
            keyframe_list.draw_thumbnail(row, thumbnails.version_icon(version.path, size), 2)
            lines = row.column(align=True)
            lines.label(text=f"{version.date:%d %b %Y}", translate=False)
            lines.label(text=f"{version.date:%H:%M:%S}", translate=False)
            buttons = row.row(align=True)
            for operator, icon in (("look", "HIDE_OFF"), ("take_back", "LOOP_BACK")):
                button = buttons.operator(f"paintover.keyframe_{operator}", text="", icon=icon)
                button.frame = keyframe_list.chosen(context)
                button.version = version.path.name
        more = len(versions) - _MOST_VERSIONS
        if more > 0:
            text = filled("{count} older ones are in keys/versions of the shot folder.", count=more)
            draw_detail(self.layout, text, context)


def _versions(context: Any) -> tuple[Version, ...]:
    chosen = keyframe_list.chosen(context)
    return () if chosen is None else watcher.current()[0].versions.get(chosen, ())


classes = (
    *in_spaces(_Keyframes, "keyframes"),
    *in_spaces(_Next, "next", parent="keyframes"),
    *in_spaces(_Versions, "versions", parent="keyframes"),
)
