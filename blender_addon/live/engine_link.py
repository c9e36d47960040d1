# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of a live session: a process of its own, beside that of the steps."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from ..engine.shared import protocol
from ..engine.shared.errors import PaintoverError
from ..engine_process import client as engine_client
from ..engine_process import environment as engine_python
from ..jobs import Job

_STOP_SECONDS = 0.7
"""Time limit for the engine to answer that it stops; after it the process is killed."""


class SessionFailedError(PaintoverError):
    """The engine cannot run the session, and says why; to start it again would not help."""


class EngineLink:
    """Starts the engine and a session on it, and exchanges messages with it.

    Args:
        make_request: makes the request that starts the session, when the engine is ready.

    Attributes:
        job: number of the session's job; 0 while the engine starts.

    Raises:
        PaintoverError: there is no engine, or it cannot be started.
    """

    def __init__(self, make_request: Callable[[], protocol.Request]) -> None:
        self._make_request = make_request
        self._number = 0
        self._start()

    def _start(self) -> None:
        self.job = 0
        self._client = engine_client.EngineClient(
            engine_python.find(), engine_client.log_path().with_stem("live")
        )
        self._starting: Job[None] = self._client.wait_until_free()

    @property
    def pid(self) -> int:
        """The process id of the engine."""
        return self._client.pid

    def number(self) -> int:
        """Return the next number of a change or request."""
        self._number += 1
        return self._number

    def poll(self) -> list[protocol.Event]:
        """Return what the engine has sent since the last call; never waits.

        Raises:
            SessionFailedError: the session has failed.
            PaintoverError: the engine has stopped.
        """
        if not self.job:
            try:
                next(self._starting)
                return []
            except StopIteration:
                self.job = self._client.begin(self._make_request())
        events: list[protocol.Event] = []
        while True:
            event = self._client.next_event()
            if event is None:
                return events
            if isinstance(event, protocol.Failed) and event.job in {0, self.job}:
                raise SessionFailedError(event.sentence)
            events.append(event)

    def send(self, request: protocol.Request) -> None:
        """Send a request. Raises PaintoverError if the engine has stopped."""
        self._client.send(request)

    def restart(self) -> None:
        """Start another process in place of one that has stopped. Raises as the class does."""
        self.stop()
        self._start()

    def stop(self, *, wait: bool = False) -> None:
        """End the process; it computes nothing from then on.

        Args:
            wait: return when it has ended. Otherwise a thread sees to it.
        """
        if wait:
            _end(self._client, self.job)
        else:
            threading.Thread(target=_end, args=(self._client, self.job), daemon=True).start()


def _end(client: engine_client.EngineClient, job: int) -> None:
    if client.alive() and job:
        with contextlib.suppress(PaintoverError):
            client.send(protocol.Cancel(job))
            until = time.monotonic() + _STOP_SECONDS
            # Its state is on disk when it answers, and it would take its time to end.
            while not isinstance(client.next_event(), protocol.Cancelled):
                if time.monotonic() > until:
                    break
                time.sleep(0.01)
    client.kill()
