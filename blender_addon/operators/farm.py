# SPDX-License-Identifier: GPL-3.0-or-later
"""Farm: writes a job that a render farm runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import farm_export, properties
from ..engine.shared.errors import PaintoverError
from ..jobs import Status
from . import polls


class PAINTOVER_OT_farm_export(polls.PolledOperator):
    bl_idname = "paintover.farm_export"
    bl_label = "Export Farm Job"
    bl_description = (
        "Write a folder with this shot as a job for render farms, in the format Open Job "
        "Description, which AWS Deadline Cloud and others take"
    )

    directory: StringProperty(
        name="Folder", description="Folder of the job", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    gpu: BoolProperty(name="Train on a GPU", description="Only workers with a GPU train the style")
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        manager: Any = context.window_manager
        manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        try:
            if not self.directory:
                raise PaintoverError("Choose a folder for the job.")
            folder = Path(bpy.path.abspath(self.directory))
            sentence = farm_export.write_openjd(scene, folder, on_gpu=self.gpu)
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, sentence)
        return {"FINISHED"}


classes = (PAINTOVER_OT_farm_export,)
