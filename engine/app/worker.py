# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: a process that reads requests from its input and writes events to its output.

It runs one job at a time, on the main thread. A second thread reads the requests, so that
``Cancel`` arrives during a job. The log goes to the standard error. The process ends when its
input closes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import IO, Any

from .. import __version__
from ..shared import errors, live_protocol, logs, protocol
from .error_messages import explain
from .job_reporter import JobReporter
from .loading import quick_loading

_log = logging.getLogger(__name__)


def main() -> int:
    """Serve requests until the standard input closes, and return the exit code.

    Output of libraries is redirected to the standard error, because the standard output carries
    events alone.
    """
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    logging.basicConfig(stream=sys.stderr, format=logs.FORMAT)
    logging.captureWarnings(True)
    logging.getLogger("engine").setLevel(logging.INFO)
    # Unbuffered, because the reading thread would hold a buffered reader's lock at exit.
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    worker = Worker(events)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.end(130))
    return worker.run(requests)


class Worker:
    """Receives requests, runs one job at a time and sends events.

    Args:
        events: an unbuffered binary stream for the event lines.
    """

    def __init__(self, events: IO[bytes]) -> None:
        self._events = events
        self._send_lock = threading.Lock()
        self._jobs: queue.SimpleQueue[protocol.Request | None] = queue.SimpleQueue()
        self._state_lock = threading.Lock()
        self._current: JobReporter | None = None
        self._ended = threading.Event()
        self._exit_code = 0

    def run(self, requests: IO[bytes]) -> int:
        """Send ``Ready``, run jobs until the requests end, and return the exit code."""
        with quick_loading():
            from ..networks.device import describe_device  # noqa: PLC0415

        device = describe_device("auto")
        _log.info("Paintover %s, Python %s, %s", __version__, platform.python_version(), device)
        self.send(protocol.Ready(0, device, __version__))
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()
        while (request := self._jobs.get()) is not None and not self._ended.is_set():
            assert self._current is not None
            outcome = self._run_job(request, self._current)
            with self._state_lock:
                self._current = None
            self.send(outcome)
        return self._exit_code

    def end(self, exit_code: int = 0) -> None:
        """Cancel the job and stop serving; safe in a signal handler."""
        self._exit_code = exit_code
        self._ended.set()
        self._jobs.put(None)
        if (current := self._current) is not None:
            current.inbox.put(None)

    def has_ended(self) -> bool:
        """Return whether the worker stops serving."""
        return self._ended.is_set()

    def send(self, event: protocol.Event) -> None:
        """Write an event. The worker ends if the other side has closed the stream."""
        try:
            with self._send_lock:
                line = protocol.encode(event).encode()
                while line:
                    line = line[self._events.write(line) :]
        except OSError:
            self.end()

    def _read(self, requests: IO[bytes]) -> None:
        for line in _lines(requests):
            text = line.decode("utf-8", "replace")
            try:
                self._take(protocol.decode_request(text))
            except errors.PaintoverError as error:
                job = protocol.job_of_line(text)
                _log.error("Job %d is refused: %s", job, error)
                self.send(protocol.Failed(job, str(error)))
        self.end()

    def _take(self, request: protocol.Request) -> None:
        with self._state_lock:
            current = self._current
            if isinstance(request, protocol.Cancel):
                if current is not None and current.job == request.job:
                    current.cancel()
                return
            if isinstance(request, live_protocol.LiveRequest | protocol.TrainRequest):
                if current is not None and current.job == request.job:
                    current.inbox.put(request)
                return
            if current is None:
                self._current = JobReporter(self, request)
                self._jobs.put(request)
                return
        self.send(
            protocol.Failed(
                request.job,
                f"The engine is busy with job {current.job}; wait until it is done, or cancel it.",
            )
        )

    def _run_job(self, request: protocol.Request, report: JobReporter) -> protocol.Event:
        _log.info("Job %d starts: %r", request.job, request)
        try:
            with contextlib.closing(report):
                result = _job_of(request)(request, report)
            _log.info("Job %d is done: %r", request.job, result)
            return protocol.Done(request.job, result)
        except errors.Cancelled:
            _log.info("Job %d is cancelled", request.job)
            return protocol.Cancelled(request.job)
        except Exception as error:  # an error in one job must not end the worker
            _log.exception("Job %d failed", request.job)
            sentence = explain(error) or (
                f"Internal error ({type(error).__name__}: {error}); see the engine's log."
            )
            return protocol.Failed(request.job, sentence, traceback.format_exc())


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of an unbuffered stream that are not blank, cut at ``MOST_LINE`` bytes."""
    rest, is_cut = b"", False
    while chunk := stream.read(1 << 16):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip() and not is_cut:
                yield line
            is_cut = False
        if len(rest) > protocol.MOST_LINE:
            if not is_cut:
                yield rest[: protocol.MOST_LINE]
            rest, is_cut = b"", True
    if rest.strip() and not is_cut:
        yield rest


def _job_of(  # noqa: PLR0911 - one for each kind of request
    request: protocol.Request,
) -> Callable[..., dict[str, Any]]:
    if isinstance(request, protocol.ImportPictures):
        from ..jobs.import_pictures import import_pictures  # noqa: PLC0415  (loaded when first needed)

        return import_pictures
    if isinstance(request, protocol.Train):
        from ..jobs.train import train  # noqa: PLC0415

        return train
    if isinstance(request, protocol.Preview):
        from ..jobs.preview import preview  # noqa: PLC0415

        return preview
    if isinstance(request, protocol.Sweep):
        from ..jobs.sweep import sweep  # noqa: PLC0415

        return sweep
    if isinstance(request, protocol.Suggest):
        from ..jobs.suggest import suggest  # noqa: PLC0415

        return lambda request, report: suggest(request, report).as_data()
    if isinstance(request, live_protocol.Live):
        from ..live.session import live  # noqa: PLC0415

        return live
    from ..jobs.stylize import stylize  # noqa: PLC0415

    return stylize
