# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the state of the active scene's shot up to date for the panels.

A thread reads the files and uses no Blender data, so drawing never waits for the disk.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import compositor, jobs, logs, properties, states
from ..engine.shared.errors import PaintoverError
from ..handlers import Handlers
from ..keyframes import images as keyframe_images
from ..keyframes import uv_wires
from ..keyframes import weights as keyframe_weights
from ..training_view import chart
from . import thumbnails

_log = logs.logger(__name__)

_TICK_SECONDS = 0.5
_REFRESH_SECONDS = 3.0
_ICONS = {
    states.NOT_PAINTED: "IMAGE_DATA",
    states.PAINTED: "CHECKMARK",
    states.CHANGED: "FILE_REFRESH",
    states.WRONG_SIZE: "ERROR",
    states.DAMAGED: "ERROR",
}


class _Watcher:
    """Updates the snapshot of the active scene from a timer."""

    def __init__(self) -> None:
        self.snapshot = states.EMPTY
        self.message = ""
        """Why there is no snapshot, or ""."""
        self._query: states.Query | None = None
        self._result: states.Snapshot | None = None
        self._thread: threading.Thread | None = None
        self._seconds_left = 0.0
        self.scene_changed = True
        self.compositor_changed = False
        self._capture_change = ""

    def refresh(self) -> None:
        """Read the files again at the next tick; what is being read now may be out of date."""
        self._query = None
        self._seconds_left = 0.0
        self.scene_changed = True

    def tick(self) -> float:
        scene = bpy.context.scene
        if scene is None or not hasattr(scene, "paintover"):
            return _TICK_SECONDS
        uv_wires.update()
        compositor.follow_windows(scene)
        try:
            query = states.Query.of(scene, self.snapshot.shot)
        except PaintoverError as error:
            self._show(scene, states.EMPTY, str(error))
            return _TICK_SECONDS
        if query != self._query:
            self.refresh()
        elif self.compositor_changed and self.snapshot.shot is not None:
            # At once, as the files need not be read for it.
            self._show(scene, states.with_scene(scene, self.snapshot, self._capture_change), "")
        self.compositor_changed = False
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if self._result is not None and query == self._query:
                self._show(scene, self._add_scene(scene, self._result), "")
        self._seconds_left -= _TICK_SECONDS
        if self._thread is None and self._seconds_left <= 0:
            if self.snapshot.shot is not None:
                keyframe_images.reload_changed(self.snapshot.shot)
            self._seconds_left = _REFRESH_SECONDS
            self._query, self._result = query, None
            self._thread = threading.Thread(target=self._look, args=(query,), daemon=True)
            self._thread.start()
        return _TICK_SECONDS

    def _look(self, query: states.Query) -> None:
        self._result = states.look_at_files(query)

    def _add_scene(self, scene: Any, result: states.Snapshot) -> states.Snapshot:
        # Reading all render settings is slow, so they are read only after a change.
        if self.scene_changed and result.shot is not None:
            self._capture_change = states.capture_change(scene, result.shot)
            self.scene_changed = False
        stylized = result.stylized.get(properties.of(scene).format)
        if result.shot is not None and stylized is not None:
            compositor.follow(scene, result.shot, stylized, result.stylized_at)
        return states.with_scene(scene, result, self._capture_change)

    def _show(self, scene: Any, snapshot: states.Snapshot, message: str) -> None:
        chart.update(snapshot.trainings)
        shown = dataclasses.replace(snapshot, shot=None), message
        painted_on = keyframe_images.painted_on(snapshot.shot) if snapshot.shot else {}
        has_new_paint = thumbnails.update(dict(snapshot.pictures.values()), painted_on)
        if shown != (dataclasses.replace(self.snapshot, shot=None), self.message):
            _fill_list(snapshot)
            jobs.redraw()
        elif has_new_paint:
            jobs.redraw()
        keyframe_weights.add_rows(scene, snapshot.keyframes)
        self.snapshot, self.message = snapshot, message


def _fill_list(snapshot: states.Snapshot, chosen: int | None = None) -> None:
    """Fill the list, with a keyframe chosen; None: the one that was."""
    manager: Any = bpy.context.window_manager
    session = manager.paintover
    index = session.keyframe_index
    if chosen is None and index < len(session.keyframes):
        chosen = session.keyframes[index].frame
    session.keyframes.clear()
    for frame, state in snapshot.keyframes.items():
        row = session.keyframes.add()
        row.name = str(frame)
        row.frame, row.state, row.icon = frame, state, _ICONS.get(state, "GREASEPENCIL")
        row.is_masked = frame in snapshot.masked
        row.picture = str(snapshot.pictures[frame][0]) if frame in snapshot.pictures else ""
    frames = list(snapshot.keyframes)
    session.keyframe_index = (
        frames.index(chosen) if chosen in frames else min(index, max(0, len(frames) - 1))
    )


_watcher = _Watcher()


def current() -> tuple[states.Snapshot, str]:
    """Return the snapshot to draw, and why there is none ("" if there is one)."""
    return _watcher.snapshot, _watcher.message


def refresh() -> None:
    """Update the snapshot soon."""
    _watcher.refresh()


def select(frame: int) -> None:
    """Choose a keyframe in the list, which has it at once."""
    keyframes = {frame: states.NOT_PAINTED, **_watcher.snapshot.keyframes}
    sorted_keyframes = dict(sorted(keyframes.items()))
    _fill_list(dataclasses.replace(_watcher.snapshot, keyframes=sorted_keyframes), frame)


def _tick() -> float:
    try:
        return _watcher.tick()
    except Exception:  # Blender would drop the timer for the rest of the session
        _log.exception("The state of the shot cannot be read")
        return _REFRESH_SECONDS


@persistent  # type: ignore[untyped-decorator]
def _note_scene_change(_: Any, depsgraph: Any = None) -> None:
    changed = [update.id for update in depsgraph.updates] if depsgraph else []
    if depsgraph is None or any(isinstance(block, bpy.types.Scene) for block in changed):
        _watcher.scene_changed = True
    if any(isinstance(block, bpy.types.CompositorNodeTree) for block in changed):
        _watcher.compositor_changed = True


@persistent  # type: ignore[untyped-decorator]
def _note_saved(*_: Any) -> None:
    refresh()  # the .blend may have another name now


_HANDLERS = Handlers(depsgraph_update_post=_note_scene_change, save_post=_note_saved)


def register() -> None:
    global _watcher  # noqa: PLW0603 - a new one each time the add-on is enabled
    _watcher = _Watcher()
    jobs.finished.append(refresh)
    _HANDLERS.add()
    bpy.app.timers.register(_tick, first_interval=_TICK_SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    jobs.finished.remove(refresh)
    _HANDLERS.remove()
