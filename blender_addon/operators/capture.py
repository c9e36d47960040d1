# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture: renders the frames with passes, or imports an image sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import capture, properties
from ..engine.shared import protocol
from ..engine.shared.frame_lists import counted
from ..engine_process import client as engine_client
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
        if self.source_folder:
            return self._import(context.scene)
        return self._render(context.scene, blocking=blocking)

    def _render(self, scene: Any, *, blocking: bool) -> Job[str]:
        result = yield from capture.capture(
            scene,
            properties.shot_folder(scene),
            properties.frames(scene),
            force=self.force,
            blocking=blocking,
        )
        for sentence in result.warnings:
            self.warn(sentence)
        return f"Captured {counted(len(result.rendered), 'frame')}" + (
            f"; {len(result.skipped)} up to date" if result.skipped else ""
        )

    def _import(self, scene: Any) -> Job[str]:
        folder = properties.shot_folder(scene)
        source = Path(bpy.path.abspath(self.source_folder))
        fps = scene.render.fps / scene.render.fps_base
        result = yield from engine_client.run(
            lambda job: protocol.ImportPictures(job, str(folder), str(source), fps=fps),
            self.warn,
        )
        return f"Imported {counted(result['frames'], 'frame')} from {source}"
