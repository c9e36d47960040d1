# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the operators on one frame of the shot."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import IntProperty

from .. import properties, shot_folders, steps
from ..engine.shared.files import as_text
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import weights as keyframe_weights
from ..ui import watcher
from . import polls
from .reports import reports_errors

CURRENT = -(2**31)
"""Stands for the current frame."""


class KeyframeOperator(polls.PolledOperator):
    """Base of operators on one frame of the shot; ``work`` returns the message to report."""

    bl_options = {"REGISTER"}

    frame: IntProperty(
        name="Frame",
        description="Frame of the keyframe. Without it, the current frame",
        default=CURRENT,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        raise NotImplementedError

    def may_change_shot(self, context: bpy.types.Context) -> bool:
        """Return whether the scene's shot is its own; report what to choose if not."""
        remedy = shot_folders.must_choose(properties.scene_of(context))
        if remedy and not bpy.app.background:
            self.report({"ERROR"}, remedy)
            return False
        return True

    def frame_in(self, context: bpy.types.Context, shot: Shot) -> int:
        """Return the given frame, else the current one."""
        given = self.frame != CURRENT and (self.frame != -1 or -1 in shot.frames)
        return int(self.frame) if given else properties.scene_of(context).frame_current

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        return self.execute(context) if self.may_change_shot(context) else {"CANCELLED"}

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = context.scene
        shot = steps.open_shot(scene)
        frame = self.frame_in(context, shot)
        sentence = self.work(context, shot, frame)
        keyframe_weights.add_rows(scene, shot.key_frames())
        self.report({"INFO"}, as_text(sentence))
        watcher.refresh()
        chosen = self.frame_to_choose(frame)
        if chosen in shot.key_frames():
            watcher.select(chosen)
        return {"FINISHED"}

    def frame_to_choose(self, frame: int) -> int:
        """Return the keyframe that is chosen in the list when the work is done."""
        return frame
