# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames in ``out/`` as image sequences of Blender."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy


def load(existing: Any | None, name: str, path: Path) -> Any:
    """Return an image sequence, reloaded, that shows the codes of its files unchanged.

    Args:
        existing: image to reuse; None makes a new one.
        name: name of the image.
        path: one of the files: PNG with straight alpha, or EXR, linear and premultiplied.
    """
    image: Any = existing or bpy.data.images.load(str(path), check_existing=False)
    linear = path.suffix == ".exr"
    image.name = name
    image.filepath = str(path)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = "Linear Rec.709" if linear else "sRGB"
    image.alpha_mode = "PREMUL" if linear else "STRAIGHT"
    image.use_view_as_render = False
    if bpy.data.filepath:
        with contextlib.suppress(ValueError):  # there is no relative path to another drive
            image.filepath = bpy.path.relpath(str(path))
    reload(image)
    return image


def find(folder: Path) -> Any | None:
    """Return the image sequence with files in a folder, or None."""
    for image in bpy.data.images:
        path = Path(bpy.path.abspath(image.filepath, library=image.library))
        if image.source == "SEQUENCE" and path.parent.resolve() == folder.resolve():
            return image
    return None


def reload(image: Any) -> None:
    """Reload the files, and tag the image so that the compositor's backdrop updates."""
    image.reload()
    image.update_tag()


def play(user: Any, frames: list[int]) -> None:
    """Show each file of a sequence at its frame of the scene.

    Args:
        user: an Image node, or the image user of an editor.
        frames: the existing frames, sorted.
    """
    # Blender shows file number = scene frame - frame_start + 1 + frame_offset.
    user.frame_start, user.frame_offset = frames[0], frames[0] - 1
    user.frame_duration = frames[-1] - frames[0] + 1
    user.use_cyclic, user.use_auto_refresh = False, True
