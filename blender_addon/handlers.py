# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers of Blender's events, added and removed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import bpy

from . import versions


class Handlers:
    """What a module does at events of Blender.

    Args:
        handlers: by the name of their list in ``bpy.app.handlers``, each marked as persistent, else
            Blender drops it when a file is opened. ``exit_pre`` is not there in all versions.
    """

    def __init__(self, **handlers: Callable[..., Any]) -> None:
        self._handlers = handlers

    def add(self) -> None:
        """Let Blender call the handlers."""
        for listed, handler in self._lists():
            listed.append(handler)

    def remove(self) -> None:
        """Let Blender call them no more; those that are not there are left out."""
        for listed, handler in self._lists():
            if handler in listed:
                listed.remove(handler)

    def _lists(self) -> Iterator[tuple[list[Callable[..., Any]], Callable[..., Any]]]:
        every: Any = bpy.app.handlers
        for name, handler in self._handlers.items():
            is_exit = name == "exit_pre"
            yield versions.exit_handlers() if is_exit else getattr(every, name), handler
