# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes the scene for the capture, and restores it whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..engine.shared.errors import PaintoverError
from ..handlers import Handlers
from . import matte_pass, scene_state, simulations, surface

_POLL_SECONDS = 0.1
_in_use: list[Preparation] = []


class Preparation:
    """The changes to a scene from ``begin`` to ``end`` of a capture.

    A .blend that is saved in between does not contain them. No reference to Blender data is kept,
    because an undo would make it invalid.

    Args:
        scene: the scene to capture.
        layer: the view layer to render.
        blocking: as in ``capture``.
    """

    def __init__(
        self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer, *, blocking: bool
    ) -> None:
        self._scene = scene.session_uid
        self._name = scene.name
        self._layer = layer.name
        self._blocking = blocking
        self._display = ""
        self._simulated = False
        self._handlers = Handlers(save_pre=self._restore, save_post=self._change)

    def begin(self) -> None:
        """Change the scene."""
        _in_use.append(self)
        self._handlers.add()
        if not self._blocking:
            # The interface stays unlocked; a lock would disable progress and Cancel in the panels.
            view = _preferences_view()
            self._display, view.render_display_type = view.render_display_type, "NONE"
        self._change()

    def scene_and_layer(self) -> tuple[bpy.types.Scene, bpy.types.ViewLayer]:
        """Return the scene and the view layer. Raises PaintoverError if they are gone or reset."""
        scene = self._find()
        if scene is None or not surface.is_added() or not scene_state.is_changed(scene):
            raise PaintoverError(
                f'The scene "{self._name}" was undone, changed or removed during the capture; '
                "capture again to continue."
            )
        return scene, scene.view_layers[self._layer]

    def simulate(self, last: int) -> Iterator[int]:
        """Run the simulations that are not baked, in order, and yield each frame that is set.

        Once, and again after the .blend was saved, which removes the changes for a moment.

        Args:
            last: the last frame to render.
        """
        if self._simulated:
            return
        scene, _ = self.scene_and_layer()
        for frame in simulations.frames_to_run(simulations.not_baked(scene), last):
            scene, _ = self.scene_and_layer()
            scene.frame_set(frame)
            yield frame
        simulations.keep(scene)
        self._simulated = True

    def end(self) -> None:
        """Restore the scene, at the latest when Blender stops rendering a cancelled frame."""
        if self._end_if_idle() is not None:
            bpy.app.timers.register(self._end_if_idle, first_interval=_POLL_SECONDS)

    def _end_if_idle(self) -> float | None:
        if bpy.app.is_job_running("RENDER"):
            return _POLL_SECONDS
        self._handlers.remove()
        if self._display:
            _preferences_view().render_display_type = self._display
        _in_use.remove(self)
        self._restore()
        return None

    def _find(self) -> bpy.types.Scene | None:
        """Find the scene by its session id, which survives undo and differs in other .blends."""
        for scene in bpy.data.scenes:
            if scene.session_uid == self._scene and self._layer in scene.view_layers:
                return scene
        return None

    def _change(self, *_: Any) -> None:
        scene = self._find()
        if scene is not None:
            surface.add(scene.render.engine)
            scene_state.change(scene, scene.view_layers[self._layer])
            self._simulated = False

    def _restore(self, *_: Any) -> None:
        _clean_up()


def _clean_up() -> None:
    surface.remove()
    for scene in bpy.data.scenes:
        matte_pass.release(scene)
        simulations.release(scene)
        scene_state.restore(scene)


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def _clean_up_after_undo_or_load(*_: Any) -> None:
    """Restore scenes changed by a capture in an undo step, or in a .blend saved by a crash."""
    is_changed = surface.is_added() or any(map(scene_state.is_changed, bpy.data.scenes))
    if is_changed and not _in_use:
        _clean_up()


def _preferences_view() -> Any:
    preferences: Any = bpy.context.preferences
    return preferences.view


_HANDLERS = Handlers(
    undo_post=_clean_up_after_undo_or_load,
    redo_post=_clean_up_after_undo_or_load,
    load_post=_clean_up_after_undo_or_load,
)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
