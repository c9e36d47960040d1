# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: adds, removes and opens them."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from .. import properties
from ..engine.shared.errors import PaintoverError
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import image_editors, images, paintings
from .dialogs import ask_for_path
from .keyframe_operator import KeyframeOperator


class PAINTOVER_OT_keyframe_add(KeyframeOperator):
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
        return paintings.add(shot, frame, self.filepath)


class PAINTOVER_OT_suggestion_take(KeyframeOperator):
    bl_idname = "paintover.suggestion_take"
    bl_label = "Add Suggested Keyframe"
    bl_description = (
        "Go to this frame, which shows what your paintings have not seen, and add a keyframe there "
        "to paint on"
    )
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        sentence = paintings.add(shot, frame)
        properties.scene_of(context).frame_set(frame)
        return sentence


class PAINTOVER_OT_keyframe_from_file(KeyframeOperator):
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
        if not self.may_change_shot(context):
            return {"CANCELLED"}
        return ask_for_path(self, context)

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        if not self.filepath:
            raise PaintoverError("Choose the file of the painting.")
        return paintings.add(shot, frame, self.filepath)


class PAINTOVER_OT_keyframe_remove(KeyframeOperator):
    bl_idname = "paintover.keyframe_remove"
    bl_label = "Remove Keyframe"
    bl_description = "Remove the keyframe from training. Its painting stays in the shot folder"

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return paintings.remove(shot, frame)


class PAINTOVER_OT_keyframe_open(KeyframeOperator):
    bl_idname = "paintover.keyframe_open"
    bl_label = "Paint Keyframe"
    bl_description = "Open the keyframe's painting in the Image Editor, ready to paint"
    # Else the first undo after a stroke would take the painting out of the editor.
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        image = images.load(shot, frame)
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
