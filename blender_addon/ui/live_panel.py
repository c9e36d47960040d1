# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel of the live session, and its state in the headers."""

from __future__ import annotations

from typing import Any

import bpy

from .. import picture_editors
from ..engine.shared import live_protocol as messages
from ..live import control, settings, timings
from ..live.session import STARTING
from .spaces import Panel, align_settings, in_spaces
from .text import draw_wrapped, filled, translated

_ICONS = {
    STARTING: "SORTTIME",
    messages.CARRYING: "BRUSH_DATA",
    messages.LEARNING: "RECORD_ON",
    messages.WAITING: "CHECKMARK",
    messages.PAUSED: "PAUSE",
}


class _Live(Panel):
    bl_label = "Live"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = self.layout
        session = control.session()
        row = layout.row(align=True)
        row.operator(
            "paintover.live",
            text="Live" if session is None else "Turn Live Off",
            icon="RADIOBUT_OFF" if session is None else "RADIOBUT_ON",
            depress=session is not None,
        )
        if session is None:
            ended = control.why_ended()
            draw_wrapped(layout, ended or "Off", "ERROR" if ended else "BLANK1", context)
            _draw_settings(layout, is_on=False)
            return
        own = settings.of_session()
        if own.paused:
            row.prop(own, "paused", text="Go On", icon="PLAY", toggle=True)
        else:
            row.prop(own, "paused", text="", icon="PAUSE")
        draw_wrapped(layout, session.describe(), _ICONS[session.mode], context)
        if session.warning:
            draw_wrapped(layout, session.warning, "INFO", context)
        for path in session.keyframe_files.conflicts:
            box = layout.box()
            text = filled(
                "{file} was saved by another program while you painted on it.", file=path.name
            )
            draw_wrapped(box, text, "ERROR", context)
            for use, name in (("STROKES", "Keep My Strokes"), ("FILE", "Use the File")):
                choice = box.operator("paintover.live_conflict", text=name)
                choice.path, choice.use = str(path), use
        _draw_display(layout, context, own)
        row = layout.row(align=True)
        playing = context.screen.is_animation_playing
        row.operator(
            "screen.animation_play",
            text="Stop" if playing else "Play",
            icon="PAUSE" if playing else "PLAY",
        )
        row.operator("paintover.live_finish", icon="CHECKMARK")
        _draw_settings(layout, is_on=True)


def _draw_display(layout: Any, context: Any, own: Any) -> None:
    if context.space_data.type == "IMAGE_EDITOR":
        if not picture_editors.LIVE.is_shown_in(context.space_data):
            layout.operator("paintover.live_show", icon="IMAGE_DATA")
        return
    row = layout.row(align=True)
    row.prop(own, "overlay", text="", icon="OVERLAY")
    opacity = row.row(align=True)
    opacity.active = own.overlay
    opacity.prop(settings.preferences(), "opacity", slider=True)
    layout.prop(own, "viewport", icon="VIEW3D", toggle=True)


def _draw_settings(layout: Any, *, is_on: bool) -> None:
    chosen = settings.preferences()
    column = layout.column()
    align_settings(column)
    column.prop(chosen, "share", slider=True)
    column.prop(chosen, "low_priority")
    if not is_on:
        column.prop(chosen, "picture_size")
        column.prop(chosen, "view_scale", slider=True)
    column.prop(chosen, "view_rate")
    column.prop(chosen, "view_shading")


@timings.measured("draw header")
def _draw_state(self: Any, context: Any) -> None:
    if not hasattr(context.scene, "paintover"):
        return
    session = control.session()
    row = self.layout.row(align=True)
    row.operator(
        "paintover.live",
        text=filled("Live: {state}", state=_short(translated(control.describe()))),
        icon=_ICONS[session.mode] if session else "RADIOBUT_OFF",
        depress=session is not None,
    )


def _short(text: str) -> str:
    return text if len(text) <= 32 else text[:31].rstrip() + "…"


_menus = ("VIEW3D_MT_editor_menus", "IMAGE_MT_editor_menus")
"""Where the headers have their menus: what stands after them is seen in narrow editors too."""
classes = in_spaces(_Live, "live", spaces=("VIEW_3D", "IMAGE_EDITOR"))


def register() -> None:
    for name in _menus:
        getattr(bpy.types, name).append(_draw_state)


def unregister() -> None:
    for name in _menus:
        getattr(bpy.types, name).remove(_draw_state)
