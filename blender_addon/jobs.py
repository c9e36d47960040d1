# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: long steps as generators.

Scripts run a job to its end; in a window a timer advances it, so the interface stays usable.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Generator
from typing import Any, Literal, TypeVar

import bpy
from bpy.app.handlers import persistent

from . import logs, messages, shot_folders
from .engine.shared.durations import format_seconds
from .engine.shared.errors import Cancelled, PaintoverError
from .engine.shared.files import as_text
from .engine.shared.names import one_line
from .handlers import Handlers

Result = TypeVar("Result")
Status = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]

_log = logs.logger(__name__)

TICK_SECONDS = 0.05
_BUDGET_SECONDS = 0.04


@dataclasses.dataclass(frozen=True)
class Progress:
    """Progress of a job."""

    fraction: float
    """0..1."""
    seconds_left: float = -1.0
    """Below 0: unknown."""
    text: str = ""
    """Short text for the user: ``Frame 12 of 30``."""


Job = Generator[Progress, None, Result]
"""A generator that yields progress often and returns its result. Closing it cancels the job."""

finished: list[Callable[[], None]] = []
"""Callbacks after every job, successful or not."""


@dataclasses.dataclass
class _Running:
    """The running job; there is at most one."""

    title: str
    job: Job[Any]
    cancel: bool = False
    started: float = dataclasses.field(default_factory=time.monotonic)


_running: _Running | None = None
_warnings: list[str] = []
_ESC_SECONDS = 1.0


def busy() -> str:
    """Return the title of the running job, or ""."""
    return _running.title if _running else ""


def request_cancel() -> None:
    """Cancel the running job, if any, at its next step."""
    if _running:
        _running.cancel = True


def cancel_now() -> None:
    """Cancel the running job, if any, at once; finished files stay."""
    if _running:
        _end()


def repeated(work: Generator[None, None, Result], progress: Progress) -> Job[Result]:
    """Yield the same progress until a part of a job is done; return its result."""
    try:
        while True:
            next(work)
            yield progress
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        work.close()


def run_to_end(title: str, job: Job[Result]) -> Result:
    """Run a job to its end; without a window, print its progress.

    Returns:
        The job's result.

    Raises:
        PaintoverError: the job failed, or another job is running.
        Cancelled: ``request_cancel`` was called.
    """
    running = _begin(title, job)
    printer = _ProgressPrinter(title)
    last = None
    try:
        while True:
            if running.cancel:
                raise Cancelled
            progress = next(job)
            _show(progress)
            printer.print(progress)
            if progress == last:
                time.sleep(_BUDGET_SECONDS / 2)
            last = progress
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        _end()


class JobOperator(bpy.types.Operator):
    """Base of operators with a job: ``execute()`` blocks, ``invoke()`` is modal.

    Esc cancels if it is pressed twice within a second: pressed once, something else is meant.
    """

    bl_options = {"REGISTER"}

    asks_for_owner = True
    """Whether a window refuses to start while another scene or .blend has the shot too."""

    _timer: Any = None
    _title = ""
    _last_esc = 0.0

    def job(self, context: bpy.types.Context, *, blocking: bool) -> Job[str]:
        """Return the job; its result is the message to report.

        Args:
            context: Blender's context.
            blocking: whether the interface may wait, as in scripts.

        Raises:
            PaintoverError: the job cannot start.
        """
        raise NotImplementedError

    @staticmethod
    def warn(sentence: str) -> None:
        """Warn the user; the job continues. The operator need not exist any more."""
        _warnings.append(sentence)

    def execute(self, context: bpy.types.Context) -> Status:
        if self.asks_for_owner and context.scene:
            shot_folders.tell_owner(context.scene, self._report_warning)
        try:
            sentence = run_to_end(self.bl_label, self.job(context, blocking=True))
        except Cancelled:
            self.report({"WARNING"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        finally:
            self._report_warnings()
        self.report({"INFO"}, as_text(sentence))
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if bpy.app.background:
            return self.execute(context)
        try:
            if self.asks_for_owner and context.scene:
                _refuse(shot_folders.must_choose(context.scene))
            _begin(self.bl_label, self.job(context, blocking=False))
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}
        return self.follow(context)

    def follow(self, context: bpy.types.Context) -> Status:
        """Advance the running job from this operator's window until it ends."""
        self._title = busy()
        manager: Any = context.window_manager
        self._timer = manager.event_timer_add(TICK_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        if _running is None or _running.cancel or self._is_second_esc(event):
            return self._finish(context, {"WARNING"}, f"{self._title} was cancelled")
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            _tick(_running)
        except StopIteration as end:
            self._finish(context, {"INFO"}, end.value)
            return {"FINISHED"}
        except Cancelled:
            return self._finish(context, {"WARNING"}, f"{self._title} was cancelled")
        except PaintoverError as error:
            return self._finish(context, {"ERROR"}, messages.shown(error))
        except BaseException:
            self._stop(context)
            _end()
            raise
        self._report_warnings()
        return {"PASS_THROUGH"}

    def _is_second_esc(self, event: bpy.types.Event) -> bool:
        if (event.type, event.value) != ("ESC", "PRESS") or event.is_repeat:
            return False
        before, self._last_esc = self._last_esc, time.monotonic()
        return self._last_esc - before < _ESC_SECONDS

    def _finish(self, context: bpy.types.Context, kind: set[Any], sentence: str) -> Status:
        self._stop(context)
        _end()
        self._report_warnings()
        self.report(kind, as_text(sentence))
        return {"CANCELLED"}

    def _report_warnings(self) -> None:
        while _warnings:
            self._report_warning(_warnings.pop(0))

    def _report_warning(self, sentence: str) -> None:
        self.report({"WARNING"}, messages.shown(sentence))

    def _stop(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            manager: Any = context.window_manager
            manager.event_timer_remove(self._timer)
            self._timer = None

    def cancel(self, context: bpy.types.Context) -> None:
        """Called by Blender when the window is closed: the job goes on in another one."""
        self._stop(context)
        if _running is not None:
            bpy.app.timers.register(_follow_in_another_window)


def _follow_in_another_window() -> None:
    windows = list(_windows())
    if _running is not None and windows:
        operators: Any = bpy.ops
        with bpy.context.temp_override(window=windows[0]):
            operators.paintover.follow("INVOKE_DEFAULT")


def _refuse(sentence: str) -> None:
    if sentence:
        raise PaintoverError(sentence)


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
    global _running  # noqa: PLW0603 - one job at a time in a Blender process
    if _running:
        job.close()
        raise PaintoverError(f"{_running.title} is running; wait for it, or cancel it.")
    _running = _Running(title, job)
    _warnings.clear()
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
        # Blender 5.2 crashes if the status text is set without a window.
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
        text = f"{session.title}: {describe(progress)}  ·  Press Esc twice to cancel"
        for window in _windows():
            window.workspace.status_text_set(text)
        redraw()


def describe(progress: Progress) -> str:
    """Format progress: ``42%  Frame 12 of 30  20 s left``."""
    left = describe_seconds_left(progress.seconds_left)
    parts = [f"{progress.fraction:.0%}", progress.text, left]
    return "  ".join(part for part in parts if part)


def describe_seconds_left(seconds_left: float) -> str:
    """Format the time left; "" if it is unknown (below 0)."""
    if seconds_left < 0:
        return ""
    return f"{format_seconds(seconds_left)} left"


def redraw() -> None:
    """Redraw the panels, and the strip in timelines."""
    for window in _windows():
        for area in window.screen.areas:
            if area.type == "DOPESHEET_EDITOR":
                area.tag_redraw()
            if area.type in {"VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"}:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


@dataclasses.dataclass
class Printing:
    """How steps show their progress without a window.

    Attributes:
        for_farm: by lines that farms read (Open Job Description).
    """

    for_farm: bool = False


printing = Printing()


class _ProgressPrinter:
    """Prints progress in background mode, at most once per second."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.next = time.monotonic()
        self.text = ""

    def print(self, progress: Progress) -> None:
        text = one_line(describe(progress))
        if bpy.app.background and text != self.text and time.monotonic() >= self.next:
            if printing.for_farm:
                print(f"openjd_progress: {100 * progress.fraction:.1f}")
                print(f"openjd_status: {self.title}: {text}", flush=True)
            else:
                print(f"Paintover: {self.title}: {text}", flush=True)
            self.text, self.next = text, time.monotonic() + 1


@persistent  # type: ignore[untyped-decorator]
def _cancel_before_load(*_: Any) -> None:
    cancel_now()


_HANDLERS = Handlers(load_pre=_cancel_before_load)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    cancel_now()
    _HANDLERS.remove()
