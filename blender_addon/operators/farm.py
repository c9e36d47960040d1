# SPDX-License-Identifier: GPL-3.0-or-later
"""Farm: writes a job that a render farm runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import farm_export, flamenco, properties
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import as_text
from ..jobs import Status
from . import polls
from .dialogs import AsksForPath
from .reports import reports_errors


class PAINTOVER_OT_farm_export(AsksForPath, polls.PolledOperator):
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
    searches: BoolProperty(
        name="Search for Settings",
        description="Write the job in which several workers search for the training settings of "
        "this shot and then train a style with the best, instead of the job that paints it",
    )
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_painting(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        if not self.directory:
            raise PaintoverError("Choose a folder for the job.")
        folder = Path(bpy.path.abspath(self.directory))
        sentence = farm_export.write_openjd(scene, folder, on_gpu=self.gpu, searches=self.searches)
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}


class PAINTOVER_OT_farm_flamenco(polls.PolledOperator):
    bl_idname = "paintover.farm_flamenco"
    bl_label = "Submit to Flamenco"
    bl_description = (
        "Submit this shot through Flamenco's add-on, as a job of the type Paintover. The shot "
        "folder has to be on storage that all workers see"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if not flamenco.add_on_is_there():
            return "Enable Flamenco's add-on, which its Manager offers for download"
        return polls.idle() or polls.has_painting(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        name = flamenco.fill_add_on(properties.scene_of(context))
        operators: Any = bpy.ops
        submitted: Status = operators.flamenco.submit_job("INVOKE_DEFAULT", job_name=name)
        return {"CANCELLED"} if submitted == {"CANCELLED"} else {"FINISHED"}


classes = (PAINTOVER_OT_farm_export, PAINTOVER_OT_farm_flamenco)
