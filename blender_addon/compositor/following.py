# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the node showing all frames that are stylized, also by a farm or another Blender."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import logs, properties
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.shot import Shot
from ..handlers import Handlers
from . import compositing, group, sequences, status

_log = logs.logger(__name__)

_seen: dict[Path, int] = {}
"""Folder of stylized frames → ``written`` when they were shown last."""
_NEVER = -1


def follow(
    scene: bpy.types.Scene, shot: Shot, frames: Sequence[int], written: int | None = None
) -> None:
    """Show the stylized frames as they are now, in the node and in Image Editors.

    Args:
        scene: the scene; left alone while Blender renders.
        shot: the scene's shot.
        frames: the frames that are stylized with the scene's style in its file format.
        written: when one of them was written last, by any clock; None if not known.
    """
    if bpy.app.is_job_running("RENDER"):
        return
    settings = properties.of(scene)
    has_changed = False
    if written is not None and frames:
        folder = shot.out_path(settings.style, frames[0]).parent
        has_changed = _seen.setdefault(folder, written) != written
        _seen[folder] = written
        if has_changed:
            try:
                sequences.reload_all(folder, shot)
            except PaintoverError as error:
                _log.debug("%s", error)  # such as a frame that is only half copied yet
                _seen[folder] = _NEVER
    ours = status.node(scene)
    content = group.content(ours.node_tree) if ours else None
    if (
        content is not None
        and (content.style, content.suffix) == (settings.style, f".{settings.format}")
        and (has_changed or content.frames != format_frames(frames))
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


_HANDLERS = Handlers(load_post=_after_load)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
