# SPDX-License-Identifier: GPL-3.0-or-later
"""The painted viewport while it is painted: without overlays, in the shading that is chosen.

Nobody sees it below its painted picture. Overlays and other shadings would be drawn into the
picture, and if they were turned off for each picture, Blender would draw the viewport once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from . import settings


@dataclass(frozen=True)
class _Before:
    """How a viewport was, and its address, since it may be gone when it is looked for."""

    address: int
    overlays: bool
    shading: str


class PlainView:
    """Makes one viewport at a time plain, and puts it back."""

    def __init__(self) -> None:
        self._before: _Before | None = None

    def make(self, space: Any) -> None:
        """Make a viewport plain, and put back the one before if it is another.

        What the user has chosen there since counts when it is put back.
        """
        before, address = self._before, space.as_pointer()
        if before is None or before.address != address:
            self.put_back()
            before = _Before(address, False, _plain_shading(space))
        overlays, shading = space.overlay.show_overlays, space.shading.type
        plain = _plain_shading(space)
        # Only what differs is set, since each change makes Blender draw the viewport again.
        if overlays:
            space.overlay.show_overlays = False
        if shading != plain:
            space.shading.type = plain
        self._before = _Before(
            address,
            overlays or before.overlays,
            shading if shading != plain else before.shading,
        )

    def put_back(self) -> None:
        """Give the viewport back what was taken from it."""
        before, self._before = self._before, None
        if before is None:
            return
        screens: Any = bpy.data.screens
        for screen in screens:
            for area in screen.areas:
                space = area.spaces.active
                if space is None or space.type != "VIEW_3D" or space.as_pointer() != before.address:
                    continue
                if before.overlays:
                    space.overlay.show_overlays = True
                if space.shading.type != before.shading:
                    space.shading.type = before.shading


def _plain_shading(space: Any) -> str:
    if settings.preferences().view_shading == settings.AS_SHOWN:
        return str(space.shading.type)
    return "SOLID"
