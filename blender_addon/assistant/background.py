# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the coverage of the shot anew when its frames or keyframes have changed.

The engine does it in a process of its own at low priority, so that no step waits for it: when one
begins, or a live session, the process ends. Its result lies in the shot folder, where the watcher
reads it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import bpy

from .. import jobs, logs
from ..engine.shared.errors import PaintoverError
from ..engine_process import environment as engine_python
from ..handlers import Handlers
from ..live import control as live_control
from ..ui import watcher

_log = logs.logger(__name__)

TICK_SECONDS = 1.0
SETTLED = 2
"""So many looks in turn must find the same shot before the engine looks at it."""
POLITE = 10
"""How far the process stands back behind others (nice)."""


class _Background:
    """The process, if one runs, and what it looks at.

    Attributes:
        tried: digest of a shot that the engine has looked at → why it could not, "" if it could.
    """

    def __init__(self) -> None:
        self.tried: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._digest = self._wanted = ""
        self._looks = 0

    def running(self) -> bool:
        """Return whether the engine looks at the shot now."""
        return self._process is not None

    def tick(self) -> None:
        """Start, follow or end the process."""
        snapshot = watcher.current()[0]
        is_known = not snapshot.is_whole or snapshot.coverage_is_fresh
        wanted = "" if is_known else snapshot.looks_like
        self._looks = self._looks + 1 if wanted == self._wanted else 1
        self._wanted = wanted
        if self._process is not None:
            if self._process.poll() is not None:
                self._finish()
            elif _is_busy() or wanted != self._digest:
                self.stop()
            return
        settled = wanted and self._looks >= SETTLED and wanted not in self.tried
        if settled and not _is_busy() and snapshot.shot is not None:
            self._start(snapshot.shot.folder, wanted)

    def _start(self, folder: Path, digest: str) -> None:
        try:
            python = engine_python.find()
        except PaintoverError:
            return  # not installed: the panel says how
        words = ("suggest", str(folder), "--progress", "none")
        low = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process ends
        try:
            self._process = subprocess.Popen(
                engine_python.engine_command(python, *words),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                start_new_session=sys.platform != "win32",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0) | low,
            )
        except OSError as error:
            self.tried[digest] = str(error)
            self._close()
            return
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):  # it may have ended already
                os.setpriority(os.PRIO_PROCESS, self._process.pid, POLITE)
        self._digest = digest
        _log.debug("The engine looks at %s", folder)

    def _finish(self) -> None:
        assert self._process is not None and self._errors is not None
        self.tried[self._digest] = ""  # not to be tried again, whatever it found
        if self._process.returncode:
            self._errors.seek(0)
            lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            why = lines[-1] if lines else f"it ended with code {self._process.returncode}"
            self.tried[self._digest] = why
            _log.info("What the paintings show is not known: %s", why)
        self._close()
        watcher.refresh()
        jobs.redraw()

    def _close(self) -> None:
        self._process = None
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def stop(self) -> None:
        """End the process if one runs; it leaves nothing behind."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close()


def _is_busy() -> bool:
    """Return whether a step or a live session needs the computer."""
    return bool(jobs.busy()) or live_control.session() is not None


_background = _Background()


def is_looking() -> bool:
    """Return whether the engine looks at the shot now."""
    return _background.running()


def why_unknown(looks_like: str) -> str:
    """Return why the engine could not look at a shot of this digest, "" if it could."""
    return _background.tried.get(looks_like, "")


def forget() -> None:
    """Look again at what was looked at."""
    _background.tried.clear()


def _tick() -> float:
    try:
        _background.tick()
    except Exception:  # Blender would drop the timer for the rest of the session
        _log.exception("What the paintings show cannot be found")
    return TICK_SECONDS


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def stop(*_: Any) -> None:
    """End the process if one runs."""
    _background.stop()


_HANDLERS = Handlers(load_pre=stop, exit_pre=stop)


def register() -> None:
    bpy.app.timers.register(_tick, first_interval=TICK_SECONDS, persistent=True)
    _HANDLERS.add()
    atexit.register(stop)


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    _HANDLERS.remove()
    atexit.unregister(stop)
    stop()
