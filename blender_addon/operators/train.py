# SPDX-License-Identifier: GPL-3.0-or-later
"""Train: trains the style on the paintings."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty

from .. import messages, next_step, properties, steps
from ..engine.shared.errors import PaintoverError
from ..jobs import Job, JobOperator, Status
from ..live import control
from . import polls


class PAINTOVER_OT_train(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.train"
    bl_label = "Train"
    bl_description = "Train the style on the painted keyframes. Unsaved paint is saved first"

    seconds: FloatProperty(
        name="Training Time",
        description="Longest time to train. 0 uses the scene's setting",
        min=0.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
    )
    resume: BoolProperty(
        name="Resume",
        description="Continue the last training",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if control.session() is not None:
            return "Live learns already; press Finish to keep it as the style, or turn Live off"
        return polls.idle() or polls.has_painting(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene = properties.scene_of(context)
        return steps.train(
            scene, self.warn, seconds=self.seconds, resume=self.resume, live=not blocking
        )


class PAINTOVER_OT_train_continue(polls.PolledOperator):
    bl_idname = "paintover.train_continue"
    bl_label = "Continue Training"
    bl_description = (
        "Go on with the last training of this style: for the rest of its time if it was stopped, "
        "else for the training time once more"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        remedy = PAINTOVER_OT_train.remedy(context)
        if remedy:
            return remedy
        scene = properties.scene_of(context)
        try:
            shot = steps.open_shot(scene)
        except PaintoverError as error:
            return str(error).rstrip(".")
        style = properties.of(scene).style
        return "" if next_step.has_state(shot, style) else "There is no training to go on with"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        operators: Any = bpy.ops
        try:
            operators.paintover.train("INVOKE_DEFAULT", resume=True)
        except RuntimeError as error:
            self.report({"ERROR"}, messages.shown(messages.reported(error)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> Status:
        operators: Any = bpy.ops
        done: Status = operators.paintover.train(resume=True)
        return done


classes = (PAINTOVER_OT_train, PAINTOVER_OT_train_continue)
