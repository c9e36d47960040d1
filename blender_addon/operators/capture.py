# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture: renders the frames with passes, or imports an image sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import messages, properties, states, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.freshness import Step
from ..jobs import Job, JobOperator, Status
from . import dialogs, polls


class PAINTOVER_OT_capture(polls.PolledOperator, JobOperator):
    bl_idname = "paintover.capture"
    bl_label = "Capture"
    bl_description = (
        "Render the frames that are missing or have other render settings. If there are none, "
        "asks whether to render all again, as changes of the scene's content are not detected"
    )

    force: BoolProperty(
        name="Force",
        description="Also render frames that are up to date, such as after changes of the scene",
        options={"SKIP_SAVE"},
    )
    source_folder: StringProperty(
        name="Pictures",
        description="Import the pictures in this folder, or this movie, instead of rendering. "
        "The pictures' names must contain the frame numbers",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_place(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        asks = not (self.force or self.source_folder or bpy.app.background)
        if asks and is_up_to_date(properties.scene_of(context)):
            operators: Any = bpy.ops
            operators.paintover.capture_again("INVOKE_DEFAULT")
            return {"CANCELLED"}
        return super().invoke(context, event)

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        scene = properties.scene_of(context)
        if self.source_folder:
            pictures = Path(bpy.path.abspath(self.source_folder))
            return steps.import_pictures(scene, self.warn, pictures)
        return steps.capture_frames(scene, self.warn, force=self.force, blocking=blocking)


def is_up_to_date(scene: bpy.types.Scene) -> bool:
    """Return whether Capture would render nothing, although it may: all frames are up to date."""
    try:
        snapshot = states.look(scene)
    except PaintoverError:
        return False
    shot = snapshot.shot
    may_render = shot is not None and shot.manifest.source.get("kind") == "blender"
    return may_render and not snapshot.owner and snapshot.steps["capture"].step is Step.UP_TO_DATE


class PAINTOVER_OT_capture_again(polls.PolledOperator):
    bl_idname = "paintover.capture_again"
    bl_label = "Capture Again"
    bl_description = "Render all frames again, such as after changes of the scene's content"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        title = "All Frames Are Captured"
        return dialogs.ask(self, context, title=title, button=self.bl_label, width=380)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        column = layout.column(align=True)
        column.label(text="Paintover can't see whether objects, lights, materials or")
        column.label(text="the animation have changed. Render all frames again?")

    def execute(self, context: bpy.types.Context) -> Status:
        operators: Any = bpy.ops
        operators.paintover.capture("INVOKE_DEFAULT", force=True)
        return {"FINISHED"}


class PAINTOVER_OT_capture_pictures(dialogs.AsksForPath, polls.PolledOperator):
    bl_idname = "paintover.capture_pictures"
    bl_label = "Import Pictures"
    bl_description = (
        "Choose a movie, or a picture of a sequence, to paint over instead of the scene"
    )

    filepath: StringProperty(
        description="Movie, or a picture of a sequence",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.idle() or polls.has_place(context) or polls.has_engine()

    def execute(self, context: bpy.types.Context) -> Status:
        if not self.filepath:
            self.report({"ERROR"}, "Choose a movie, or a picture of a sequence.")
            return {"CANCELLED"}
        chosen = Path(bpy.path.abspath(self.filepath))
        paths: Any = bpy.path
        suffixes = set(paths.extensions_image) - {".gif"}
        is_picture = chosen.suffix.lower() in suffixes and not chosen.is_dir()
        operators: Any = bpy.ops
        try:
            operators.paintover.capture(
                "INVOKE_DEFAULT", source_folder=str(chosen.parent if is_picture else chosen)
            )
        except RuntimeError as error:
            self.report({"ERROR"}, messages.reported(error))
            return {"CANCELLED"}
        return {"FINISHED"}


classes = (PAINTOVER_OT_capture, PAINTOVER_OT_capture_again, PAINTOVER_OT_capture_pictures)
