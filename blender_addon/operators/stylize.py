# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylize: paint every frame."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import properties, steps
from ..engine.shot import parse_frames
from ..jobs import Job, JobOperator
from . import polls


class PAINTOVER_OT_stylize(JobOperator):
    bl_idname = "paintover.stylize"
    bl_label = "Stylize"
    bl_description = "Paint every frame of the shot with the style. Frames up to date are skipped"

    frames: StringProperty(
        name="Frames",
        description="Which frames, such as 1-30,45. Empty: all frames of the shot",
        options={"SKIP_SAVE"},
    )
    force: BoolProperty(
        name="Force",
        description="Do frames again that are up to date",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        remedy = polls.idle() or polls.has_style(context)
        if remedy:
            cls.poll_message_set(remedy)
        return not remedy

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        frames = parse_frames(self.frames) if self.frames.strip() else None
        scene = properties.scene_of(context)
        return steps.stylize(scene, self.warned, frames=frames, force=self.force)
