# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweep: searches for the training settings that suit the shot best."""

from __future__ import annotations

import bpy
from bpy.props import FloatProperty

from .. import properties, steps
from ..jobs import Job, JobOperator
from . import polls


class PAINTOVER_OT_sweep(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.sweep"
    bl_label = "Find Settings"
    bl_description = (
        "Try training settings on this shot, and train a new style with the best ones. It takes "
        "two minutes; click again to go on searching. No other style is changed"
    )

    minutes: FloatProperty(
        name="Minutes",
        description="Time for the search, with the training of the style",
        default=2.0,
        min=0.1,
        soft_max=120.0,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        return steps.sweep(properties.scene_of(context), self.warn, minutes=self.minutes)
