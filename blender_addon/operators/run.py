# SPDX-License-Identifier: GPL-3.0-or-later
"""Run: does every step that is out of date. Cancel: stops the running step."""

from __future__ import annotations

import bpy

from .. import jobs, properties, steps
from ..jobs import Job, JobOperator, Status
from . import polls


class PAINTOVER_OT_run(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.run"
    bl_label = "Update All"
    bl_description = (
        "Capture, train, stylize and compose whatever is out of date. Composing changes the same "
        "output settings as Send to Compositor"
    )

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        return steps.run(properties.scene_of(context), self.warn, blocking=blocking)


class PAINTOVER_OT_follow(JobOperator):
    bl_idname = "paintover.follow"
    bl_label = "Go On with Running Step"
    bl_description = "Go on with the running step in this window, after its own was closed"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        return self.follow(context) if jobs.busy() else {"CANCELLED"}

    def execute(self, context: bpy.types.Context) -> Status:
        return {"CANCELLED"}


class PAINTOVER_OT_cancel(polls.PolledOperator):
    bl_idname = "paintover.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the running step. Finished files stay"

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return "" if jobs.busy() else "No step is running"

    def execute(self, context: bpy.types.Context) -> Status:
        jobs.request_cancel()
        return {"FINISHED"}


classes = (PAINTOVER_OT_run, PAINTOVER_OT_follow, PAINTOVER_OT_cancel)
