# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview: projects the paintings to every frame, without training."""

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
        "Project your paintings to every frame, without training, and show the frames in the "
        "Image Editor. Surfaces that no painting shows get the paint of pixels with similar colors"
    )

    frames: StringProperty(
        name="Frames",
        description="Frames to paint, such as 1-30,45. Leave empty for all frames of the shot",
        options={"SKIP_SAVE"},
    )
    force: BoolProperty(
        name="Force",
        description="Also paint frames that are up to date",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        frames = parse_frames(self.frames) if self.frames.strip() else None
        scene = properties.scene_of(context)
        shot = steps.open_shot(scene)
        sentence = yield from steps.preview(scene, self.warn, frames=frames, force=self.force)
        if not bpy.app.background:
            place = bpy.context.area, shot, steps.preview_name(shot), ".png", "Preview"
            # A timer, because Blender calls an ended modal operator again if it opened a window.
            bpy.app.timers.register(functools.partial(image_editors.show_frames, *place))
        return sentence
