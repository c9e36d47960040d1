# SPDX-License-Identifier: GPL-3.0-or-later
"""Output: the stylized frames, and the compositor's node that shows them."""

from __future__ import annotations

from typing import Any

from .. import compositor, flamenco, properties
from ..engine.shared.frame_lists import name_frames
from ..engine.shared.freshness import Step
from . import step_rows, watcher
from .spaces import Panel, align_settings, in_spaces
from .text import filled


class _Output(Panel):
    bl_label = "Output"

    def draw_header_preset(self, context: Any) -> None:
        step_rows.draw_sign(self.layout, "stylize", "compose")

    def draw(self, context: Any) -> None:
        layout = self.layout
        snapshot = watcher.current()[0]
        step_rows.draw_step(layout, "stylize", "paintover.stylize", "RENDERLAYERS", context)
        if snapshot.steps["stylize"].step is not Step.NOTHING:
            _draw_result(layout)
        if snapshot.unsteady:
            _draw_unsteady(layout, snapshot.unsteady)
        if snapshot.steps["train"].step is not Step.NOTHING:
            _draw_light(layout, context.scene, snapshot.uses_paint)
        step_rows.draw_step(layout, "compose", "paintover.compose", "NODE_COMPOSITING", context)
        _draw_node(layout, context.scene)


def _draw_result(layout: Any) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator("paintover.result_play", icon="PLAY")
    row.operator("paintover.result_camera", text="", icon="OUTLINER_OB_CAMERA")
    row.operator("paintover.result_folder", text="", icon="FILE_FOLDER")
    column.operator("paintover.keyframe_repaint", icon="BRUSH_DATA")


def _draw_unsteady(layout: Any, frames: tuple[int, ...]) -> None:
    row = layout.row(align=True)
    text = filled("Unsteady: {frames}", frames=name_frames(frames))
    row.label(text=text, icon="INFO", translate=False)
    row.operator("paintover.go_to_unsteady", text="", icon="VIEWZOOM")


def _draw_light(layout: Any, scene: Any, is_active: bool) -> None:
    """Draw the slider Light with the names of its ends below."""
    column = layout.column(align=True)
    column.active = is_active
    column.prop(properties.of(scene), "light", slider=True)
    ends = column.row()
    ends.active = False
    ends.label(text="Stick to Surface")
    follow = ends.row()
    follow.alignment = "RIGHT"
    follow.label(text="Follow Light")


def _draw_node(layout: Any, scene: Any) -> None:
    node = compositor.node(scene)
    if node is not None:
        row = layout.row(align=True)
        row.prop(node.inputs["Opacity"], "default_value", text="Opacity", slider=True)
        row.operator("paintover.compose", text="", icon="X").remove = True
        if "Compare" in node.inputs:
            layout.prop(node.inputs["Compare"], "default_value", text="Compare", slider=True)
    elif properties.of(scene).before_compose:
        restore = layout.operator("paintover.compose", text="Restore Output Settings", icon="X")
        restore.remove = True


class _Files(Panel):
    """How the stylized frames are written, and the farm that can do it."""

    bl_label = "Files"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout = self.layout
        align_settings(layout)
        settings = properties.of(context.scene)
        layout.prop(settings, "format")
        if settings.format == "png":
            layout.row().prop(settings, "depth", expand=True)
        layout.prop(settings, "unpainted")
        farm = layout.column(align=True)
        farm.operator("paintover.farm_export", icon="NETWORK_DRIVE")
        if flamenco.add_on_is_there():
            farm.operator("paintover.farm_flamenco", icon="COMMUNITY")


classes = (*in_spaces(_Output, "output"), *in_spaces(_Files, "files", parent="output"))
