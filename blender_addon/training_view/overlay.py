# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the large picture of a training into the Image Editors that show it."""

from __future__ import annotations

from typing import Any

import bpy

from ..draw_handlers import DrawHandlers
from ..live import drawing
from ..live.drawing import Box
from ..picture_editors import TRAINING
from . import view


def caption(pane: view.Pane) -> str:
    """Return what a picture shows, in a few words."""
    if pane.texture is None:
        return "The next picture comes in some seconds"
    if pane.what == "PAINTING":
        return f"Painting of frame {pane.frame}"
    return f"{'Render' if pane.what == 'RENDER' else 'Result'} of frame {pane.frame}"


def _draw() -> None:
    shown = view.current()
    context: Any = bpy.context
    if shown is None or not TRAINING.is_shown_in(context.space_data):
        return
    region = context.region
    corners = region.view2d
    left, bottom = corners.view_to_region(0, 0, clip=False)
    right, top = corners.view_to_region(1, 1, clip=False)
    panes = shown.panes(view.settings().pictures)
    width = (right - left) / len(panes)
    scale = drawing.ui_scale()
    for number, pane in enumerate(panes):
        box = Box(left + number * width, bottom, left + (number + 1) * width, top)
        if pane.texture is not None:
            drawing.picture(pane.texture, box)
        drawing.text(
            caption(pane), (box.left + box.right) / 2, bottom + 6 * scale, width, centred=True
        )


_handlers = DrawHandlers(
    "The picture of the training cannot be drawn", (bpy.types.SpaceImageEditor, _draw)
)


def register() -> None:
    _handlers.add()


def unregister() -> None:
    _handlers.remove()
