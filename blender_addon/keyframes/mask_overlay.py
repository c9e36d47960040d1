# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the painting over its mask in the Image Editor, so that one sees where to paint."""

from __future__ import annotations

from typing import Any

import bpy
import gpu

from ..draw_handlers import DrawHandlers
from ..live import drawing
from . import images, masks

OPACITY = 0.6
"""Of the painting over its mask: pale where the mask is white, dark where it is black."""


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


_handlers = DrawHandlers(
    "The painting cannot be drawn over its mask", (bpy.types.SpaceImageEditor, _draw)
)


def register() -> None:
    _handlers.add()


def unregister() -> None:
    _handlers.remove()
