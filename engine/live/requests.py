# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests to a live session that wait to be answered: of each kind only the latest."""

from __future__ import annotations

import queue
from typing import Protocol

from ..shared import live_protocol as messages
from ..shared.protocol import Event, Request


class Link(Protocol):
    """Where a session gets its requests from and sends its events to.

    Attributes:
        inbox: the requests; None wakes a session that waits.
    """

    inbox: queue.SimpleQueue[Request | None]

    def send(self, event: Event) -> None:
        """Send an event."""

    def warned(self, sentence: str) -> None:
        """Warn the user; the session goes on."""

    def cancelled(self) -> bool:
        """Return whether the session should end."""
        ...


class Pending:
    """The latest request of each kind; whoever answers one sets it to None.

    Args:
        inbox: see ``Link``.

    Attributes:
        paint: keyframe → its latest canvas, or that it is discarded.
        reload, show, range, settings, view, finish: the latest of their kinds.
    """

    def __init__(self, inbox: queue.SimpleQueue[Request | None]) -> None:
        self._inbox = inbox
        self.paint: dict[int, messages.LivePaint | messages.LiveRevert] = {}
        self.reload: messages.LiveReload | None = None
        self.show: messages.LiveShow | None = None
        self.range: messages.LiveRange | None = None
        self.settings: messages.LiveSettings | None = None
        self.view: messages.LiveView | None = None
        self.finish: messages.LiveFinish | None = None

    def take(self, seconds: float = 0.0) -> None:
        """Take in all requests that have come; wait for the first for so many seconds."""
        try:
            request = self._inbox.get(timeout=seconds) if seconds else self._inbox.get_nowait()
            while True:
                self._keep(request)
                request = self._inbox.get_nowait()
        except queue.Empty:
            return

    @property
    def is_any(self) -> bool:
        """Whether a request waits, also one that has not been taken in yet."""
        return bool(
            self.paint
            or self.reload
            or self.show
            or self.range
            or self.settings
            or self.view
            or self.finish
            or not self._inbox.empty()
        )

    def _keep(self, request: Request | None) -> None:
        if isinstance(request, messages.LivePaint | messages.LiveRevert):
            self.paint[request.frame] = request
        elif isinstance(request, messages.LiveReload):
            self.reload = request
        elif isinstance(request, messages.LiveShow):
            self.show = request
        elif isinstance(request, messages.LiveRange):
            self.range = request
        elif isinstance(request, messages.LiveSettings):
            self.settings = request
        elif isinstance(request, messages.LiveView):
            self.view = request
        elif isinstance(request, messages.LiveFinish):
            self.finish = request
