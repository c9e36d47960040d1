# SPDX-License-Identifier: GPL-3.0-or-later
"""Long steps as generators, run to their end for scripts or ticked from a timer for people."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from typing import Any, Literal, TypeVar

import bpy
from bpy.app.handlers import persistent

from . import logs
from .engine.shared.errors import Cancelled, PaintoverError

Result = TypeVar("Result")
Status = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]

_log = logs.logger(__name__)

TICK_SECONDS = 0.05
_BUDGET_SECONDS = 0.04


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a job is."""

    fraction: float
    """0..1."""
    seconds_left: float = -1.0
    """Below zero: not known yet."""
    text: str = ""
    """Short, for people: ``Frame 12 of 30``."""


Job = Generator[Progress, None, Result]
"""A long step: yields its progress often, returns its result; closing it cancels it."""

finished: list[Callable[[], None]] = []
"""Called after every job, however it ended."""


@dataclasses.dataclass
class _Running:
    """The one job that runs now."""

    title: str
    job: Job[Any]
    cancel: bool = False
    started: float = dataclasses.field(default_factory=time.monotonic)


_running: _Running | None = None


def busy() -> str:
    """Return the title of the job that runs now, or ""."""
    return _running.title if _running else ""


def request_cancel() -> None:
    """Ask the running job, if there is one, to stop at its next step."""
    if _running:
        _running.cancel = True


def cancel_now() -> None:
    """Close the running job, if there is one; what it finished stays."""
    if _running:
        _end()


def run_to_end(title: str, job: Job[Result]) -> Result:
    """Run a job to its end, printing its progress when Blender has no window.

    Raises:
        PaintoverError: the job failed, or another one runs.
        Cancelled: ``request_cancel`` was called meanwhile.
    """
    running = _begin(title, job)
    teller = _Teller(title)
    last = None
    try:
        while True:
            if running.cancel:
                raise Cancelled
            progress = next(job)
            _show(progress)
            teller.tell(progress)
            if progress == last:
                time.sleep(_BUDGET_SECONDS / 2)
            last = progress
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        _end()


class JobOperator(bpy.types.Operator):
    """Base of the steps: ``execute()`` blocks, ``invoke()`` runs in the background with Esc."""

    bl_options = {"REGISTER"}

    _timer: Any = None

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        """Return the job; its result is the sentence to report. Checks may raise at once."""
        raise NotImplementedError

    def warned(self, sentence: str) -> None:
        """Tell the user something that does not stop the job."""
        self.report({"WARNING"}, sentence)

    def execute(self, context: bpy.types.Context) -> Status:
        try:
            sentence = run_to_end(self.bl_label, self.job(context, blocking=True))
        except Cancelled:
            self.report({"WARNING"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, sentence)
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if bpy.app.background:
            return self.execute(context)
        try:
            _begin(self.bl_label, self.job(context, blocking=False))
        except PaintoverError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        manager: Any = context.window_manager
        self._timer = manager.event_timer_add(TICK_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if _running is None or _running.cancel or (event.type, event.value) == ("ESC", "PRESS"):
            self.cancel(context)
            self.report({"WARNING"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            _tick(_running)
        except StopIteration as end:
            self.cancel(context)
            self.report({"INFO"}, end.value)
            return {"FINISHED"}
        except Cancelled:
            self.cancel(context)
            self.report({"WARNING"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        except PaintoverError as error:
            self.cancel(context)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except BaseException:
            self.cancel(context)
            raise
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Stop the timer and close the job; Blender calls it too, when it drops the operator."""
        if self._timer is not None:
            manager: Any = context.window_manager
            manager.event_timer_remove(self._timer)
            self._timer = None
        _end()


def _tick(running: _Running) -> None:
    end = time.monotonic() + _BUDGET_SECONDS
    last = None
    while time.monotonic() < end:
        progress = next(running.job)
        if progress == last:
            break
        last = progress
        _show(progress)


def _begin(title: str, job: Job[Any]) -> _Running:
    global _running  # noqa: PLW0603 - Blender is one process with one job at a time
    if _running:
        job.close()
        raise PaintoverError(f"Paintover is busy ({_running.title}); wait for it, or cancel it.")
    _running = _Running(title, job)
    _log.info("%s starts", title)
    session = _session()
    session.title, session.fraction, session.seconds_left, session.text = title, 0.0, -1.0, ""
    return _running


def _end() -> None:
    global _running
    if _running is None:
        return
    ended, _running = _running, None
    try:
        ended.job.close()
    finally:
        _log.info("%s ends after %.1f s", ended.title, time.monotonic() - ended.started)
        _session().title = ""
        # A status text that is set without a window ends Blender 5.2.
        if not bpy.app.background:
            for window in _windows():
                window.workspace.status_text_set(None)
            redraw()
        for callback in finished:
            callback()


def _windows() -> Any:
    manager: Any = bpy.context.window_manager
    return manager.windows


def _session() -> Any:
    manager: Any = bpy.context.window_manager
    return manager.paintover


def _show(progress: Progress) -> None:
    session = _session()
    session.fraction = progress.fraction
    session.seconds_left = progress.seconds_left
    session.text = progress.text
    if not bpy.app.background:
        text = f"{session.title}: {describe(progress)}  ·  Esc cancels"
        for window in _windows():
            window.workspace.status_text_set(text)
        redraw()


def describe(progress: Progress) -> str:
    """Write progress for people: ``42 %  Frame 12 of 30  20 s left``."""
    left = describe_seconds_left(progress.seconds_left)
    parts = [f"{progress.fraction:.0%}", progress.text, left]
    return "  ".join(part for part in parts if part)


def describe_seconds_left(seconds_left: float) -> str:
    """Write the time left for people; "" while it is not known (below zero)."""
    if seconds_left < 0:
        return ""
    minutes, seconds = divmod(round(seconds_left), 60)
    return f"{minutes} min {seconds} s left" if minutes else f"{seconds} s left"


def redraw() -> None:
    """Have the panels drawn again."""
    for window in _windows():
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"}:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


class _Teller:
    """Prints progress where nobody sees a panel, once a second at most."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.next = time.monotonic()
        self.text = ""

    def tell(self, progress: Progress) -> None:
        text = describe(progress)
        if bpy.app.background and text != self.text and time.monotonic() >= self.next:
            print(f"Paintover: {self.title}: {text}", flush=True)
            self.text, self.next = text, time.monotonic() + 1


@persistent  # type: ignore[untyped-decorator]
def _cancel_before_load(*_: Any) -> None:
    cancel_now()


def register() -> None:
    handlers: Any = bpy.app.handlers
    handlers.load_pre.append(_cancel_before_load)


def unregister() -> None:
    cancel_now()
    handlers: Any = bpy.app.handlers
    handlers.load_pre.remove(_cancel_before_load)
