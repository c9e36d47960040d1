# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shot the scene has: chooses between sharing, copying and a new one, or finds its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import properties, shot_choices, shot_folders, steps
from ..engine.shared.files import as_text
from ..engine.shared.shot import Shot
from ..jobs import Job, JobOperator, Status
from ..ui import watcher
from . import polls
from .dialogs import AsksForPath
from .reports import reports_errors


class PAINTOVER_OT_shot_choose(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.shot_choose"
    bl_label = "Choose Shot"
    bl_description = "Choose what happens to a shot that another scene or .blend has too"
    bl_options = {"REGISTER", "UNDO"}

    asks_for_owner = False

    action: EnumProperty(
        name="Action",
        description="What happens to the shot",
        items=(
            ("KEEP", "Go On with This Shot", "The shot belongs to this scene from now on"),
            ("COPY", "Copy Shot", "Copy the shot folder, and go on with the copy"),
            ("NEW", "New Shot", "Leave the shot to the other one, and start a new one"),
        ),
    )

    @classmethod
    def description(cls, context: bpy.types.Context, options: Any) -> str:
        actions: Any = options.bl_rna.properties["action"]
        return str(actions.enum_items[options.action].description)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        return shot_choices.choose(properties.scene_of(context), self.action)


class PAINTOVER_OT_shot_find(AsksForPath, polls.PolledOperator):
    bl_idname = "paintover.shot_find"
    bl_label = "Choose Folder"
    bl_description = "Choose the folder where the shot is now"
    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(
        description="Folder of the shot", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene = properties.scene_of(context)
        folder = Path(bpy.path.abspath(self.directory))
        Shot.open(folder)  # or it says what is wrong there
        given = shot_folders.relative(folder, shot_folders.blend_of(scene))
        properties.of(scene).folder = given
        self.report({"INFO"}, f"The shot is in {as_text(folder)}")
        watcher.refresh()
        return {"FINISHED"}


class PAINTOVER_OT_shot_match(polls.PolledOperator):
    bl_idname = "paintover.shot_match"
    bl_label = "Match Scene to Shot"
    bl_description = (
        "Set the resolution and the frame range of the scene to those of the shot, and the frame "
        "rate to that of its movie"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_shot(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = context.scene
        manifest = steps.open_shot(scene).manifest
        render = scene.render
        render.resolution_x, render.resolution_y = manifest.width, manifest.height
        render.resolution_percentage = 100
        scene.frame_start, scene.frame_end = manifest.frame_start, manifest.frame_end
        what = "the resolution and the frame range"
        if manifest.source.get("rate") == "movie":
            render.fps = max(1, round(manifest.fps))
            render.fps_base = render.fps / manifest.fps
            what = "the resolution, the frame range and the frame rate"
        self.report({"INFO"}, f"The scene has {what} of the shot")
        watcher.refresh()
        return {"FINISHED"}


classes = (PAINTOVER_OT_shot_choose, PAINTOVER_OT_shot_find, PAINTOVER_OT_shot_match)
