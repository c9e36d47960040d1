# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the node showing all frames that are stylized, also by a farm or another Blender."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import properties
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.shot import Shot
from . import compositing, group, status


def follow(scene: bpy.types.Scene, shot: Shot, frames: Sequence[int]) -> None:
    """Show the stylized frames if they are others than the node shows.

    Args:
        scene: the scene; left alone while Blender renders.
        shot: the scene's shot.
        frames: the frames that are stylized with the scene's style in its file format.
    """
    ours = status.node(scene)
    content = group.content(ours.node_tree) if ours else None
    settings = properties.of(scene)
    if (
        content is not None
        and (content.style, content.suffix) == (settings.style, f".{settings.format}")
        and content.frames != format_frames(frames)
        and not bpy.app.is_job_running("RENDER")
    ):
        with contextlib.suppress(PaintoverError):  # the state of the step says what is wrong
            compositing.refresh(scene, shot)


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: Any) -> None:
    for scene in bpy.data.scenes:
        if status.node(scene) is None or not scene.is_editable:
            continue
        settings = properties.of(scene)
        with contextlib.suppress(PaintoverError):  # there is no shot, or it cannot be read
            shot = Shot.open(properties.shot_folder(scene))
            follow(scene, shot, shot.out_frames(settings.style, f".{settings.format}"))


def register() -> None:
    handlers: Any = bpy.app.handlers
    handlers.load_post.append(_after_load)


def unregister() -> None:
    handlers: Any = bpy.app.handlers
    if _after_load in handlers.load_post:
        handlers.load_post.remove(_after_load)
