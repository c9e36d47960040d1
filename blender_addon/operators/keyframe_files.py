# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes and other programs: painted there, and dropped into Blender's window as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import CollectionProperty, StringProperty

from .. import messages, properties, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import as_text
from ..engine.shared.pictures.frame_numbers import NamePattern, frame_named, stem_of
from ..engine.shared.shot import Shot
from ..jobs import Status
from ..keyframes import images, paint_program, paintings
from ..ui.text import draw_wrapped
from . import dialogs
from .keyframe_operator import CURRENT, KeyframeOperator


class PAINTOVER_OT_keyframe_open_in(KeyframeOperator):
    bl_idname = "paintover.keyframe_open_in"
    bl_label = "Open in Paint Program"
    bl_description = (
        "Open the painting in the Image Editor of Preferences > File Paths > Applications. What "
        "you save there is read at once"
    )

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        if frame not in shot.key_frames():
            raise PaintoverError(f"Frame {frame} is not a keyframe; add it first.")
        program = paint_program.chosen()
        images.save_unsaved(shot)
        paint_program.open_file(program, shot.key_path(frame))
        return f"{shot.key_path(frame).name} opens in {program.stem}; save it there"


class PAINTOVER_OT_keyframe_drop(KeyframeOperator):
    bl_idname = "paintover.keyframe_drop"
    bl_label = "Use as Keyframe"
    bl_description = "Use pictures as paintings of the frames that their names tell"

    # Set by Blender when files are dropped.
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"})
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if not self.may_change_shot(context):
            return {"CANCELLED"}
        scene = properties.scene_of(context)
        try:
            shot = steps.open_shot(scene)
            found = self._paintings(shot, scene.frame_current)
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        if len(found) == 1:
            (self.frame,) = found
        return dialogs.ask(self, context, title="Use as Keyframe", button="Use", width=360)

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        scene = properties.scene_of(context)
        try:
            shot = steps.open_shot(scene)
            found = self._paintings(shot, scene.frame_current)
        except PaintoverError as error:
            draw_wrapped(layout, messages.shown(error), "ERROR", context)
            return
        if len(found) == 1:
            layout.prop(self, "frame")
        for frame, path in found.items():
            layout.label(text=as_text(f"Frame {frame}: {path.name}"), icon="IMAGE_DATA")
            if paintings.has_painting(shot, frame):
                layout.label(text="Replaces its painting, which is kept", icon="ERROR")

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        found = self._paintings(shot, frame)
        sentences = [paintings.add(shot, each, str(path)) for each, path in found.items()]
        return "; ".join(sentences)

    def _paintings(self, shot: Shot, current: int) -> dict[int, Path]:
        """Return frame → file: by the names of the files; a single one may be given its frame.

        Raises:
            PaintoverError: a name tells no frame of the shot, or two tell the same.
        """
        folder = Path(bpy.path.abspath(self.directory or "//"))
        paths = [folder / each.name for each in self.files if each.name]
        paths = paths or [Path(bpy.path.abspath(self.filepath))] * bool(self.filepath)
        if not paths:
            raise PaintoverError("Drop the file of a painting, PNG or EXR.")
        found: dict[int, Path] = {}
        for path in paths:
            frame = frame_named(stem_of(path), NamePattern())
            if len(paths) == 1:
                known = frame if frame in shot.manifest.frames else current
                return {known if self.frame == CURRENT else self.frame: path}
            if frame is None or frame not in shot.manifest.frames:
                raise PaintoverError(
                    f"{path.name} does not tell which frame of the shot it is; drop it alone, or "
                    f"name it after its frame, such as {shot.frames[0]:04d}.png."
                )
            if frame in found:
                raise PaintoverError(
                    f"{found[frame].name} and {path.name} are both of frame {frame}; drop one."
                )
            found[frame] = path
        return dict(sorted(found.items()))


classes = (PAINTOVER_OT_keyframe_open_in, PAINTOVER_OT_keyframe_drop)
