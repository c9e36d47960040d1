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

_NOTE = "paintover_viewport"
"""Property of a screen: which of its viewports is plain, and how that was before."""
_SHADINGS = ("WIREFRAME", "SOLID", "MATERIAL", "RENDERED")


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
        now = _Before(
            address,
            overlays or before.overlays,
            shading if shading != plain else before.shading,
        )
        if now != self._before:
            self._before = now
            _note(space, now.overlays, now.shading)

    def put_back(self) -> None:
        """Give the viewport back what was taken from it."""
        before, self._before = self._before, None
        if before is None:
            return
        for screen in _screens():
            screen.pop(_NOTE, None)
            for space in map(_viewport, screen.areas):
                if space is not None and space.as_pointer() == before.address:
                    _give_back(space, before.overlays, before.shading)


def put_back_in_file() -> None:
    """Give viewports back what was taken from them when the loaded file was saved.

    Blender saves by itself, too: while a viewport is plain, and without telling.
    """
    for screen in _screens():
        match str(screen.pop(_NOTE, "")).split():
            case [number, overlays, shading] if number in map(str, range(len(screen.areas))):
                space = _viewport(screen.areas[int(number)])
                if space is not None:
                    _give_back(space, overlays == "True", shading)


def _note(space: Any, overlays: bool, shading: str) -> None:
    for screen in _screens():
        for number, area in enumerate(screen.areas):
            if _viewport(area) == space:
                screen[_NOTE] = f"{number} {overlays} {shading}"


def _screens() -> list[Any]:
    screens: Any = bpy.data.screens
    return list(screens)


def _viewport(area: Any) -> Any:
    """Return the 3D viewport of an area, None if it is no viewport."""
    space = area.spaces.active
    return space if space is not None and space.type == "VIEW_3D" else None


def _give_back(space: Any, overlays: bool, shading: str) -> None:
    if overlays:
        space.overlay.show_overlays = True
    if shading != space.shading.type and shading in _SHADINGS:
        space.shading.type = shading


def _plain_shading(space: Any) -> str:
    if settings.preferences().view_shading == settings.AS_SHOWN:
        return str(space.shading.type)
    return "SOLID"
