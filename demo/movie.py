# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an MP4 through Blender's sequencer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy.typing as npt

from scenes import versions


def write_movie(path: Path, pictures: Sequence[npt.NDArray[Any]], fps: int) -> None:
    """Write pictures to an MP4 (H.264).

    Args:
        path: the file, ending in ``.mp4``.
        pictures: the frames in order, (H, W, 3) uint8, RGB, of one size with even sides.
        fps: frames per second.
    """
    before: Any = bpy.context.window.scene if bpy.context.window else bpy.context.scene
    scene: Any = bpy.data.scenes.new("Movie")
    try:
        with tempfile.TemporaryDirectory() as folder:
            names = []
            for number, picture in enumerate(pictures, 1):
                name = Path(folder) / f"{number:04d}.png"
                cv2.imwrite(str(name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
                names.append(name)
            _cut(scene, names)
            _settings(scene, path, pictures[0].shape, fps)
            bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
        if bpy.context.window:
            bpy.context.window.scene = before


def _cut(scene: Any, names: Sequence[Path]) -> None:
    editor = scene.sequence_editor_create()
    strip = editor.strips.new_image(
        name="Pictures", filepath=str(names[0]), channel=1, frame_start=1, fit_method="ORIGINAL"
    )
    for name in names[1:]:
        strip.elements.append(name.name)
    scene.frame_start, scene.frame_end = 1, len(names)


def _settings(scene: Any, path: Path, shape: tuple[int, ...], fps: int) -> None:
    render = scene.render
    render.resolution_y, render.resolution_x = shape[:2]
    render.resolution_percentage = 100
    render.fps = fps
    render.dither_intensity = 0
    render.use_file_extension = False
    render.filepath = str(path)
    scene.view_settings.view_transform = "Standard"
    versions.set_file_format(render.image_settings, "FFMPEG")
    render.ffmpeg.format = "MPEG4"
    render.ffmpeg.codec = "H264"
    render.ffmpeg.constant_rate_factor = "HIGH"
    render.ffmpeg.audio_codec = "NONE"
