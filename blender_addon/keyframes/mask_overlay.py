# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the painting over its mask in the Image Editor, so that one sees where to paint."""

from __future__ import annotations

from typing import Any

import bpy
import gpu

from .. import logs
from ..live import drawing
from . import images, masks

_log = logs.logger(__name__)

OPACITY = 0.6
"""Of the painting over its mask: pale where the mask is white, dark where it is black."""
_drawn: list[Any] = []


def _draw() -> None:
    context: Any = bpy.context
    shown = masks.of_image(context.space_data.image)
    if shown is None:
        return
    shot, frame = shown
    painting = images.find_image(shot.key_path(frame))
    corners = context.region.view2d
    left, bottom = corners.view_to_region(0, 0, clip=False)
    right, top = corners.view_to_region(1, 1, clip=False)
    if painting is not None and 0 not in painting.size:
        box = drawing.Box(left, bottom, right, top)
        drawing.image(gpu.texture.from_image(painting), box, OPACITY)
    text = f"Mask of frame {frame}: white is learnt"
    drawing.text(text, (left + right) / 2, bottom + 6, right - left, centred=True)


def _guarded() -> None:
    try:
        _draw()
    except Exception:  # else Blender would write it at every redraw
        _log.exception("The painting cannot be drawn over its mask")


def register() -> None:
    editors: Any = bpy.types.SpaceImageEditor
    _drawn.append(editors.draw_handler_add(_guarded, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _drawn:
        bpy.types.SpaceImageEditor.draw_handler_remove(_drawn.pop(), "WINDOW")
