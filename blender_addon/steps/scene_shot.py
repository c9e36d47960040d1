# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot of a scene, and whether it is painted."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from .. import shot_folders
from ..engine.shared.errors import PaintoverError
from ..engine.shared.keyframes.names import describe_unused
from ..engine.shared.shot import Shot
from ..keyframes import images as keyframe_images

Warn = Callable[[str], None]
"""Receives warnings as sentences for the user."""


def open_shot(scene: bpy.types.Scene) -> Shot:
    """Open the scene's shot. Raises PaintoverError if there is none, or if it has vanished."""
    return Shot.open(shot_folders.folder_to_write(scene))


def open_painted(scene: bpy.types.Scene) -> Shot:
    """Open the scene's shot after its unsaved paint is saved.

    Raises:
        PaintoverError: there is no shot, it has vanished, or no keyframe is painted.
    """
    shot = open_shot(scene)
    keyframe_images.save_unsaved(shot)
    check_painted(shot)
    return shot


def check_painted(shot: Shot) -> None:
    """Raise PaintoverError if no keyframe is painted."""
    keys = shot.key_frames()
    unused = describe_unused(shot)
    if not keys:
        way_out = unused or "add one and paint on it"
        raise PaintoverError(f"The shot {shot.folder} has no keyframe yet; {way_out}.")
    if not shot.painted_keys():
        raise PaintoverError(
            f"{shot.key_path(keys[0])} still equals the rendered frame; paint on it first"
            f"{'; ' * bool(unused)}{unused}."
        )
