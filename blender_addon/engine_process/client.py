# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the engine's process: starts it, runs jobs on it, and stops it."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import bpy

from .. import logs, user_folders
from ..engine import __version__
from ..engine.shared import protocol
from ..engine.shared.errors import Cancelled, PaintoverError
from ..engine.shared.files import cannot_write
from ..engine.shared.logs import is_below_error
from ..handlers import Handlers
from ..jobs import Job, Progress
from . import environment as engine_python
from .log_files import LogFile

_log = logs.logger(__name__)

READY_SECONDS = 180.0
"""Time limit for the engine to start; the first start after an installation is slow."""
CANCEL_SECONDS = 20.0
"""Time limit for the engine to stop a cancelled job; after it the engine is killed."""

_ENDS = (protocol.Done, protocol.Cancelled, protocol.Failed)


class EngineStuckError(PaintoverError):
    """The engine did not stop a job that was cancelled, and was ended; a new one can be started."""


class EngineClient:
    """One engine process: ``run`` runs a job on it, ``stop`` ends it.

    Args:
        python: the Python that runs the engine.
        log: file for the engine's standard error; see ``LogFile``.

    Raises:
        PaintoverError: the process cannot be started.
    """

    def __init__(self, python: engine_python.EnginePython, log: Path) -> None:
        self.python = python
        self.ready: protocol.Ready | None = None
        self._events: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._last_job = 0
        self._open_job = 0
        self._fault = ""
        command = engine_python.engine_command(python, "worker")
        try:
            self._log_file = LogFile(log)
        except OSError as error:
            raise cannot_write(log, error) from error
        self.log = self._log_file.path
        try:
            with self._log_file.open() as file:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    # Ctrl+C must reach Blender alone, which then cancels the job.
                    start_new_session=sys.platform != "win32",
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            self._log_file.close()
            raise PaintoverError(
                f"Cannot start the engine's Python {python.path}: {error.strerror or error}; "
                "choose another one in the add-on's preferences."
            ) from error
        _log.info("Engine %d: started by %s, log %s", self.pid, python.path, self.log)
        assert self._process.stdout
        threading.Thread(
            target=_read_lines, args=(self._process.stdout, self._events), daemon=True
        ).start()

    @property
    def pid(self) -> int:
        """The process id of the engine."""
        return self._process.pid

    def alive(self) -> bool:
        """Return whether the process runs and has sent no invalid message."""
        return not self._fault and self._process.poll() is None

    def run(
        self,
        request: protocol.Request,
        warn: Callable[[str], None],
        show_picture: Callable[[int], None],
    ) -> Job[dict[str, Any]]:
        """Run one job; closing the generator cancels it.

        Args:
            request: starts the job; it is given the job's number.
            warn: receives the engine's warnings.
            show_picture: called with the frame of a live picture when it is complete.

        Returns:
            The job's result.

        Raises:
            PaintoverError: the job failed, or the engine stopped or sent an invalid message.
            Cancelled: the engine was told to stop.
        """
        yield from self.wait_until_free()
        job = self.begin(request)
        progress = Progress(0.0, text="Started")
        try:
            while True:
                event = self.next_event()
                if event is None:
                    yield progress
                elif isinstance(event, _ENDS) and event.job in {0, job}:
                    self._open_job = 0
                    return _result(event)
                elif isinstance(event, protocol.Progress) and event.job == job:
                    progress = Progress(event.fraction, event.seconds_left, event.text)
                    yield progress
                elif isinstance(event, protocol.Warned):
                    warn(event.sentence)
                elif isinstance(event, protocol.Picture) and event.job == job:
                    show_picture(event.frame)
        finally:
            if self._open_job and self.alive():
                with contextlib.suppress(PaintoverError):
                    self.send(protocol.Cancel(job))

    def begin(self, request: protocol.Request) -> int:
        """Number the request of a new job, send it to an engine that is free; return the number."""
        self._last_job += 1
        self.send(dataclasses.replace(request, job=self._last_job))
        self._open_job = self._last_job
        return self._last_job

    def wait_until_free(self) -> Job[None]:
        """Wait until the engine has started and has stopped a cancelled job.

        Raises:
            PaintoverError: the engine stopped, is of another version, or takes too long.
        """
        started = time.monotonic()
        while self.ready is None:
            event = self.next_event()
            if isinstance(event, protocol.Ready):
                self._check_version(event.engine_version)
                self.ready = event
                _log.info("Engine %d: ready on %s", self.pid, event.device)
            elif time.monotonic() - started > READY_SECONDS:
                self._fail("did not get ready")
            yield Progress(0.0, text="Starting the engine")
        started = time.monotonic()
        while self._open_job:
            event = self.next_event()
            if isinstance(event, _ENDS) and event.job == self._open_job:
                self._open_job = 0
            elif time.monotonic() - started > CANCEL_SECONDS:
                self._fail("did not stop the job that was cancelled", EngineStuckError)
            else:
                yield Progress(0.0, text="Stopping the cancelled job")

    def _check_version(self, version: str) -> None:
        if version == __version__:
            return
        self.stop()
        raise PaintoverError(
            f"The add-on is version {__version__}, but the engine in {self.python.path} is version "
            f"{version}; remove Paintover from that Python (pip uninstall paintover), or choose "
            "another Python in the add-on's preferences."
        )

    def send(self, request: protocol.Request) -> None:
        """Send a request. Raises PaintoverError if the engine has stopped."""
        _log.debug("Engine %d: %r", self.pid, request)
        assert self._process.stdin
        try:
            self._process.stdin.write(protocol.encode(request))
            self._process.stdin.flush()
        except OSError:
            self._fail(self._exit_reason())

    def tell(self, request: protocol.Request) -> bool:
        """Send a further request to the job that runs, with its number; return whether one runs.

        Raises:
            PaintoverError: the engine has stopped.
        """
        if not self._open_job or not self.alive():
            return False
        self.send(dataclasses.replace(request, job=self._open_job))
        return True

    def next_event(self) -> protocol.Event | None:
        """Return the next event; None if there is none yet.

        Raises:
            PaintoverError: the engine has stopped, or sent an invalid message.
        """
        try:
            line = self._events.get_nowait()
        except queue.Empty:
            return None
        if line is None:
            self._fail(self._exit_reason())
        try:
            return protocol.decode_event(line)
        except PaintoverError as error:
            self._fail(f"could not be understood ({str(error).rstrip('.')})")

    def _exit_reason(self) -> str:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"

    def _fail(self, what: str, kind: type[PaintoverError] = PaintoverError) -> NoReturn:
        self._fault = what
        _log.info("Engine %d: %s", self.pid, what)
        self.kill()
        last = _last_words(self.log)
        said = f" and said: {last}" if last else ""
        raise kind(
            f"The engine stopped unexpectedly: it {what}{said}; finished files are kept, so try "
            f"again, and see {self.log} if it happens again."
        )

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self.stop()

    def stop(self) -> None:
        """End the process: close its input, after 2 s terminate it, after 4 s kill it."""
        self._fault = self._fault or "was stopped"
        self._log_file.close()
        assert self._process.stdin
        with contextlib.suppress(OSError):  # the process may have ended
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
    """Return the result of a job, or raise its error."""
    if isinstance(event, protocol.Failed):
        raise PaintoverError(event.sentence)
    if isinstance(event, protocol.Done):
        return event.result
    raise Cancelled


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Put the lines of a stream into a queue, then None; runs in a thread."""
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
    request: protocol.Request,
    warn: Callable[[str], None] = _log.warning,
    show_picture: Callable[[int], None] = lambda _: None,
) -> Job[dict[str, Any]]:
    """Run a job on the engine; start it if necessary, and keep it running afterwards.

    ``run(protocol.Train(0, shot=str(folder)))``; see ``EngineClient.run``.
    """
    global _client  # noqa: PLW0603 - one engine per Blender
    python = engine_python.find()
    if _client and (not _client.alive() or _client.python != python):
        _client.stop()
        _client = None
    if _client is None:
        _client = EngineClient(python, log_path())
    try:
        yield from _client.wait_until_free()
    except EngineStuckError:
        _client = EngineClient(python, log_path())
    return (yield from _client.run(request, warn, show_picture))


def log_path() -> Path:
    """Return the path of the engine's log, as ``LogFile`` takes it if it is free."""
    return user_folders.cache_folder("logs") / "engine.log"


def running() -> EngineClient | None:
    """Return the running engine, or None."""
    return _client if _client and _client.alive() else None


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def stop(*_: Any) -> None:
    """End the engine if it is running."""
    global _client
    client, _client = _client, None
    if client:
        client.stop()


_HANDLERS = Handlers(exit_pre=stop)


def register() -> None:
    atexit.register(stop)
    _HANDLERS.add()


def unregister() -> None:
    atexit.unregister(stop)
    _HANDLERS.remove()
    stop()
