# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session tells: its state, its pictures, which frames are ready, and troubles."""

from __future__ import annotations

import time

from ..shared import live_protocol as messages
from ..shared.reporter import Silent
from .cache import Entry
from .costs import Meter
from .learner import Learner
from .requests import Link

TELL_SECONDS = 0.5
"""Seconds between two reports of the state while the session computes."""
CACHE_SECONDS = 0.25
"""Seconds between two reports of which frames are kept ready."""


class Reports:
    """Sends a session's events, and nothing twice.

    Args:
        job: number of the session's job.
        link: where events go to.

    Attributes:
        change: the last change of the paint that is taken in.
        sentence: why the session pauses by itself, or "".
    """

    def __init__(self, job: int, link: Link) -> None:
        self._job, self._link = job, link
        self.change, self.sentence = 0, ""
        self._told: tuple[str, str, int] | None = None
        self._told_cache: tuple[list[int], list[int]] = ([], [])
        self._told_at = self._cache_at = -1e9
        self._trouble = ""
        self._meter = Meter()

    def state(self, state: str, learner: Learner | None, *, anew: bool = False) -> None:
        """Tell the state if it has changed, or some time has passed while it computes.

        Args:
            state: one of ``live_protocol.STATES``.
            learner: what learns, if anything does.
            anew: tell it in any case.
        """
        now = time.monotonic()
        told = state, self.sentence, self.change
        rests = state in (messages.WAITING, messages.PAUSED)
        if told == self._told and not anew and (rests or now - self._told_at < TELL_SECONDS):
            return
        self._told, self._told_at = told, now
        self._link.send(
            messages.LiveState(
                self._job,
                state,
                round(learner.seconds, 3) if learner else 0.0,
                learner.trainer.steps if learner else 0,
                round(self._meter.read(), 3),
                self.change,
                self.sentence,
                round(learner.spent, 3) if learner else 0.0,
            )
        )

    def shown(self, number: int, frame: int, entry: Entry, seconds: float) -> None:
        """Tell of a picture.

        Args:
            number: of the request that it answers; 0: none.
            frame: its frame.
            entry: where it is, and what it shows.
            seconds: of learning since the last change of the paint.
        """
        self._link.send(
            messages.LiveShown(
                self._job,
                number,
                frame,
                entry.slot,
                entry.sequence,
                entry.shows,
                entry.change,
                round(seconds, 3),
            )
        )

    @property
    def cache_is_due(self) -> bool:
        """Whether it is time to tell again which frames are ready."""
        return time.monotonic() - self._cache_at >= CACHE_SECONDS

    def cache(self, fresh: list[int], stale: list[int]) -> None:
        """Tell which frames are ready, if that has changed."""
        if (fresh, stale) != self._told_cache:
            self._told_cache, self._cache_at = (fresh, stale), time.monotonic()
            self._link.send(messages.LiveCache(self._job, fresh, stale))

    def warn(self, sentence: str) -> None:
        """Warn, but not of the same trouble again and again."""
        if sentence != self._trouble:
            self._trouble = sentence
            self._link.warned(sentence)


class Interruptible(Silent):
    """The reporter of slow work, such as following the motion: any new request stops it.

    What is done so far is kept in the shot's cache, so it goes on from there the next time.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def cancelled(self) -> bool:
        """Return whether the session should end or a request has come."""
        return self._link.cancelled() or not self._link.inbox.empty()


class UntilCancelled(Silent):
    """The reporter of what only the end of the session stops."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def cancelled(self) -> bool:
        """Return whether the session should end."""
        return self._link.cancelled()
