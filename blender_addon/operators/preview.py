# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview: projects the paintings to every frame, without training."""

from __future__ import annotations

import functools

import bpy

from .. import properties, steps
from ..jobs import Job
from ..keyframes import image_editors
from . import polls
from .frames_operator import FramesOperator


class PAINTOVER_OT_preview(FramesOperator):
    bl_idname = "paintover.preview"
    bl_label = "Preview"
    bl_description = (
        "Project your paintings to every frame, without training, and show the frames in the "
        "Image Editor. Surfaces that no painting shows get the paint of pixels with similar colors"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context) or polls.has_engine()

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene, frames = properties.scene_of(context), self.chosen_frames()
        shot = steps.open_shot(scene)
        sentence = yield from steps.preview(scene, self.warn, frames=frames, force=self.force)
        if not bpy.app.background:
            place = bpy.context.area, shot, steps.preview_name(shot), ".png", "Preview"
            # A timer, because Blender calls an ended modal operator again if it opened a window.
            bpy.app.timers.register(functools.partial(image_editors.show_frames, *place))
        return sentence
