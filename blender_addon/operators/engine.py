# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs and removes the engine's Python environment."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ..engine.shared.errors import PaintoverError
from ..engine_process import client as engine_client
from ..engine_process import environment as engine_python
from ..jobs import Job, JobOperator, Status
from . import polls


class PAINTOVER_OT_engine_install(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.engine_install"
    bl_label = "Install Engine"
    bl_description = (
        "Download PyTorch and the other packages of the engine into a folder of the add-on"
    )

    asks_for_owner = False

    wheels_folder: StringProperty(
        name="Wheels Folder",
        description="Install the wheels in this folder, without a network",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    python: StringProperty(
        name="Python",
        description="Python 3.11 or later that makes the environment. Leave empty to use Blender's",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        engine_client.stop()
        return engine_python.install(self.python, self.wheels_folder)


class PAINTOVER_OT_engine_install_offline(bpy.types.Operator):
    bl_idname = "paintover.engine_install_offline"
    bl_label = "Install From Folder"
    bl_description = "Choose a folder of wheels and install the engine from it, without a network"

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        manager: Any = context.window_manager
        manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Status:
        operators: Any = bpy.ops
        operators.paintover.engine_install("INVOKE_DEFAULT", wheels_folder=self.directory)
        return {"FINISHED"}


class PAINTOVER_OT_engine_remove(polls.PolledOperator):
    bl_idname = "paintover.engine_remove"
    bl_label = "Remove Engine"
    bl_description = "Delete the Python environment that the add-on installed"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        manager: Any = context.window_manager
        return manager.invoke_confirm(self, event)  # type: ignore[no-any-return]

    def execute(self, context: bpy.types.Context) -> Status:
        engine_client.stop()
        try:
            engine_python.remove()
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, "The engine's environment is removed")
        return {"FINISHED"}


classes = (
    PAINTOVER_OT_engine_install,
    PAINTOVER_OT_engine_install_offline,
    PAINTOVER_OT_engine_remove,
)
