# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview: the paint carried to every frame at once, without training."""

from __future__ import annotations

import functools

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import properties, steps
from ..engine.shared.frame_lists import parse_frames
from ..jobs import Job, JobOperator
from ..keyframes import image_editors
from . import polls


class PAINTOVER_OT_preview(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.preview"
    bl_label = "Preview"
    bl_description = (
        "Carry your paint to every frame at once, without training, and show the frames in the "
        "Image Editor. Places that no painting shows get colors from places that look alike"
    )

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
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        frames = parse_frames(self.frames) if self.frames.strip() else None
        scene = properties.scene_of(context)
        shot = steps.open_shot(scene)
        told = yield from steps.preview(scene, self.warned, frames=frames, force=self.force)
        if not bpy.app.background:
            place = bpy.context.area, shot, steps.preview_name(shot)
            # Blender calls a modal operator again that has ended, if it has opened a window.
            bpy.app.timers.register(functools.partial(image_editors.show_preview, *place))
        return told
