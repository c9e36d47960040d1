# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: adds, removes and opens them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from .. import messages, properties, shot_folders, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import image_editors
from ..keyframes import images as keyframe_images
from ..keyframes import weights as keyframe_weights
from ..ui import watcher
from . import polls

_CURRENT = -(2**31)


class _KeyframeOperator(polls.PolledOperator):
    """Base of operators on one frame of the shot; ``work`` returns the message to report."""

    bl_options = {"REGISTER"}

    frame: IntProperty(
        name="Frame",
        description="Frame of the keyframe. Without it, the current frame",
        default=_CURRENT,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        raise NotImplementedError

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        remedy = shot_folders.must_choose(properties.scene_of(context))
        if remedy and not bpy.app.background:
            self.report({"ERROR"}, remedy)
            return {"CANCELLED"}
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = context.scene
        try:
            shot = steps.open_shot(scene)
            given = self.frame != _CURRENT and (self.frame != -1 or -1 in shot.frames)
            frame = self.frame if given else scene.frame_current
            sentence = self.work(context, shot, frame)
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        keyframe_weights.add_rows(scene, shot.key_frames())
        self.report({"INFO"}, sentence)
        watcher.refresh()
        if frame in shot.key_frames():
            watcher.select(frame)
        return {"FINISHED"}


class PAINTOVER_OT_keyframe_add(_KeyframeOperator):
    bl_idname = "paintover.keyframe_add"
    bl_label = "Add Keyframe"
    bl_description = "Copy the current frame to paint on, or use a painting from a file"

    filepath: StringProperty(
        name="Painting",
        description="Painting of the frame, PNG or EXR. Leave empty to copy the frame",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return keyframe_images.add(shot, frame, self.filepath)


class PAINTOVER_OT_suggestion_take(_KeyframeOperator):
    bl_idname = "paintover.suggestion_take"
    bl_label = "Add Suggested Keyframe"
    bl_description = (
        "Go to this frame, which shows what your paintings have not seen, and add a keyframe there "
        "to paint on"
    )
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        sentence = keyframe_images.add(shot, frame)
        properties.scene_of(context).frame_set(frame)
        return sentence


class PAINTOVER_OT_keyframe_from_file(_KeyframeOperator):
    bl_idname = "paintover.keyframe_from_file"
    bl_label = "Add Painting"
    bl_description = "Choose a file with a painting of the current frame"

    filepath: StringProperty(
        description="Painting of the frame, PNG or EXR",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: StringProperty(default="*.png;*.exr", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        remedy = shot_folders.must_choose(properties.scene_of(context))
        if remedy:
            self.report({"ERROR"}, remedy)
            return {"CANCELLED"}
        manager: Any = context.window_manager
        manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        if not self.filepath:
            raise PaintoverError("Choose the file of the painting.")
        return keyframe_images.add(shot, frame, self.filepath)


class PAINTOVER_OT_keyframe_remove(_KeyframeOperator):
    bl_idname = "paintover.keyframe_remove"
    bl_label = "Remove Keyframe"
    bl_description = "Remove the keyframe from training. Its painting stays in the shot folder"

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return keyframe_images.remove(shot, frame)


class PAINTOVER_OT_keyframe_open(_KeyframeOperator):
    bl_idname = "paintover.keyframe_open"
    bl_label = "Paint Keyframe"
    bl_description = "Open the keyframe's painting in the Image Editor, ready to paint"
    # Else the first undo after a stroke would take the painting out of the editor.
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        image = keyframe_images.load(shot, frame)
        if not bpy.app.background:
            image_editors.show(context.area, image, "PAINT")
        return f"Paint on {shot.key_path(frame).name}; training saves it"


classes = (
    PAINTOVER_OT_keyframe_add,
    PAINTOVER_OT_suggestion_take,
    PAINTOVER_OT_keyframe_from_file,
    PAINTOVER_OT_keyframe_remove,
    PAINTOVER_OT_keyframe_open,
)
