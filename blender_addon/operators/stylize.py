# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize: paints the frames with the style."""

from __future__ import annotations

import bpy

from .. import properties, steps
from ..engine.shared.flicker_records import describe, read_flickers, unsteady_frames
from ..jobs import Job, Status
from . import polls
from .frames_operator import FramesOperator
from .reports import reports_errors


class PAINTOVER_OT_stylize(FramesOperator):
    bl_idname = "paintover.stylize"
    bl_label = "Stylize"
    bl_description = (
        "Paint every frame of the shot with the style. Frames that are up to date are skipped"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_style(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene, frames = properties.scene_of(context), self.chosen_frames()
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

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        shot = steps.open_shot(scene)
        frames = unsteady_frames(read_flickers(shot, properties.of(scene).style))
        if not frames:
            self.report({"INFO"}, describe(frames).rstrip("."))
            return {"CANCELLED"}
        index = frames.index(scene.frame_current) if scene.frame_current in frames else -1
        scene.frame_set(frames[(index + 1) % len(frames)])
        return {"FINISHED"}


classes = (PAINTOVER_OT_stylize, PAINTOVER_OT_go_to_unsteady)
