# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel shows of a shot: the state of each step and of each keyframe.

Files are looked at in a thread of its own, which touches nothing of Blender, so that drawing
never waits for them.
"""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import jobs, properties
from .capture import settings as capture
from .compositor import group as compositor
from .engine.shared.errors import PaintoverError
from .engine.shared.flicker_records import read_flickers, unsteady_frames
from .engine.shared.frame_lists import counted, name_frames
from .engine.shared.freshness import Step, StepState, out_state, style_state
from .engine.shared.keyframe_weights import changed
from .engine.shared.shot import Shot
from .engine.shared.style_header import PROJECTION, read_style_header
from .keyframes import images as keyframe_images
from .keyframes import weights as keyframe_weights

STEPS = ("capture", "keyframe", "train", "stylize", "compose")
_TICK_SECONDS = 0.5
_REFRESH_SECONDS = 3.0

NOT_PAINTED, PAINTED, CHANGED, UNSAVED = (
    "Not painted yet",
    "Painted",
    "Changed",
    "Not saved yet",
)
_ICONS = {NOT_PAINTED: "IMAGE_DATA", PAINTED: "CHECKMARK", CHANGED: "FILE_REFRESH"}


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A shot as it was when it was last looked at."""

    steps: dict[str, StepState]
    keyframes: dict[int, str]
    """Frame → one of ``NOT_PAINTED``, ``PAINTED``, ``CHANGED``, ``UNSAVED``."""
    shot: Shot | None = None
    unsteady: tuple[int, ...] = ()
    """Stylized frames that flicker more than the others."""
    carries_paint: bool = True
    """Whether the style, if there is one, has a use for light and weights."""


EMPTY = Snapshot(dict.fromkeys(STEPS, StepState(Step.NOTHING)), {})


def look(scene: bpy.types.Scene) -> Snapshot:
    """Look at the scene's shot now. Raises PaintoverError where there is no place for it."""
    folder = properties.shot_folder(scene)
    known = Shot.open(folder) if Shot.exists(folder) else None
    snapshot = _look_at_files(_Question.of(scene, known))
    changed = snapshot.shot is not None and _settings_changed(scene, snapshot.shot)
    return _with_scene(scene, snapshot, changed)


@dataclasses.dataclass(frozen=True)
class _Question:
    """All of a scene that the state of its files goes by."""

    folder: Path
    style: str
    frames: tuple[int, ...]
    light: float
    weights: dict[int, dict[int, float]]
    """New curves, at the frames of the shot where that is known."""

    @classmethod
    def of(cls, scene: bpy.types.Scene, known: Shot | None) -> _Question:
        settings = properties.of(scene)
        folder = properties.shot_folder(scene)
        return cls(
            folder,
            settings.style,
            tuple(properties.frames(scene)),
            settings.light,
            keyframe_weights.sampled(scene, known.frames)
            if known and known.folder == folder
            else {},
        )


def _look_at_files(question: _Question) -> Snapshot:
    """Look at a shot folder; touches nothing of Blender."""
    try:
        shot = Shot.open(question.folder)
    except PaintoverError as error:
        why = str(error) if Shot.exists(question.folder) else "Not captured yet"
        broken = Step.OUT_OF_DATE if Shot.exists(question.folder) else Step.NOTHING
        return Snapshot({**EMPTY.steps, "capture": StepState(broken, why)}, {})
    keyframes = _keyframe_states(shot, question.style)
    shot.manifest.weights = changed(shot.manifest.weights, question.weights)
    unsteady: list[int] = []
    try:
        trained = style_state(shot, question.style)
        stylized = out_state(shot, question.style, question.light)
        if stylized.step is not Step.NOTHING:
            unsteady = unsteady_frames(read_flickers(shot, question.style))
    except PaintoverError as error:
        trained = stylized = StepState(Step.NOTHING, str(error))
    steps = {
        "capture": _capture_state(shot, question.frames),
        "keyframe": _keyframe_step(keyframes),
        "train": trained,
        "stylize": stylized,
        "compose": StepState(Step.NOTHING),
    }
    carries = _carries_paint(shot, question.style)
    return Snapshot(steps, keyframes, shot, tuple(unsteady), carries)


def _carries_paint(shot: Shot, style: str) -> bool:
    try:
        return PROJECTION in read_style_header(shot.style_path(style)).guides
    except PaintoverError:
        return True  # there is no style yet


def _capture_state(shot: Shot, frames: tuple[int, ...]) -> StepState:
    missing = sorted(set(frames) - set(shot.frames))
    if missing:
        return StepState(
            Step.OUT_OF_DATE, f"{len(missing)} of {counted(len(frames), 'frame')} to capture"
        )
    gone = shot.missing_files()
    if gone:
        return StepState(Step.OUT_OF_DATE, f"{gone[0].name} is missing")
    return StepState(Step.UP_TO_DATE, f"Frames {name_frames(shot.frames)}")


def _keyframe_states(shot: Shot, style: str) -> dict[int, str]:
    try:
        trained_on = read_style_header(shot.style_path(style)).trained_on
    except PaintoverError:
        trained_on = {}
    painted = shot.painted_keys()
    states = {}
    for frame in shot.key_frames():
        state = PAINTED if frame in painted else NOT_PAINTED
        if frame in trained_on and trained_on[frame] != shot.key_digest(frame):
            state = CHANGED
        states[frame] = state
    return states


def _keyframe_step(keyframes: dict[int, str]) -> StepState:
    painted = [frame for frame, state in keyframes.items() if state != NOT_PAINTED]
    if not painted:
        why = "Not painted yet" if keyframes else "No keyframe yet"
        return StepState(Step.NOTHING, why)
    return StepState(Step.UP_TO_DATE, f"Painted: {name_frames(painted)}")


def _with_scene(scene: Any, snapshot: Snapshot, settings_changed: bool) -> Snapshot:
    """Add what only Blender knows: the render settings, the compositor, unsaved paint."""
    shot = snapshot.shot
    if shot is None:
        return snapshot
    style = properties.of(scene).style
    steps = {**snapshot.steps, "compose": compositor.state(scene, shot, style)}
    dirty = keyframe_images.unsaved(shot)
    keyframes = {
        frame: UNSAVED if shot.key_path(frame).name in dirty else state
        for frame, state in snapshot.keyframes.items()
    }
    steps["keyframe"] = _keyframe_step(keyframes)
    if steps["capture"].step is Step.UP_TO_DATE and settings_changed:
        steps["capture"] = StepState(Step.OUT_OF_DATE, "The render settings have changed")
    if steps["train"].step is Step.UP_TO_DATE and UNSAVED in keyframes.values():
        steps["train"] = StepState(Step.OUT_OF_DATE, "There is new paint")
    return dataclasses.replace(snapshot, steps=steps, keyframes=keyframes)


def _settings_changed(scene: Any, shot: Shot) -> bool:
    """Tell whether capturing now would render frames again that were captured before."""
    if shot.manifest.source.get("kind") != "blender":
        return False
    digest = capture.settings_digest(scene, scene.view_layers[0])
    wanted = set(properties.frames(scene))
    records = shot.manifest.frames
    return any(records[frame].settings != digest for frame in wanted & records.keys())


class _Watcher:
    """Keeps the snapshot of the active scene fresh while Blender has a window."""

    def __init__(self) -> None:
        self.snapshot = EMPTY
        self.message = ""
        """Why there is nothing to look at, or ""."""
        self._question: _Question | None = None
        self._answer: Snapshot | None = None
        self._thread: threading.Thread | None = None
        self._wait = 0.0
        self.scene_changed = True
        self._settings_changed = False

    def hurry(self) -> None:
        """Look again at the next tick."""
        self._wait = 0.0
        self.scene_changed = True

    def tick(self) -> float:
        scene = bpy.context.scene
        if scene is None or not hasattr(scene, "paintover"):
            return _TICK_SECONDS
        try:
            question = _Question.of(scene, self.snapshot.shot)
        except PaintoverError as error:
            self._show(scene, EMPTY, str(error))
            return _TICK_SECONDS
        if question != self._question:
            self.hurry()
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if self._answer is not None and question == self._question:
                self._show(scene, self._add_scene(scene, self._answer), "")
        self._wait -= _TICK_SECONDS
        if self._thread is None and self._wait <= 0:
            if self.snapshot.shot is not None:
                keyframe_images.reload_changed(self.snapshot.shot)
            self._wait = _REFRESH_SECONDS
            self._question, self._answer = question, None
            self._thread = threading.Thread(target=self._look, args=(question,), daemon=True)
            self._thread.start()
        return _TICK_SECONDS

    def _look(self, question: _Question) -> None:
        self._answer = _look_at_files(question)

    def _add_scene(self, scene: Any, answer: Snapshot) -> Snapshot:
        # The render settings are many, so they are read only when something has changed.
        if self.scene_changed and answer.shot is not None:
            self._settings_changed = _settings_changed(scene, answer.shot)
            self.scene_changed = False
        return _with_scene(scene, answer, self._settings_changed)

    def _show(self, scene: Any, snapshot: Snapshot, message: str) -> None:
        shown = dataclasses.replace(snapshot, shot=None), message
        if shown != (dataclasses.replace(self.snapshot, shot=None), self.message):
            _fill_list(snapshot.keyframes)
            jobs.redraw()
        keyframe_weights.add_rows(scene, snapshot.keyframes)
        self.snapshot, self.message = snapshot, message


def _fill_list(keyframes: dict[int, str]) -> None:
    manager: Any = bpy.context.window_manager
    session = manager.paintover
    session.keyframes.clear()
    for frame, state in keyframes.items():
        row = session.keyframes.add()
        row.name = str(frame)
        row.frame, row.state, row.icon = frame, state, _ICONS.get(state, "GREASEPENCIL")
    session.keyframe_index = min(session.keyframe_index, max(0, len(keyframes) - 1))


_watcher = _Watcher()


def current() -> tuple[Snapshot, str]:
    """Return the snapshot for drawing, and why there is none ("" if there is)."""
    return _watcher.snapshot, _watcher.message


def refresh() -> None:
    """Look at the shot again soon."""
    _watcher.hurry()


def _tick() -> float:
    return _watcher.tick()


@persistent  # type: ignore[untyped-decorator]
def _note_scene_change(_: Any, depsgraph: Any = None) -> None:
    if depsgraph is None or any(isinstance(u.id, bpy.types.Scene) for u in depsgraph.updates):
        _watcher.scene_changed = True


def register() -> None:
    global _watcher  # noqa: PLW0603 - a fresh one each time the add-on is enabled
    _watcher = _Watcher()
    jobs.finished.append(refresh)
    handlers: Any = bpy.app.handlers
    handlers.depsgraph_update_post.append(_note_scene_change)
    bpy.app.timers.register(_tick, first_interval=_TICK_SECONDS, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    jobs.finished.remove(refresh)
    handlers: Any = bpy.app.handlers
    handlers.depsgraph_update_post.remove(_note_scene_change)
