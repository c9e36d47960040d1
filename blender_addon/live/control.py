# SPDX-License-Identifier: GPL-3.0-or-later
"""The one live session of a Blender process: turns it on and off, and calls it from a timer."""

from __future__ import annotations

import threading
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import logs, picture_editors, properties
from ..engine.shared.errors import PaintoverError
from ..handlers import Handlers
from . import plain_view, redrawing, timings
from .session import Session

_log = logs.logger(__name__)

TICK_SECONDS = 0.03

_session: Session | None = None
_ended = ""


def session() -> Session | None:
    """Return the session that runs, or None."""
    return _session


def why_ended() -> str:
    """Return why the last session ended by itself, "" if it was turned off."""
    return _ended


def describe() -> str:
    """Return the state in a few words, ``Off`` without a session."""
    return _session.describe() if _session else "Off"


def start(scene: bpy.types.Scene) -> None:
    """Turn the session on. Raises PaintoverError if it cannot start."""
    global _session, _ended  # noqa: PLW0603 - one session in a Blender process
    stop()
    _ended = ""
    _session = Session(scene)
    picture_editors.LIVE.open_beside(_session.shot)
    bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)
    redrawing.everything()


def stop(*, wait: bool = False) -> None:
    """Turn the session off, if one runs.

    Args:
        wait: return when the engine has ended.
    """
    global _session
    if _session is None:
        return
    ended, _session = _session, None
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    picture_editors.LIVE.close()
    ended.close(wait=wait)
    redrawing.everything()


def _fail(sentence: str) -> None:
    global _ended  # noqa: PLW0603
    stop()
    _ended = sentence
    _log.warning("%s", sentence)


def _tick() -> float | None:
    if _session is None:
        return None
    try:
        _session.tick()
    except PaintoverError as error:
        _fail(str(error))
        return None
    except Exception:  # Blender would drop the timer, and the session would seem to go on
        _log.exception("The live session ends")
        _fail("Live stopped after an error in Paintover; turn it on again, and see the console.")
        return None
    return TICK_SECONDS


def _leave() -> None:
    """Save what is painted and turn the session off: the file or the add-on goes away."""
    if _session is None:
        return
    try:
        saved = _session.save_strokes()
        if saved:
            _log.info("Saved the strokes on %s", ", ".join(saved))
    except PaintoverError as error:
        _log.warning("%s", error)
    stop(wait=True)


@persistent  # type: ignore[untyped-decorator]
def _before_load(*_: Any) -> None:
    _leave()


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: Any) -> None:
    picture_editors.LIVE.remove_leftovers()
    plain_view.put_back_in_file()


@persistent  # type: ignore[untyped-decorator]
def _before_save(*_: Any) -> None:
    if _session is not None:
        _session.view.uncover()


@persistent  # type: ignore[untyped-decorator]
def _after_save(*_: Any) -> None:
    if _session is None:
        return
    scene = _session.scene.find()
    try:
        if scene is not None and properties.shot_folder(scene) != _session.shot.folder:
            _fail("The scene has another shot folder now; turn Live on again for it.")
            return
        _session.files_were_saved()
    except PaintoverError as error:
        _fail(str(error))


@persistent  # type: ignore[untyped-decorator]
def _before_render(*_: Any) -> None:
    if _session is None:
        return
    _session.is_rendering = True
    # In a window the render has a thread of its own, and the timer tells the engine.
    if threading.current_thread() is threading.main_thread():
        try:
            _session.pause_for_render()
        except PaintoverError as error:
            _log.info("%s", error)  # which the timer notices too


@persistent  # type: ignore[untyped-decorator]
def _after_render(*_: Any) -> None:
    if _session is not None:
        _session.is_rendering = False


@persistent  # type: ignore[untyped-decorator]
@timings.measured("after frame change")
def _after_frame_change(*_: Any) -> None:
    # In a render that has a thread of its own, frames change there.
    if _session is None or threading.current_thread() is not threading.main_thread():
        return
    try:
        _session.frame_changed()
    except PaintoverError as error:
        _log.info("%s", error)  # which the timer notices too


@persistent  # type: ignore[untyped-decorator]
def _before_exit(*_: Any) -> None:
    _leave()


_HANDLERS = Handlers(
    load_pre=_before_load,
    load_post=_after_load,
    save_pre=_before_save,
    save_post=_after_save,
    frame_change_post=_after_frame_change,
    render_init=_before_render,
    render_complete=_after_render,
    render_cancel=_after_render,
    exit_pre=_before_exit,
)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _leave()
    _HANDLERS.remove()
