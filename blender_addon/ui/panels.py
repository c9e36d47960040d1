# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels in the sidebars of the 3D viewport, the Image Editor and the compositor."""

from __future__ import annotations

from typing import Any

import bpy

from .. import compositor, flamenco, jobs, mattes, properties, shot_folders, states
from ..engine.shared.frame_lists import name_frames
from ..engine.shared.freshness import Step, StepState
from ..engine_process import environment as engine_python
from ..engine_process import live_picture
from ..keyframes import weights as keyframe_weights
from . import engine_panel, watcher
from .text import draw_detail, draw_wrapped

_STEP_ICONS = {
    Step.NOTHING: "RADIOBUT_OFF",
    Step.UP_TO_DATE: "CHECKMARK",
    Step.OUT_OF_DATE: "FILE_REFRESH",
}
_CHOICES = {"KEEP": "Go On with This Shot", "COPY": "Copy Shot", "NEW": "New Shot"}
_SPACES = {"VIEW_3D": "view", "IMAGE_EDITOR": "image", "NODE_EDITOR": "node"}


class Panel:
    """Base of the panels in the category Paintover."""

    bl_category = "Paintover"
    bl_region_type = "UI"

    @classmethod
    def poll(cls, context: Any) -> bool:
        space = context.space_data
        return bool(space.type != "NODE_EDITOR" or space.tree_type == "CompositorNodeTree")


class _Steps(Panel):
    """The steps, each with its button and its state."""

    bl_label = "Paintover"

    def draw(self, context: Any) -> None:
        layout: Any = self.layout  # type: ignore[attr-defined]
        snapshot, message = watcher.current()
        if jobs.busy():
            _draw_progress(layout, context.window_manager.paintover)
        engine_panel.draw_first(layout, context)
        if message:
            draw_wrapped(layout, message, "INFO", context)
        _draw_shot(layout, context, snapshot)
        steps = layout.column()
        states_of = snapshot.steps
        _draw_step(steps, states_of["capture"], "paintover.capture", "RENDER_ANIMATION", context)
        _draw_step(steps, states_of["keyframe"], "paintover.keyframe_add", "BRUSH_DATA", context)
        if snapshot.unused:
            draw_wrapped(steps, f"{snapshot.unused}.", "INFO", context)
        _draw_preview(steps, context)
        _draw_step(steps, states_of["train"], "paintover.train", "MODIFIER", context)
        _draw_step(steps, states_of["stylize"], "paintover.stylize", "RENDERLAYERS", context)
        if snapshot.unsteady:
            _draw_unsteady(steps, snapshot.unsteady)
        if states_of["train"].step is not Step.NOTHING:
            _draw_light(steps, context.scene, snapshot.uses_paint)
        _draw_step(steps, states_of["compose"], "paintover.compose", "NODE_COMPOSITING", context)
        node = compositor.node(context.scene)
        if node is not None:
            row = layout.row(align=True)
            row.prop(node.inputs["Opacity"], "default_value", text="Opacity", slider=True)
            row.operator("paintover.compose", text="", icon="X").remove = True
        elif properties.of(context.scene).before_compose:
            restore = layout.operator("paintover.compose", text="Restore Output Settings", icon="X")
            restore.remove = True
        layout.separator()
        row = layout.row(align=True)
        row.operator("paintover.run", icon="PLAY")
        row.operator("paintover.farm_export", text="", icon="NETWORK_DRIVE")
        if flamenco.add_on_is_there():
            row.operator("paintover.farm_flamenco", text="", icon="COMMUNITY")


def _draw_progress(layout: Any, session: Any) -> None:
    column = layout.column(align=True)
    title = column.row(align=True)
    title.label(text=session.title)
    left = title.row()
    left.alignment = "RIGHT"
    left.label(text=jobs.describe_seconds_left(session.seconds_left))
    row = column.row(align=True)
    row.progress(factor=session.fraction, type="BAR", text=f"{session.fraction:.0%}")
    row.operator("paintover.cancel", text="", icon="CANCEL")
    column.label(text=session.text)
    live = live_picture.current()
    if live:
        frame, icon = live
        box = column.box()
        box.template_icon(icon_value=icon, scale=9)
        box.label(text=f"Frame {frame}, not painted")


def _draw_shot(layout: Any, context: Any, snapshot: states.Snapshot) -> None:
    """Draw what the user should know or decide about the shot folder."""
    if snapshot.gone:
        box = _draw_notice(layout, snapshot.gone, "ERROR", context)
        box.operator("paintover.shot_find", icon="FILE_FOLDER")
        box.operator("paintover.shot_choose", text="New Shot").action = "NEW"
    elif snapshot.owner:
        box = _draw_notice(layout, snapshot.owner, "INFO", context)
        for action, text in _CHOICES.items() if context.scene.is_editable else ():
            box.operator("paintover.shot_choose", text=text).action = action
    elif snapshot.differs:
        box = _draw_notice(layout, snapshot.differs, "INFO", context)
        box.operator("paintover.shot_match")


def _draw_notice(layout: Any, text: str, icon: str, context: Any) -> Any:
    box = layout.box()
    draw_wrapped(box, text, icon, context)
    return box.column(align=True)


def _draw_step(layout: Any, state: StepState, operator: str, icon: str, context: Any) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator(operator, icon=icon)
    if operator == "paintover.capture":
        row.operator("paintover.capture_pictures", text="", icon="FILE_FOLDER")
    elif operator == "paintover.train":
        row.operator("paintover.sweep", text="", icon="VIEWZOOM")
    row.label(text="", icon=_STEP_ICONS[state.step])
    if state.why and state.why != watcher.current()[0].gone:  # which is drawn above
        draw_detail(column, state.why, context)


def _draw_preview(layout: Any, context: Any) -> None:
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator("paintover.preview", icon="SEQ_PREVIEW")
    row.label(text="", icon="BLANK1")
    draw_detail(column, "At once, without training", context)


def _draw_unsteady(layout: Any, frames: tuple[int, ...]) -> None:
    row = layout.row(align=True)
    row.label(text=f"Unsteady: {name_frames(frames)}", icon="INFO")
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


class _Keyframes(Panel):
    bl_label = "Keyframes"

    def draw(self, context: Any) -> None:
        layout: Any = self.layout  # type: ignore[attr-defined]
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


class _Matte(Panel):
    """What of the picture is painted."""

    bl_label = "Matte"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout: Any = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.use_property_decorate = False
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


class _Settings(Panel):
    bl_label = "Settings"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        layout: Any = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = properties.of(context.scene)
        layout.prop(settings, "folder", placeholder=shot_folders.default_folder(context.scene))
        layout.prop(settings, "style")
        if len(context.scene.view_layers) > 1 or settings.view_layer:
            layout.prop_search(settings, "view_layer", context.scene, "view_layers")
        column = layout.column(heading="Frames")
        column.prop(settings, "use_custom_range")
        if settings.use_custom_range:
            column = layout.column(align=True)
            column.prop(settings, "frame_start")
            column.prop(settings, "frame_end")
        layout.prop(settings, "seconds")
        layout.prop(settings, "device")
        layout.prop(settings, "format")
        if settings.format == "png":
            layout.row().prop(settings, "depth", expand=True)
        layout.prop(settings, "unpainted")


class _Engine(Panel):
    bl_label = "Engine"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        # Without an engine the steps begin with what this shows.
        return super().poll(context) and engine_python.is_found()

    def draw(self, context: Any) -> None:
        engine_panel.draw(self.layout, context)  # type: ignore[attr-defined]


def make_panel(base: type, name: str, space: str, parent: str = "") -> type:
    """Make a panel class for one editor type."""
    identifier = f"PAINTOVER_PT_{_SPACES[space]}_{name}"
    attributes: dict[str, Any] = {"bl_idname": identifier, "bl_space_type": space}
    if parent:
        attributes["bl_parent_id"] = f"PAINTOVER_PT_{_SPACES[space]}_{parent}"
    return type(identifier, (base, bpy.types.Panel), attributes)


classes = tuple(
    make_panel(base, name, space, parent)
    for space in _SPACES
    for base, name, parent in (
        (_Steps, "steps", ""),
        (_Keyframes, "keyframes", "steps"),
        (_Matte, "matte", "steps"),
        (_Settings, "settings", "steps"),
        (_Engine, "engine", "steps"),
    )
)
