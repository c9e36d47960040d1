# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices that a stroke has ended, in the Image Editor or in the 3D viewport.

Blender has no event for it. A key map item sees the press of the mouse or pen and lets it through;
from then on ``Window.modal_operators`` tells when the brush is lifted. A modal operator of our own
would see no release (the brush takes it) and would stop Blender's auto-save. Undo and redo have
handlers. Fill, paste and other tools update the dependency graph without any data in it. Scripts
that set pixels do nothing of all this, so every few seconds the images are read anyway.
"""

from __future__ import annotations

import time
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..handlers import Handlers
from . import timings

PRESS_OPERATOR = "paintover.live_press"
_PAINTING = ("PAINT_OT_", "SCULPT_OT_", "GPENCIL_OT_")
_IDLE_SECONDS = 3.0
_CHEAP_SECONDS = 0.008
"""Longest reading of an image that may be done without a sign of a stroke."""
_SHARE = 0.05
"""Largest share of the time that reading after signs other than strokes may take."""


class StrokeWatch:
    """Tells when images must be read."""

    def __init__(self) -> None:
        self._is_pressed = False
        self._has_sign = True
        self._last = 0.0
        self.updates = 0
        """Increases when the data of the scene change."""

    def press(self) -> None:
        """Note that a stroke begins."""
        self._is_pressed = True

    def sign(self) -> None:
        """Note that something else may have painted."""
        self._has_sign = True

    def due(self, slowest: float) -> bool:
        """Return whether to read the images now.

        Args:
            slowest: seconds that reading takes.
        """
        now = time.monotonic()
        if not (self._is_pressed or self._has_sign):
            idle = now - self._last > _IDLE_SECONDS and slowest < _CHEAP_SECONDS
            if not idle or stroke_runs():
                return False
        elif stroke_runs():
            self._is_pressed = True  # it ends later, whatever began it
            return False
        elif not self._is_pressed and now - self._last < slowest / _SHARE:
            return False
        self._is_pressed = self._has_sign = False
        self._last = now
        return True


def stroke_runs() -> bool:
    """Return whether a brush is down in any window."""
    manager: Any = bpy.context.window_manager
    return any(
        operator.bl_idname.startswith(_PAINTING)
        for window in manager.windows
        for operator in window.modal_operators
    )


_watch: StrokeWatch | None = None
_items: list[tuple[Any, Any]] = []


def start() -> StrokeWatch:
    """Begin to watch, in place of any watch before."""
    global _watch  # noqa: PLW0603 - one watch in a Blender process
    stop()
    _watch = StrokeWatch()
    manager: Any = bpy.context.window_manager
    settings = manager.keyconfigs.addon
    if settings is not None:  # None in background mode
        keymap = settings.keymaps.new("Image Paint", space_type="EMPTY")
        item = keymap.keymap_items.new(PRESS_OPERATOR, "LEFTMOUSE", "PRESS", any=True, head=True)
        _items.append((keymap, item))
    _HANDLERS.add()
    return _watch


def stop() -> None:
    """End watching, and leave nothing."""
    global _watch  # noqa: PLW0603
    if _watch is None:
        return
    _watch = None
    while _items:
        keymap, item = _items.pop()
        keymap.keymap_items.remove(item)
    _HANDLERS.remove()


def note_press() -> None:
    """Note that the mouse or pen was pressed over something that is painted on."""
    if _watch is not None:
        _watch.press()


@persistent  # type: ignore[untyped-decorator]
@timings.measured("after undo")
def _after_undo(*_: Any) -> None:
    if _watch is not None:
        _watch.sign()


@persistent  # type: ignore[untyped-decorator]
@timings.measured("after update")
def _after_update(_: Any, depsgraph: Any = None) -> None:
    if _watch is None or depsgraph is None:
        return
    if depsgraph.updates:
        _watch.updates += 1
    else:
        _watch.sign()


_HANDLERS = Handlers(
    undo_post=_after_undo, redo_post=_after_undo, depsgraph_update_post=_after_update
)
