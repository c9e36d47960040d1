# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture: renders the frames with passes, or imports an image sequence."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import properties, steps
from ..jobs import Job, JobOperator
from . import polls


class PAINTOVER_OT_capture(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.capture"
    bl_label = "Capture"
    bl_description = (
        "Render the frames that are missing or have other render settings. "
        "Changes of the scene's content are not detected: use Force after them"
    )

    force: BoolProperty(
        name="Force",
        description="Also render frames that are up to date, such as after changes of the scene",
        options={"SKIP_SAVE"},
    )
    source_folder: StringProperty(
        name="Image Sequence",
        description="Import the pictures in this folder instead of rendering. "
        "Their names must contain the frame numbers",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene = properties.scene_of(context)
        if self.source_folder:
            pictures = Path(bpy.path.abspath(self.source_folder))
            return steps.import_pictures(scene, self.warn, pictures)
        return steps.capture_frames(scene, self.warn, force=self.force, blocking=blocking)
