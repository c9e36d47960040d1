# SPDX-License-Identifier: GPL-3.0-or-later
"""Preview and stylize, and the frame to paint next."""

from __future__ import annotations

from typing import Any

import bpy

from .. import compositor, new_results, properties
from ..engine.shared import protocol
from ..engine.shared.checked import from_data
from ..engine.shared.coverage_records import Coverage
from ..engine.shared.flicker_records import describe
from ..engine.shared.frame_lists import counted
from ..engine.shared.shot import Shot
from ..engine.shared.style_header import read_style_header
from ..engine_process import client as engine_client
from ..jobs import Job
from ..keyframes import images as keyframe_images
from ..keyframes import weights as keyframe_weights
from .scene_shot import Warn, open_painted, open_shot


def preview(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
) -> Job[str]:
    """Project the painted keyframes to frames, without training; unsaved paint is saved first.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        frames: None: every frame of the shot.
        force: also paint frames that are up to date.

    Returns:
        The message to report.

    Raises:
        PaintoverError: nothing is painted, or the engine failed.
    """
    shot = open_painted(scene)
    keyframe_weights.write(scene, shot)
    request = protocol.Preview(
        0,
        shot=str(shot.folder),
        style=preview_name(shot),
        frames=frames or [],
        force=force,
        unpainted=properties.of(scene).unpainted,
    )
    result = yield from engine_client.run(request, warn)
    return _done_sentence("Previewed", result)


def preview_name(shot: Shot) -> str:
    """Return the folder name of previews in ``out/``: a name that no trained style has."""
    name, number = "preview", 1
    while shot.style_path(name).is_file():
        number += 1
        name = f"preview-{number}"
    return name


def stylize(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
) -> Job[str]:
    """Stylize frames that are out of date.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        frames: None: every frame of the shot.
        force: also paint frames that are up to date.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there is no style, or the engine failed.
    """
    shot = open_shot(scene)
    settings = properties.of(scene)
    read_style_header(shot.style_path(settings.style))
    keyframe_weights.write(scene, shot)
    request = protocol.Stylize(
        0,
        shot=str(shot.folder),
        style=settings.style,
        frames=frames or [],
        format=settings.format,
        depth=int(settings.depth),
        force=force,
        device=settings.device,
        light=settings.light,
        unpainted=settings.unpainted,
    )
    reference = properties.SceneReference(scene)
    result = yield from engine_client.run(request, warn)
    if result["frames"]:
        new_results.note_painted(shot, request.style)
    compositor.refresh(reference.get(), shot)
    sentence = _done_sentence("Stylized", result)
    if result["unsteady"]:
        sentence += f"; {describe(result['unsteady']).rstrip('.')}"
    return sentence


def suggest(scene: bpy.types.Scene, warn: Warn) -> Job[Coverage]:
    """Find what the paintings show of the shot, and which frames to paint next.

    Unsaved paint is saved first.

    Returns:
        What they show.

    Raises:
        PaintoverError: there is no shot or nothing to paint, or the engine failed.
    """
    shot = open_shot(scene)
    keyframe_images.save_unsaved(shot)
    keyframe_weights.write(scene, shot)
    result = yield from engine_client.run(protocol.Suggest(0, str(shot.folder)), warn)
    return from_data(Coverage, result)


def _done_sentence(verb: str, result: dict[str, Any]) -> str:
    skipped = f"; {result['skipped']} up to date" if result["skipped"] else ""
    return f"{verb} {counted(result['frames'], 'frame')}{skipped}"
