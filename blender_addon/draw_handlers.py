# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over Blender's editors, begun and ended together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import logs

_log = logs.logger(__name__)


class DrawHandlers:
    """What a module draws over editors, in pixels of their main regions.

    Args:
        trouble: sentence for the log where drawing fails.
        draws: kinds of editors, such as ``bpy.types.SpaceImageEditor``, and what draws over them.
    """

    def __init__(self, trouble: str, *draws: tuple[Any, Callable[[], None]]) -> None:
        self._trouble, self._draws = trouble, draws
        self._drawn: list[tuple[Any, Any]] = []

    def add(self) -> None:
        """Let Blender draw it."""
        for space, draw in self._draws:
            handler = space.draw_handler_add(self._guarded, (draw,), "WINDOW", "POST_PIXEL")
            self._drawn.append((space, handler))

    def remove(self) -> None:
        """Let Blender draw it no more."""
        while self._drawn:
            space, handler = self._drawn.pop()
            space.draw_handler_remove(handler, "WINDOW")

    def _guarded(self, draw: Callable[[], None]) -> None:
        try:
            draw()
        except Exception:  # else Blender would write it at every redraw
            _log.exception(self._trouble)
