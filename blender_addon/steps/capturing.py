# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture, and the import of pictures instead."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import capture, properties, shot_folders, shot_links
from ..engine.shared import protocol
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import counted
from ..engine.shared.shot import Shot
from ..engine_process import client as engine_client
from ..jobs import Job
from .scene_shot import Warn


def capture_frames(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
    blocking: bool = True,
) -> Job[str]:
    """Render frames into the scene's shot, and write into the scene which shot it has.

    Args:
        scene: its settings and shot are used.
        warn: receives warnings.
        frames: None: the shot's range.
        force: also render frames that are up to date.
        blocking: as in ``capture.capture``.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the scene cannot be rendered, or a file cannot be written.
    """
    folder = shot_folders.folder_to_write(scene)
    source = pictures_of(folder)
    if source:
        return (
            f"The frames of this shot are pictures from {source}; there is nothing to render. To "
            "capture the scene, choose another shot folder"
        )
    reference = properties.SceneReference(scene)
    wanted = properties.frames(scene) if frames is None else frames
    result = capture.CaptureResult()
    try:
        yield from capture.capture(
            scene,
            folder,
            wanted,
            force=force,
            partly=frames is not None,
            blocking=blocking,
            result=result,
        )
    finally:
        _claim(reference, folder)
        for sentence in result.warnings:
            warn(sentence)
    only_mattes = f"rendered the mattes of {counted(len(result.mattes), 'frame')}"
    if result.mattes and not result.rendered:
        return only_mattes.capitalize()
    parts = [f"Captured {counted(len(result.rendered), 'frame')}"]
    parts += [only_mattes] if result.mattes else []
    parts += [f"{len(result.skipped)} up to date"] if result.skipped else []
    return "; ".join(parts)


def import_pictures(scene: bpy.types.Scene, warn: Warn, pictures: Path) -> Job[str]:
    """Import a folder of pictures, or a movie, as the scene's shot.

    A movie keeps its own frame rate; pictures get that of the scene.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there are no fitting pictures, or the engine failed.
    """
    folder = shot_folders.folder_to_write(scene)
    reference = properties.SceneReference(scene)
    fps = properties.frame_rate(scene)
    try:
        result = yield from engine_client.run(
            protocol.ImportPictures(0, str(folder), str(pictures), fps_of_pictures=fps), warn
        )
    finally:
        _claim(reference, folder)
    return (
        f"Imported {counted(result['frames'], 'frame')} from {pictures}, at {result['fps']:.6g} "
        "frames per second"
    )


def pictures_of(folder: Path) -> str:
    """Return where the pictures of an imported shot came from, "" if it is no imported shot."""
    try:
        source = Shot.open(folder).manifest.source
    except PaintoverError:
        return ""
    return str(source.get("input") or "elsewhere") if source.get("kind") == "pictures" else ""


def _claim(reference: properties.SceneReference, folder: Path) -> None:
    scene = reference.find()
    if scene is not None:
        shot_links.claim(scene, folder)
