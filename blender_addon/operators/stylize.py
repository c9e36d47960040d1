# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize: paints the frames with the style."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import messages, properties, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.flicker_records import describe, read_flickers, unsteady_frames
from ..engine.shared.frame_lists import parse_frames
from ..jobs import Job, JobOperator, Status
from . import polls


class PAINTOVER_OT_stylize(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.stylize"
    bl_label = "Stylize"
    bl_description = (
        "Paint every frame of the shot with the style. Frames that are up to date are skipped"
    )

    frames: StringProperty(
        name="Frames",
        description="Frames to paint, such as 1-30,45. Leave empty for all frames of the shot",
        options={"SKIP_SAVE"},
    )
    force: BoolProperty(
        name="Force",
        description="Also paint frames that are up to date",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_style(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        frames = parse_frames(self.frames) if self.frames.strip() else None
        scene = properties.scene_of(context)
        return steps.stylize(scene, self.warn, frames=frames, force=self.force)


class PAINTOVER_OT_go_to_unsteady(polls.PolledOperator):
    bl_idname = "paintover.go_to_unsteady"
    bl_label = "Go to Unsteady Frame"
    bl_description = (
        "Go to the first stylized frame that flickers more than the rest of the shot. "
        "On such a frame, go to the next one"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.has_shot(context)

    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        try:
            shot = steps.open_shot(scene)
            frames = unsteady_frames(read_flickers(shot, properties.of(scene).style))
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        if not frames:
            self.report({"INFO"}, describe(frames).rstrip("."))
            return {"CANCELLED"}
        index = frames.index(scene.frame_current) if scene.frame_current in frames else -1
        scene.frame_set(frames[(index + 1) % len(frames)])
        return {"FINISHED"}


classes = (PAINTOVER_OT_stylize, PAINTOVER_OT_go_to_unsteady)
