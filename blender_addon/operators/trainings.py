# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches a training, ends it and keeps it, and takes an earlier one back."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import properties, steps
from ..engine.shared.files import as_text
from ..jobs import Status
from ..training_view import view
from ..ui import watcher
from . import polls
from .reports import reports_errors


class PAINTOVER_OT_train_keep(polls.PolledOperator):
    bl_idname = "paintover.train_keep"
    bl_label = "Stop and Keep"
    bl_description = (
        "End the training now. What is learnt so far becomes the style; the one from before can be "
        "taken back"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return "" if view.is_training() else "Nothing is being trained"

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        steps.keep_training()
        return {"FINISHED"}


class PAINTOVER_OT_train_watch(polls.PolledOperator):
    bl_idname = "paintover.train_watch"
    bl_label = "Watch"
    bl_description = (
        "Show the picture of the training large, in an Image Editor. Press again to close it"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if bpy.app.background:
            return "There is no window to show it in"
        return "" if view.current() is not None else "Nothing is being trained"

    def execute(self, context: bpy.types.Context) -> Status:
        view.toggle(context.area)
        return {"FINISHED"}


class PAINTOVER_OT_training_take(polls.PolledOperator):
    bl_idname = "paintover.training_take"
    bl_label = "Take Back"
    bl_description = "Use this training as the style again. The style that is there stays kept"

    training: StringProperty(
        name="Training",
        description="Name of the training; best, or previous for the last that is not in use",
        default="previous",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        sentence = steps.take_training_back(properties.scene_of(context), self.training)
        watcher.refresh()
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}


classes: tuple[Any, ...] = (
    PAINTOVER_OT_train_keep,
    PAINTOVER_OT_train_watch,
    PAINTOVER_OT_training_take,
)
