# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: to their frame, onto another frame, and back to earlier paintings.

Those that change files have no REGISTER: adjusting them afterwards would do the work twice, as
Blender undoes no files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from .. import messages, properties, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.keyframes.versions import find_version
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import image_editors, images, paintings, version_images
from ..ui.text import draw_wrapped
from . import dialogs
from .keyframe_operator import CURRENT, KeyframeOperator


class PAINTOVER_OT_keyframe_jump(KeyframeOperator):
    bl_idname = "paintover.keyframe_jump"
    bl_label = "Jump to Keyframe"
    bl_description = "Go to the frame of this keyframe"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        properties.scene_of(context).frame_set(frame)
        return f"Frame {frame}"


class _Transfer(KeyframeOperator):
    """Base of operators that put a painting onto another frame, after a dialog."""

    bl_options = {"UNDO"}
    button: str
    put: ClassVar[Callable[..., str]]
    """Puts the painting there: a function of ``paintings``."""

    onto: IntProperty(
        name="Onto Frame",
        description="Frame that gets the painting. Without it, the current frame",
        default=CURRENT,
        options={"SKIP_SAVE"},
    )
    replace: BoolProperty(
        name="Replace Its Painting",
        description="Replace the painting that the frame has; it is kept as a version",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if not self.may_change_shot(context):
            return {"CANCELLED"}
        try:
            shot = steps.open_shot(properties.scene_of(context))
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        self.frame = self.frame_in(context, shot)
        if self.onto == CURRENT:
            self.onto = _next_free(shot, self.frame, properties.scene_of(context).frame_current)
        title = f"{self.bl_label}: Frame {self.frame}"
        return dialogs.ask(self, context, title=title, button=self.button)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.prop(self, "onto")
        try:
            shot = steps.open_shot(properties.scene_of(context))
        except PaintoverError:
            return
        if self.onto != self.frame and paintings.has_painting(shot, self.onto):
            text = f"Frame {self.onto} has a painting already."
            draw_wrapped(layout, text, "ERROR", context)
            layout.prop(self, "replace", text="Replace It, and Keep It as a Version")

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        scene = properties.scene_of(context)
        onto = scene.frame_current if self.onto == CURRENT else int(self.onto)
        return self.put(scene, shot, frame, onto, replace=self.replace)

    def frame_to_choose(self, frame: int) -> int:
        return frame if self.onto == CURRENT else int(self.onto)


def _next_free(shot: Shot, frame: int, current: int) -> int:
    """Return the current frame, or the next frame that is no keyframe, to begin with."""
    keys = shot.key_frames()
    if current != frame and current in shot.manifest.frames:
        return current
    return next((each for each in shot.frames if each > frame and each not in keys), frame)


class PAINTOVER_OT_keyframe_duplicate(_Transfer):
    bl_idname = "paintover.keyframe_duplicate"
    bl_label = "Duplicate Keyframe"
    bl_description = "Put a copy of the painting onto another frame, with its mask and its weight"
    button = "Duplicate"
    put = staticmethod(paintings.duplicate)


class PAINTOVER_OT_keyframe_move(_Transfer):
    bl_idname = "paintover.keyframe_move"
    bl_label = "Move Keyframe"
    bl_description = "Put the painting onto another frame instead, with its mask and its weight"
    button = "Move"
    put = staticmethod(paintings.move)


class _Version(KeyframeOperator):
    """Base of operators on an earlier painting."""

    version: StringProperty(
        name="Version",
        description="File name of the earlier painting, in the folder keys/versions",
        options={"SKIP_SAVE"},
    )


class PAINTOVER_OT_keyframe_look(_Version):
    bl_idname = "paintover.keyframe_look"
    bl_label = "Look at Version"
    bl_description = "Show this earlier painting in the Image Editor. Nothing is changed by it"

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        version = find_version(shot, frame, self.version)
        image = version_images.load(shot, frame, version)
        if not bpy.app.background:
            image_editors.show(context.area, image, "VIEW")
        return f"Frame {frame} as it was on {version.date:%d %b %Y, %H:%M}"


class PAINTOVER_OT_keyframe_take_back(_Version):
    bl_idname = "paintover.keyframe_take_back"
    bl_label = "Take Version Back"
    bl_description = (
        "Make this earlier painting that of the keyframe again. The present one is kept as a "
        "version too"
    )

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        sentence = paintings.take_back(shot, frame, self.version)
        image_editors.leave_versions(images.load(shot, frame))
        return sentence


classes = (
    PAINTOVER_OT_keyframe_jump,
    PAINTOVER_OT_keyframe_duplicate,
    PAINTOVER_OT_keyframe_move,
    PAINTOVER_OT_keyframe_look,
    PAINTOVER_OT_keyframe_take_back,
)
