# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job of the worker tells of itself: by events."""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..shared import protocol
from .live_picture_file import LivePictureFile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_log = logging.getLogger(__name__)

_PROGRESS_INTERVAL = 0.1
"""Seconds between two events of progress, at least."""


class Sender(Protocol):
    """The worker, as far as a job knows it."""

    def send(self, event: protocol.Event) -> None:
        """Send an event."""

    def has_ended(self) -> bool:
        """Return whether the worker stops serving, and jobs with it."""


class JobReporter:
    """The ``Reporter`` of one job of the worker.

    Args:
        worker: sends the events.
        request: the job's request; that of a training may have a live picture.

    Attributes:
        inbox: further requests to the job; None wakes one that waits for them.
    """

    def __init__(self, worker: Sender, request: protocol.Request) -> None:
        self.job = request.job
        self._worker = worker
        self._place: protocol.LivePicture | None = getattr(request, "live", None)
        self._live: LivePictureFile | None = None
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
                self._live = LivePictureFile(self._place)
            sequence = self._live.write(rgba)
        except (OSError, ValueError) as error:
            self._place = None
            self.warned(f"The live picture cannot be shown: {error}.")
            return
        self._worker.send(protocol.Picture(self.job, frame, sequence))
