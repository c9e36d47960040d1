# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: add, remove, open to paint."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from .. import steps, watcher
from ..engine.shared.errors import PaintoverError
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import image_editors
from ..keyframes import images as keyframe_images
from ..keyframes import weights as keyframe_weights
from . import polls

_CURRENT = -(2**31)


class _KeyframeOperator(polls.PolledOperator):
    """Base: works on one frame of the scene's shot, and reports one sentence."""

    bl_options = {"REGISTER"}

    frame: IntProperty(
        name="Frame",
        description="The keyframe; the current frame if it is not given",
        default=_CURRENT,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> Status:
        # -1 is the current frame too, unless the shot has such a frame.
        scene: Any = context.scene
        try:
            shot = steps.open_shot(scene)
            given = self.frame != _CURRENT and (self.frame != -1 or -1 in shot.frames)
            sentence = self.work(context, shot, self.frame if given else scene.frame_current)
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        keyframe_weights.add_rows(scene, shot.key_frames())
        self.report({"INFO"}, sentence)
        watcher.refresh()
        return {"FINISHED"}


class PAINTOVER_OT_keyframe_add(_KeyframeOperator):
    bl_idname = "paintover.keyframe_add"
    bl_label = "Add Keyframe"
    bl_description = "Make a picture of the frame to paint on, or take a painting from a file"

    filepath: StringProperty(
        name="Painting",
        description="A painting of the frame, PNG or EXR. Empty: a copy of the frame",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return keyframe_images.add(shot, frame, self.filepath)


class PAINTOVER_OT_keyframe_from_file(_KeyframeOperator):
    bl_idname = "paintover.keyframe_from_file"
    bl_label = "Add Painting"
    bl_description = "Choose a file with a painting of the current frame"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.png;*.exr", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
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
    bl_description = "Learn no more from the keyframe. Its painting stays in the shot folder"

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return keyframe_images.remove(shot, frame)


class PAINTOVER_OT_keyframe_open(_KeyframeOperator):
    bl_idname = "paintover.keyframe_open"
    bl_label = "Paint Keyframe"
    bl_description = "Open the keyframe's painting in the Image Editor, ready to paint"

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        image = keyframe_images.load(shot, frame)
        if not bpy.app.background:
            image_editors.show(context.area, image, "PAINT")
        return f"Paint on {shot.key_path(frame).name}; training saves it"


classes = (
    PAINTOVER_OT_keyframe_add,
    PAINTOVER_OT_keyframe_from_file,
    PAINTOVER_OT_keyframe_remove,
    PAINTOVER_OT_keyframe_open,
)
