# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames in ``out/`` as Blender's image sequences."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy


def load(found: Any | None, name: str, path: Path) -> Any:
    """Return a sequence that reads its files anew and shows their codes as they are.

    Args:
        found: an image to take; None: a new one is made.
        name: of the image.
        path: one of the files: PNG with straight alpha, or EXR, linear and premultiplied.
    """
    image: Any = found or bpy.data.images.load(str(path), check_existing=False)
    linear = path.suffix == ".exr"
    image.name = name
    image.filepath = str(path)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = "Linear Rec.709" if linear else "sRGB"
    image.alpha_mode = "PREMUL" if linear else "STRAIGHT"
    image.use_view_as_render = False
    if bpy.data.filepath:
        with contextlib.suppress(ValueError):  # on another drive there is no relative path
            image.filepath = bpy.path.relpath(str(path))
    reload(image)
    return image


def find(folder: Path) -> Any | None:
    """Return a sequence of files in a folder, or None."""
    for image in bpy.data.images:
        path = Path(bpy.path.abspath(image.filepath, library=image.library))
        if image.source == "SEQUENCE" and path.parent.resolve() == folder.resolve():
            return image
    return None


def reload(image: Any) -> None:
    """Have Blender read the files anew; the compositor's backdrop does not by itself."""
    image.reload()
    image.update_tag()


def play(user: Any, frames: list[int]) -> None:
    """Show each file at its frame of the scene.

    Args:
        user: an Image node, or the image user of an editor.
        frames: those that there are, sorted.
    """
    # Blender shows file number = scene frame - frame_start + 1 + frame_offset.
    user.frame_start, user.frame_offset = frames[0], frames[0] - 1
    user.frame_duration = frames[-1] - frames[0] + 1
    user.use_cyclic, user.use_auto_refresh = False, True
