# SPDX-License-Identifier: GPL-3.0-or-later
"""Train: trains the style on the paintings."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty

from .. import properties, steps
from ..jobs import Job, JobOperator
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
        return polls.idle() or polls.has_painting(context)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene = properties.scene_of(context)
        return steps.train(
            scene, self.warn, seconds=self.seconds, resume=self.resume, live=not blocking
        )
