# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing pictures in the Image Editor: one to paint on, or a sequence that follows the scene."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from . import sequences
from .engine.shot import Shot


def show(context: bpy.types.Context, image: Any, mode: Literal["PAINT", "VIEW"]) -> Any:
    """Show an image: in the Image Editor in hand, else the largest, else in a new window.

    Returns:
        The editor's space.
    """
    manager: Any = context.window_manager
    areas = [area for window in manager.windows for area in window.screen.areas]
    editors = [area for area in areas if area.type == "IMAGE_EDITOR"]
    if context.area in editors:
        area: Any = context.area
    elif editors:
        area = max(editors, key=lambda editor: editor.width * editor.height)
    else:
        bpy.ops.wm.window_new()
        area = manager.windows[-1].screen.areas[0]
        area.ui_type = "IMAGE_EDITOR"
    space = area.spaces.active
    space.image = image
    space.ui_mode = mode
    space.show_region_toolbar = mode == "PAINT"
    space.show_region_ui = True
    return space


def show_preview(context: bpy.types.Context, shot: Shot, name: str) -> None:
    """Show the previews in ``out/NAME``, each at its frame of the scene."""
    frames = [frame for frame in shot.frames if shot.out_path(name, frame).is_file()]
    first = shot.out_path(name, frames[0])
    image = sequences.load(sequences.find(first.parent), "Preview", first)
    sequences.play(show(context, image, "VIEW").image_user, frames)
