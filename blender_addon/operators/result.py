# SPDX-License-Identifier: GPL-3.0-or-later
"""The result: plays the stylized frames, opens their folder, and repaints one of them."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty

from .. import compositor, new_results, properties, steps
from ..engine.shared.files import as_text
from ..engine.shared.shot import Shot
from ..jobs import Status, redraw
from ..keyframes import image_editors, images, paintings
from . import polls
from .keyframe_operator import KeyframeOperator
from .reports import reports_errors


class _ResultOperator(polls.PolledOperator):
    """Base of operators on the stylized frames; ``work`` returns the message to report."""

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.has_shot(context)

    def work(self, context: bpy.types.Context, shot: Shot, style: str, suffix: str) -> str:
        raise NotImplementedError

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        settings = properties.of(scene)
        shot, suffix = steps.open_shot(scene), f".{settings.format}"
        compositor.check_stylized(shot, settings.style, suffix)
        sentence = self.work(context, shot, settings.style, suffix)
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}


class PAINTOVER_OT_result_play(_ResultOperator):
    bl_idname = "paintover.result_play"
    bl_label = "Play Result"
    bl_description = (
        "Show the stylized frames in an Image Editor and play them. Esc stops at the frame where "
        "playing began, Space at the frame that you see"
    )

    def work(self, context: bpy.types.Context, shot: Shot, style: str, suffix: str) -> str:
        if not bpy.app.background:
            title = f"Paintover {style}"
            image_editors.show_frames(context.area, shot, style, suffix, title)
            image_editors.play()
        new_results.note_seen(shot, style)
        redraw()
        return f'Playing the frames of the style "{style}"'


class PAINTOVER_OT_result_folder(_ResultOperator):
    bl_idname = "paintover.result_folder"
    bl_label = "Open Folder"
    bl_description = "Open the folder with the stylized frames"

    def work(self, context: bpy.types.Context, shot: Shot, style: str, suffix: str) -> str:
        folder = shot.out_path(style, 0).parent
        if not bpy.app.background:
            bpy.ops.wm.path_open(filepath=str(folder))
        return f"The stylized frames are in {folder}"


class PAINTOVER_OT_keyframe_repaint(KeyframeOperator):
    bl_idname = "paintover.keyframe_repaint"
    bl_label = "Repaint This Frame"
    bl_description = (
        "Make the current frame a keyframe and paint over what you see there. A frame that has a "
        "painting is opened as it is"
    )
    bl_options = {"REGISTER", "UNDO"}

    base: EnumProperty(
        name="Base",
        description="The picture to paint on, where the frame has no painting yet",
        items=(
            ("RESULT", "Result", "The stylized frame, or the render where there is none"),
            ("RENDER", "Render", "The frame as it was captured"),
        ),
        options={"SKIP_SAVE"},
    )

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        if frame in shot.key_frames():
            sentence = f"Frame {frame} has a painting already; paint on"
        else:
            settings = properties.of(properties.scene_of(context))
            result = shot.out_path(settings.style, frame, f".{settings.format}")
            if self.base == "RESULT" and result.is_file():
                sentence = paintings.add_result(shot, frame, result)
            else:
                sentence = paintings.add(shot, frame)
        image = images.load(shot, frame)
        if not bpy.app.background:
            image_editors.show(context.area, image, "PAINT")
        return sentence


classes = (PAINTOVER_OT_result_play, PAINTOVER_OT_result_folder, PAINTOVER_OT_keyframe_repaint)
