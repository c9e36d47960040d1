# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene made ready for the capture, and given back whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ..engine.shared.errors import PaintoverError
from . import scene_state, surface

_POLL_SECONDS = 0.1
_in_use: list[Preparation] = []


class Preparation:
    """What the capture needs of the scene, from ``begin`` to ``end``.

    A .blend that is saved meanwhile has nothing of it. An undo meanwhile leaves no reference
    dangling, for none is kept.
    """

    def __init__(
        self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, *, blocking: bool
    ) -> None:
        self._scene = scene.session_uid
        self._name = scene.name
        self._layer = layer.name
        self._blocking = blocking
        self._display = ""

    def begin(self) -> None:
        """Change the scene."""
        _in_use.append(self)
        bpy.app.handlers.save_pre.append(self._give_back)
        bpy.app.handlers.save_post.append(self._change)
        if not self._blocking:
            # The interface is not locked: a lock would stop panels, and so progress and Cancel.
            view = _preferences_view()
            self._display, view.render_display_type = view.render_display_type, "NONE"
        self._change()

    def scene_and_layer(self) -> tuple[bpy.types.Scene, bpy.types.ViewLayer]:
        """Return the scene and the view layer. Raises PaintoverError where they are gone."""
        scene = self._find()
        if scene is None or not surface.is_added() or not scene_state.is_changed(scene):
            raise PaintoverError(
                f'The scene "{self._name}" was undone, changed or removed during the capture; '
                "capture again to go on."
            )
        return scene, scene.view_layers[self._layer]

    def end(self) -> None:
        """Give the scene back; if Blender still renders a frame that was given up, right after."""
        if self._end_if_idle() is not None:
            bpy.app.timers.register(self._end_if_idle, first_interval=_POLL_SECONDS)

    def _end_if_idle(self) -> float | None:
        if bpy.app.is_job_running("RENDER"):
            return _POLL_SECONDS
        _remove(bpy.app.handlers.save_pre, self._give_back)
        _remove(bpy.app.handlers.save_post, self._change)
        if self._display:
            _preferences_view().render_display_type = self._display
        _in_use.remove(self)
        self._give_back()
        return None

    def _find(self) -> bpy.types.Scene | None:
        """Find the scene by its number, which outlives an undo and is of no other .blend."""
        for scene in bpy.data.scenes:
            if scene.session_uid == self._scene and self._layer in scene.view_layers:
                return scene
        return None

    def _change(self, *_: Any) -> None:
        scene = self._find()
        if scene is not None:
            surface.add(scene.render.engine)
            scene_state.change(scene, scene.view_layers[self._layer])

    def _give_back(self, *_: Any) -> None:
        _clean_up()


def _clean_up() -> None:
    surface.remove()
    for scene in bpy.data.scenes:
        scene_state.restore(scene)


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def _clean_up_after_undo_or_load(*_: Any) -> None:
    """Take away what a capture left in an undo step, or in a .blend recovered from a crash."""
    left = surface.is_added() or any(map(scene_state.is_changed, bpy.data.scenes))
    if left and not _in_use:
        _clean_up()


def _preferences_view() -> Any:
    preferences: Any = bpy.context.preferences
    return preferences.view


def _remove(handlers: list[Callable[..., Any]], handler: Callable[..., Any]) -> None:
    if handler in handlers:
        handlers.remove(handler)


def _handlers() -> tuple[list[Callable[..., Any]], ...]:
    every: Any = bpy.app.handlers
    return every.undo_post, every.redo_post, every.load_post


def register() -> None:
    for handlers in _handlers():
        handlers.append(_clean_up_after_undo_or_load)


def unregister() -> None:
    for handlers in _handlers():
        _remove(handlers, _clean_up_after_undo_or_load)
