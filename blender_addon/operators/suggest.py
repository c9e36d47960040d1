# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframe assistant's operators: look at the shot, and show a suggestion."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from .. import properties, steps
from ..assistant import background
from ..engine.shared.coverage_records import Coverage
from ..jobs import Job, JobOperator, Status
from . import polls
from .reports import reports_errors


class PAINTOVER_OT_suggest(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.suggest"
    bl_label = "Suggest Keyframes"
    bl_description = (
        "Find how much of what the shot shows your paintings have seen, and which frames would "
        "add most if you painted them too"
    )
    asks_for_owner = False

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        background.stop()
        background.forget()
        return _told(steps.suggest(properties.scene_of(context), self.warn))


def _told(job: Job[Coverage]) -> Job[str]:
    coverage = yield from job
    return coverage.sentence().rstrip(".")


class PAINTOVER_OT_suggestion_show(polls.PolledOperator):
    bl_idname = "paintover.suggestion_show"
    bl_label = "Go to Suggested Frame"
    bl_description = "Go to this frame, to look at it before you add a keyframe"
    bl_options = {"REGISTER", "UNDO"}

    frame: IntProperty(name="Frame", description="The frame to go to", options={"SKIP_SAVE"})

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.has_shot(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        shot = steps.open_shot(scene)
        if self.frame not in shot.frames:
            self.report({"ERROR"}, f"The shot has no frame {self.frame}; capture it")
            return {"CANCELLED"}
        scene.frame_set(self.frame)
        return {"FINISHED"}


classes = (
    PAINTOVER_OT_suggest,
    PAINTOVER_OT_suggestion_show,
)
