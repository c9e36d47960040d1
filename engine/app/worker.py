# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker: a process that reads requests from its input and writes events to its output.

It runs one job at a time, on the main thread. A second thread reads the requests, so that
``Cancel`` arrives during a job. The log goes to the standard error. The process ends when its
input closes.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import platform
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .. import __version__
from ..shared import errors, live_protocol, logs, protocol
from .error_messages import explain
from .loading import quick_loading

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_log = logging.getLogger(__name__)

_PROGRESS_INTERVAL = 0.1


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


class JobReporter:
    """The ``Reporter`` of one job of the worker.

    Args:
        worker: sends the events.
        request: the job's request; that of a training may have a live picture.

    Attributes:
        inbox: further requests to the job; None wakes one that waits for them.
    """

    def __init__(self, worker: Worker, request: protocol.Request) -> None:
        self.job = request.job
        self._worker = worker
        self._place: protocol.LivePicture | None = getattr(request, "live", None)
        self._live: LiveFile | None = None
        self._cancelled = threading.Event()
        self.inbox: queue.SimpleQueue[protocol.Request | None] = queue.SimpleQueue()
        self._last = ("", float("-inf"))

    def cancel(self) -> None:
        """Cancel the job."""
        self._cancelled.set()
        self.inbox.put(None)

    def cancelled(self) -> bool:
        """Return whether the job should stop."""
        return self._cancelled.is_set() or self._worker.has_ended()

    def close(self) -> None:
        """Close the file of the live picture."""
        if self._live is not None:
            self._live.close()

    def send(self, event: protocol.Event) -> None:
        """Send an event of the job."""
        self._worker.send(event)

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Send ``Progress`` at most ten times a second; a new step and the end are always sent."""
        now = time.monotonic()
        last_step, last_time = self._last
        if step == last_step and fraction < 1 and now - last_time < _PROGRESS_INTERVAL:
            return
        self._last = (step, now)
        self._worker.send(protocol.Progress(self.job, step, fraction, seconds_left, text))

    def frame_done(self, frame: int, path: Path) -> None:
        """Send ``FrameDone``."""
        self._worker.send(protocol.FrameDone(self.job, frame, str(path)))

    def warned(self, sentence: str) -> None:
        """Log the warning and send ``Warned``."""
        _log.warning("Job %d: %s", self.job, sentence)
        self._worker.send(protocol.Warned(self.job, sentence))

    def picture(self, frame: int, rgba: npt.NDArray[np.uint8]) -> None:
        """Write a live picture to the add-on's file and send ``Picture``.

        If the file cannot be used, warn once and continue without live pictures.
        """
        if self._place is None:
            return
        try:
            if self._live is None:
                self._live = LiveFile(self._place)
            sequence = self._live.write(rgba)
        except (OSError, ValueError) as error:
            self._place = None
            self.warned(f"The live picture cannot be shown: {error}.")
            return
        self._worker.send(protocol.Picture(self.job, frame, sequence))


class LiveFile:
    """The memory-mapped file of a ``protocol.LivePicture``, open for writing.

    Args:
        place: path and size of the picture.

    Raises:
        OSError: the file does not exist or cannot be written.
        ValueError: the file is smaller than ``place.size``.
    """

    def __init__(self, place: protocol.LivePicture) -> None:
        self._place = place
        with Path(place.path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), place.size)
        self._sequence: int = place.HEADER.unpack_from(self._map)[0] & ~1

    def write(self, rgba: npt.NDArray[np.uint8]) -> int:
        """Write a picture.

        Args:
            rgba: (height, width, 4) uint8, display-referred, straight alpha, top row first.

        Returns:
            Its sequence number, which is even.

        Raises:
            ValueError: ``rgba`` does not have the size of the live picture.
        """
        place = self._place
        if rgba.shape != (place.height, place.width, 4):
            raise ValueError(
                f"its shape must be {(place.height, place.width, 4)}, not {rgba.shape}"
            )
        self._put_header(self._sequence + 1)
        self._map[place.HEADER.size : place.size] = rgba.tobytes()
        self._sequence = (self._sequence + 2) & 0xFFFFFFFF
        self._put_header(self._sequence)
        return self._sequence

    def close(self) -> None:
        """Close the file."""
        self._map.close()

    def _put_header(self, sequence: int) -> None:
        place = self._place
        place.HEADER.pack_into(self._map, 0, sequence, place.width, place.height)
