# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts, feeds, watches and ends the engine's process."""

from __future__ import annotations

import atexit
import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import bpy

from .. import logs, versions
from ..engine import __version__
from ..engine.shared import protocol
from ..engine.shared.errors import Cancelled, PaintoverError
from ..engine.shared.logs import is_below_error
from ..jobs import Job, Progress
from . import environment as engine_python

_log = logs.logger(__name__)

READY_SECONDS = 180.0
"""How long the engine may take to load; the first start after an installation is slow."""
CANCEL_SECONDS = 20.0
"""How long the engine may take to stop a cancelled job before it is ended."""

_ENDS = (protocol.Done, protocol.Cancelled, protocol.Failed)

# The engine's package is loaded from the add-on alone, whatever else this Python has, and the
# add-on's own modules stay invisible to it (-I: no PYTHONPATH, no user site, no current folder).
_BOOTSTRAP = """\
import runpy, sys
folder, *extra = sys.argv.pop(1).split("\\n")
sys.path += extra
sys.path.insert(0, folder)
import engine
del sys.path[0]
runpy.run_module("engine", run_name="__main__", alter_sys=True)
"""


class EngineClient:
    """One engine process. ``run`` jobs on it; ``stop`` ends it.

    Args:
        python: runs the engine.
        log: the engine's standard error is written here; the log before is kept as ``*.old``.

    Raises:
        PaintoverError: the process cannot be started.
    """

    def __init__(self, python: engine_python.EnginePython, log: Path) -> None:
        self.python = python
        self.log = log
        self.ready: protocol.Ready | None = None
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._last_job = 0
        self._open_job = 0
        self._fault = ""
        if log.is_file():
            log.replace(log.with_name(f"{log.name}.old"))
        folders = "\n".join([str(engine_python.ADDON_FOLDER), *python.folders])
        command = [str(python.path), "-I", "-X", "utf8", "-c", _BOOTSTRAP, folders, "worker"]
        try:
            with log.open("w", encoding="utf-8") as file:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    # Ctrl-C is heard by Blender alone, which then cancels the job.
                    start_new_session=sys.platform != "win32",
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            raise PaintoverError(
                f"Cannot start the engine's Python {python.path}: {error.strerror or error}; "
                "name another one in the preferences."
            ) from error
        _log.info("Engine %d: started by %s, log %s", self.pid, python.path, log)
        assert self._process.stdout
        threading.Thread(
            target=_read_lines, args=(self._process.stdout, self._events), daemon=True
        ).start()

    @property
    def pid(self) -> int:
        """The number of the engine's process."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether the process runs and spoke no nonsense."""
        return not self._fault and self._process.poll() is None

    def run(
        self,
        make_request: Callable[[int], protocol.Request],
        warned: Callable[[str], None],
        pictured: Callable[[], None],
    ) -> Job[dict[str, Any]]:
        """Run one job; closing the generator cancels it.

        Args:
            make_request: gets the job's number.
            warned: gets the engine's warnings.
            pictured: is told that a live picture is whole.

        Returns:
            The job's result.

        Raises:
            PaintoverError: the job failed, or the engine died or spoke nonsense.
            Cancelled: the job was cancelled from elsewhere.
        """
        yield from self._wait_until_free()
        self._last_job += 1
        job = self._last_job
        self._send(make_request(job))
        self._open_job = job
        progress = Progress(0.0, text="Started")
        try:
            while True:
                event = self._next_event()
                if event is None:
                    yield progress
                elif isinstance(event, _ENDS) and event.job in {0, job}:
                    self._open_job = 0
                    return _result(event)
                elif isinstance(event, protocol.Progress) and event.job == job:
                    progress = Progress(event.fraction, event.seconds_left, event.text)
                    yield progress
                elif isinstance(event, protocol.Warned):
                    warned(event.sentence)
                elif isinstance(event, protocol.Picture) and event.job == job:
                    pictured()
        finally:
            if self._open_job and self.alive():
                with contextlib.suppress(PaintoverError):
                    self._send(protocol.Cancel(job))

    def _wait_until_free(self) -> Job[None]:
        """Wait until the engine has loaded and has stopped a job that was cancelled."""
        started = time.monotonic()
        while self.ready is None:
            event = self._next_event()
            if isinstance(event, protocol.Ready):
                self._check_version(event.engine_version)
                self.ready = event
                _log.info("Engine %d: ready on %s", self.pid, event.device)
            elif time.monotonic() - started > READY_SECONDS:
                self._fail("did not get ready")
            yield Progress(0.0, text="Starting the engine")
        started = time.monotonic()
        while self._open_job:
            event = self._next_event()
            if isinstance(event, _ENDS) and event.job == self._open_job:
                self._open_job = 0
            elif time.monotonic() - started > CANCEL_SECONDS:
                self._fail("did not stop the job that was cancelled")
            else:
                yield Progress(0.0, text="Stopping the job before")

    def _check_version(self, version: str) -> None:
        if version == __version__:
            return
        self.stop()
        raise PaintoverError(
            f"The add-on is version {__version__}, but the engine in {self.python.path} is version "
            f"{version}; remove Paintover from that Python (pip uninstall paintover), or choose "
            "another Python in the add-on's preferences."
        )

    def _send(self, request: protocol.Request) -> None:
        _log.debug("Engine %d: %r", self.pid, request)
        assert self._process.stdin
        try:
            self._process.stdin.write(protocol.encode(request))
            self._process.stdin.flush()
        except OSError:
            self._fail(self._how_it_ended())

    def _next_event(self) -> protocol.Event | None:
        """Return the next event, or None if there is none yet."""
        try:
            line = self._events.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            self._fail(self._how_it_ended())
        try:
            return protocol.decode_event(line)
        except PaintoverError as error:
            self._fail(f"could not be understood ({str(error).rstrip('.')})")

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"

    def _fail(self, what: str) -> NoReturn:
        self._fault = what
        _log.info("Engine %d: %s", self.pid, what)
        self._process.kill()
        self.stop()
        last = _last_words(self.log)
        said = f" and said: {last}" if last else ""
        raise PaintoverError(
            f"The engine stopped unexpectedly: it {what}{said}; what was finished is kept, try "
            f"again, and see {self.log} if it happens again."
        )

    def stop(self) -> None:
        """End the process: first kindly, by closing its input, then by force."""
        self._fault = self._fault or "was stopped"
        assert self._process.stdin
        with contextlib.suppress(OSError):  # it may be dead already
            self._process.stdin.close()
        for end in (self._process.terminate, self._process.kill):
            try:
                code = self._process.wait(2)
                _log.info("Engine %d: ended with code %d", self.pid, code)
                return
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()


def _result(event: protocol.Event) -> dict[str, Any]:
    """Return what a job ended with, or raise what stopped it."""
    if isinstance(event, protocol.Failed):
        raise PaintoverError(event.sentence)
    if isinstance(event, protocol.Done):
        return event.result
    raise Cancelled


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Pass lines on until the stream ends, then None; runs in a thread of its own."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _last_words(log: Path) -> str:
    """Return the last line of a log, or "" if it is a message below ``ERROR``."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line for line in reversed(lines) if line.strip()), "")
    return "" if is_below_error(last) else last.strip()[:160]


_client: EngineClient | None = None


def run(
    make_request: Callable[[int], protocol.Request],
    warned: Callable[[str], None] = _log.warning,
    pictured: Callable[[], None] = lambda: None,
) -> Job[dict[str, Any]]:
    """Run a job on the engine, which is started if need be and stays warm afterwards.

    ``run(lambda job: protocol.Train(job, shot=str(folder)))``; see ``EngineClient.run``.
    """
    global _client  # noqa: PLW0603 - one engine a Blender
    python = engine_python.find()
    if _client and (not _client.alive() or _client.python != python):
        _client.stop()
        _client = None
    if _client is None:
        _client = EngineClient(python, log_path())
    return (yield from _client.run(make_request, warned, pictured))


def log_path() -> Path:
    """Return where the engine's log lies."""
    return engine_python.user_folder("logs") / "engine.log"


def running() -> EngineClient | None:
    """Return the engine that runs, if one does."""
    return _client if _client and _client.alive() else None


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def stop(*_: Any) -> None:
    """End the engine if it runs."""
    global _client
    client, _client = _client, None
    if client:
        client.stop()


def register() -> None:
    atexit.register(stop)
    versions.exit_handlers().append(stop)


def unregister() -> None:
    atexit.unregister(stop)
    handlers = versions.exit_handlers()
    if stop in handlers:
        handlers.remove(stop)
    stop()
