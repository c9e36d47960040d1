# SPDX-License-Identifier: GPL-3.0-or-later
"""Live: the engine learns while you paint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import jobs, messages, picture_editors, properties, shot_folders
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import as_text
from ..engine.shared.live_protocol import LiveFinished
from ..engine_process import environment as engine_python
from ..jobs import Status
from ..keyframes import images as keyframe_images
from ..live import control, strokes
from . import polls
from .reports import reports_errors


class PAINTOVER_OT_live(polls.PolledOperator):
    bl_idname = "paintover.live"
    bl_label = "Live"
    bl_description = (
        "Learn while you paint: every stroke shows in the stylized picture of the current frame "
        "at once, and better as the engine learns. Press again to turn it off"
    )
    bl_options = {"REGISTER"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if control.session() is not None:
            return ""
        if bpy.app.background:
            return "Live needs Blender's window; without one, use python -m engine live"
        if not engine_python.is_found():
            return "Install the engine first"
        return polls.idle() or polls.has_shot(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        if control.session() is not None:
            control.stop()
            return {"FINISHED"}
        scene = properties.scene_of(context)
        remedy = shot_folders.must_choose(scene)
        if remedy:
            raise PaintoverError(remedy)
        control.start(scene)
        return {"FINISHED"}


class _SessionOperator(polls.PolledOperator):
    """Base of operators that need a running session."""

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return "" if control.session() is not None else "Turn Live on first"


class PAINTOVER_OT_live_press(bpy.types.Operator):
    bl_idname = strokes.PRESS_OPERATOR
    bl_label = "Note Stroke"
    bl_description = "Note that a stroke begins, and let the brush have it"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        strokes.note_press()
        return {"PASS_THROUGH"}


class PAINTOVER_OT_live_show(_SessionOperator):
    bl_idname = "paintover.live_show"
    bl_label = "Show Picture Here"
    bl_description = "Show the stylized picture of the current frame in this Image Editor"
    bl_options = {"INTERNAL"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if context.area is None or context.area.type != "IMAGE_EDITOR":
            return "Use it in an Image Editor"
        return super().remedy(context)

    def execute(self, context: bpy.types.Context) -> Status:
        session = control.session()
        if session is None:
            return {"CANCELLED"}
        picture_editors.LIVE.show_in(context.area, session.shot)
        return {"FINISHED"}


class PAINTOVER_OT_live_finish(_SessionOperator):
    bl_idname = "paintover.live_finish"
    bl_label = "Finish"
    bl_description = (
        "Save the paintings, keep what was learnt as the style, and stylize the shot with it, "
        "without training again"
    )

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return super().remedy(context) or polls.idle()

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        session = control.session()
        if session is None:
            return {"CANCELLED"}
        session.finish(_stylize)
        self.report({"INFO"}, "The style is being written; then the shot is stylized")
        return {"FINISHED"}


def _stylize(finished: LiveFinished) -> None:
    """Stylize the shot with what was learnt; called when the engine has written the style."""
    session = control.session()
    if session is None:
        return
    if not finished.path:
        session.warning = finished.sentence
        return
    # Not from the session's own timer, which the operator would hold up.
    bpy.app.timers.register(_start_stylizing)


def _start_stylizing() -> None:
    session = control.session()
    manager: Any = bpy.context.window_manager
    scene = session.scene.find() if session else None
    window = next((each for each in manager.windows if each.scene == scene), None)
    if session is None or window is None or jobs.busy():
        return
    operators: Any = bpy.ops
    try:
        with bpy.context.temp_override(window=window):
            operators.paintover.stylize("INVOKE_DEFAULT")
    except RuntimeError as error:
        session.warning = messages.reported(error)


class PAINTOVER_OT_live_conflict(_SessionOperator):
    bl_idname = "paintover.live_conflict"
    bl_label = "Choose Painting"
    bl_description = "Choose between your unsaved strokes and what another program has saved"

    path: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    use: EnumProperty(
        name="Use",
        description="Which painting to go on with. The other one is kept as a version",
        items=(
            ("STROKES", "My Strokes", "Save the strokes over the file, which is kept as a version"),
            ("FILE", "The File", "Show the file; the strokes are kept as a version"),
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        if properties.use == "FILE":
            return "Show what the other program has saved. Your strokes are kept as a version"
        return "Save your strokes. What the other program has saved is kept as a version"

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        session = control.session()
        if session is None:
            return {"CANCELLED"}
        path = Path(self.path)
        if self.use == "FILE":
            version = keyframe_images.use_file(session.shot, path)
            sentence = f"{path.name} is shown again; your strokes are kept as {version}"
        else:
            keyframe_images.save_unsaved(session.shot)
            sentence = f"Your strokes are saved as {path.name}"
        session.files_were_saved()
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}


classes = (
    PAINTOVER_OT_live,
    PAINTOVER_OT_live_press,
    PAINTOVER_OT_live_show,
    PAINTOVER_OT_live_finish,
    PAINTOVER_OT_live_conflict,
)
