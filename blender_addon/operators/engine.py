# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs, checks, repairs, moves and removes the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..engine.shared.errors import PaintoverError
from ..engine_process import client as engine_client
from ..engine_process import environment as engine_python
from ..engine_setup import (
    builds,
    diagnostics,
    engine_check,
    installation,
    moving,
    record,
    removal,
    status,
)
from ..jobs import Job, JobOperator, Status
from . import polls
from .dialogs import AsksForPath, ask_for_path
from .reports import reports_errors


def _build(name: str, *, blocking: bool) -> str:
    """Return the name of the build to install. Raises PaintoverError if there is none."""
    if name:
        return name
    build = status.chosen_build(wait=blocking)
    if build is None and builds.here():
        raise PaintoverError("The graphics cards are still being looked for; try again at once.")
    return build.name if build else ""


class PAINTOVER_OT_engine_install(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.engine_install"
    bl_label = "Install Engine"
    bl_description = (
        "Download PyTorch and the other packages of the engine. An installation that was stopped "
        "goes on where it was"
    )

    asks_for_owner = False

    build: StringProperty(
        name="Build",
        description="Name of the build, such as linux-x64-cpu. Leave empty for that of the "
        "preferences",
        options={"SKIP_SAVE"},
    )
    wheels_folder: StringProperty(
        name="Wheels Folder",
        description="Install the wheels in this folder, without a network",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    python: StringProperty(
        name="Python",
        description="Python 3.11 to 3.13 that makes the environment. Leave empty to use Blender's",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        engine_client.stop()
        try:
            name = _build(self.build, blocking=blocking)
            wish = installation.Wish(name, self.python, self.wheels_folder)
            return status.remembering(installation.install(wish))
        except PaintoverError as error:
            status.remember_failure(str(error))
            raise


class PAINTOVER_OT_engine_install_offline(AsksForPath, bpy.types.Operator):
    bl_idname = "paintover.engine_install_offline"
    bl_label = "Use Folder of Wheels"
    bl_description = (
        "Choose a folder of wheels and install the engine from it, without a network. "
        "The command “paintover wheels” fills such a folder"
    )

    directory: StringProperty(
        description="Folder of the wheels", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> Status:
        operators: Any = bpy.ops
        operators.paintover.engine_install("INVOKE_DEFAULT", wheels_folder=self.directory)
        return {"FINISHED"}


class PAINTOVER_OT_engine_repair(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.engine_repair"
    bl_label = "Repair Engine"
    bl_description = "Read all files of the engine, and download again what is missing or damaged"

    asks_for_owner = False

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return super().remedy(context) or ("" if record.installed() else "Install the engine first")

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        engine_client.stop()
        known = record.installed()
        assert known
        wish = installation.Wish(known.build, is_repair=True)
        return status.remembering(installation.install(wish))


class PAINTOVER_OT_engine_check(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.engine_check"
    bl_label = "Check Engine"
    bl_description = "Start the engine and train 20 steps on a tiny shot"

    asks_for_owner = False

    python: StringProperty(
        name="Python",
        description="The Python to check, and to use from then on. Leave empty for the one in use",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        return status.remembering(_check(self.python))


def _check(name: str) -> Job[str]:
    if name:
        path = Path(bpy.path.abspath(name))
        if not path.is_file():
            raise PaintoverError(f"There is no Python {path}; choose another one.")
        python = engine_python.EnginePython(path, "from the preferences")
    else:
        python = engine_python.find()
    found = yield from engine_check.check_and_remember(python)
    if name and engine_python.preferences():
        engine_python.preferences().engine_python = str(path)
    if found.gpu_fault:
        return f"The engine works, but the graphics card cannot be used: {found.gpu_fault}"
    return f"The engine works: {found.steps_per_second:g} steps a second on {found.device}"


class PAINTOVER_OT_engine_use_python(AsksForPath, bpy.types.Operator):
    bl_idname = "paintover.engine_use_python"
    bl_label = "Use This Python"
    bl_description = (
        "Choose a Python 3.11 or later that has PyTorch and the other packages. It is checked first"
    )

    filepath: StringProperty(
        description="The program python", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )

    def execute(self, context: bpy.types.Context) -> Status:
        operators: Any = bpy.ops
        operators.paintover.engine_check("INVOKE_DEFAULT", python=self.filepath)
        return {"FINISHED"}


class PAINTOVER_OT_engine_move(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.engine_move"
    bl_label = "Move Engine"
    bl_description = "Choose an empty folder, such as on another disk, and move the engine there"

    asks_for_owner = False

    directory: StringProperty(
        description="Empty folder for the engine", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if self.directory:
            return super().invoke(context, event)
        return ask_for_path(self, context)

    def execute(self, context: bpy.types.Context) -> Status:
        if self.options.is_invoke and not bpy.app.background:
            operators: Any = bpy.ops
            operators.paintover.engine_move("INVOKE_DEFAULT", directory=self.directory)
            return {"FINISHED"}
        return super().execute(context)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        engine_client.stop()
        if not self.directory:
            raise PaintoverError("Choose a folder to move the engine to.")
        target = Path(bpy.path.abspath(self.directory))
        return status.remembering(moving.move(target))


class PAINTOVER_OT_engine_remove(polls.PolledOperator):
    bl_idname = "paintover.engine_remove"
    bl_label = "Remove Engine"
    bl_description = "Delete the engine that was installed, and what earlier versions left of it"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        manager: Any = context.window_manager
        return manager.invoke_confirm(self, event)  # type: ignore[no-any-return]

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        engine_client.stop()
        status.remember_failure("")
        removal.remove()
        self.report({"INFO"}, "The engine is removed")
        return {"FINISHED"}


class PAINTOVER_OT_engine_diagnostics(bpy.types.Operator):
    bl_idname = "paintover.engine_diagnostics"
    bl_label = "Copy Diagnostics"
    bl_description = (
        "Copy what a report of a fault needs: versions, graphics card, engine and the last lines "
        "of its logs. Names and folders are left out"
    )

    def execute(self, context: bpy.types.Context) -> Status:
        manager: Any = context.window_manager
        manager.clipboard = diagnostics.text()
        self.report({"INFO"}, "Copied; paste it into your report")
        return {"FINISHED"}


classes = (
    PAINTOVER_OT_engine_install,
    PAINTOVER_OT_engine_install_offline,
    PAINTOVER_OT_engine_repair,
    PAINTOVER_OT_engine_check,
    PAINTOVER_OT_engine_use_python,
    PAINTOVER_OT_engine_move,
    PAINTOVER_OT_engine_remove,
    PAINTOVER_OT_engine_diagnostics,
)
