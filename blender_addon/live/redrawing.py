# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender draws again when something of a live session changes: only what shows it.

Drawing a viewport takes as long as a step of learning where there is no graphics card.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from .. import picture_editors
from . import settings
from .viewport import PaintedViewport

_STATE_SPACES = {"VIEW_3D", "IMAGE_EDITOR", "DOPESHEET_EDITOR"}
_STATE_REGIONS = {"HEADER", "UI"}


def everything() -> None:
    """Draw all again that shows the session, as it begins and ends."""
    state()
    cache()
    viewport()


def state() -> None:
    """Draw again what tells the session's state in words: headers, sidebars, captions."""
    for area in _areas():
        if area.type in _STATE_SPACES:
            for region in area.regions:
                if region.type in _STATE_REGIONS:
                    region.tag_redraw()
    picture()


def picture() -> None:
    """Draw again where the picture of the current frame is shown."""
    for area in _areas():
        space = area.spaces.active
        is_camera = area.type == "VIEW_3D" and space.region_3d.view_perspective == "CAMERA"
        if is_camera or picture_editors.LIVE.is_shown_in(space):
            _redraw_window_of(area)


def cache() -> None:
    """Draw the bars again that show which frames are ready."""
    for area in _areas():
        is_picture = picture_editors.LIVE.is_shown_in(area.spaces.active)
        if is_picture or area.type == "DOPESHEET_EDITOR":
            _redraw_window_of(area)


def viewport() -> None:
    """Draw the painted viewport again."""
    area = PaintedViewport.area()
    if area is not None and settings.of_session().viewport:
        _redraw_window_of(area)


def _areas() -> Iterator[Any]:
    manager: Any = bpy.context.window_manager
    for window in manager.windows:
        yield from window.screen.areas


def _redraw_window_of(area: Any) -> None:
    for region in area.regions:
        if region.type == "WINDOW":
            region.tag_redraw()
