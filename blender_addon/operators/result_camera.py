# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames as the picture of the camera, in the view through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import camera_pictures, compositor, properties, steps
from ..compositor import sequences
from ..engine.shared.files import as_text
from ..engine.shared.shot import Shot
from ..jobs import Status
from . import polls
from .reports import reports_errors


class PAINTOVER_OT_result_camera(polls.PolledOperator):
    bl_idname = "paintover.result_camera"
    bl_label = "Show in Camera"
    bl_description = (
        "Show the stylized frames in front of the scene, in the view through the camera. Pressed "
        "again, it hides them. The render stays the same"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        return polls.has_shot(context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> Status:
        scene: Any = properties.scene_of(context)
        settings = properties.of(scene)
        shot, suffix = steps.open_shot(scene), f".{settings.format}"
        compositor.check_stylized(shot, settings.style, suffix)
        folder = _folder(shot, settings.style, suffix)
        if camera_pictures.is_shown(scene, folder):
            camera_pictures.hide(scene, folder)
            sentence = "The camera shows the scene alone"
        else:
            camera_pictures.show(scene, shot, settings.style, suffix)
            sentence = "The view through the camera shows the stylized frames"
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}


def _folder(shot: Shot, style: str, suffix: str) -> Path:
    """Return the folder of the files, or of the links to them, that Blender plays."""
    first = shot.out_frames(style, suffix)[0]
    links = shot.cache_folder(sequences.FOLDER) / style
    return sequences.arranged({first: shot.out_path(style, first, suffix)}, links).first.parent
