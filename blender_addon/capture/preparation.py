# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene made ready for the capture, and given back whatever happens meanwhile."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import PaintoverError
from . import surface
from .scene_state import SceneState

_POLL_SECONDS = 0.1


class Preparation:
    """What the capture needs of the scene, from ``begin`` to ``end``.

    A .blend that is saved meanwhile has nothing of it. Names are kept instead of references,
    which an undo would leave dangling.
    """

    def __init__(
        self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, *, blocking: bool
    ) -> None:
        self._scene = scene.name
        self._layer = layer.name
        self._blocking = blocking
        self._state: SceneState | None = None

    def begin(self) -> None:
        """Change the scene."""
        bpy.app.handlers.save_pre.append(self._give_back)
        bpy.app.handlers.save_post.append(self._change)
        self._change()

    def scene_and_layer(self) -> tuple[bpy.types.Scene, bpy.types.ViewLayer]:
        """Return the scene and the view layer. Raises PaintoverError where they are gone."""
        scene = bpy.data.scenes.get(self._scene)
        if scene is None or self._layer not in scene.view_layers or not surface.is_added():
            raise PaintoverError(
                f'The scene "{self._scene}" was undone, renamed or removed during the capture; '
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
        for handlers, handler in (
            (bpy.app.handlers.save_pre, self._give_back),
            (bpy.app.handlers.save_post, self._change),
        ):
            if handler in handlers:
                handlers.remove(handler)
        self._give_back()
        return None

    def _change(self, *_: Any) -> None:
        scene = bpy.data.scenes.get(self._scene)
        if scene is None or self._layer not in scene.view_layers:
            return
        self._state = SceneState(scene)
        surface.add(scene.render.engine)
        self._state.for_capture(scene.view_layers[self._layer], blocking=self._blocking)

    def _give_back(self, *_: Any) -> None:
        surface.remove()
        if self._state:
            self._state.restore()
