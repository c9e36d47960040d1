# SPDX-License-Identifier: GPL-3.0-or-later
"""With how many threads a session learns: all, or one fewer while other programs are busy.

PyTorch's threads wait for each other hundreds of times in a step. Where Blender holds the core of
one of them, all wait for it, and a step takes many times as long as with one thread fewer. Systems
do not tell it in one way, so both numbers are tried and timed.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

TRY_SECONDS, LONGEST_TRY_SECONDS = 2.0, 20.0
"""Seconds until all threads are tried again, twice as many after each time in vain, at most so."""
LEAST_STEPS = 3
"""Steps with fewer threads before all are tried."""


@functools.cache
def _all_threads() -> int:
    """Return PyTorch's number of threads as it was before any was chosen here."""
    return torch.get_num_threads()


def use_all_threads() -> None:
    """Let PyTorch use all threads again, as before a session."""
    torch.set_num_threads(_all_threads())


class LearningThreads:
    """Chooses the number of PyTorch's threads for each step.

    Args:
        threads: all that there are; None: as many as PyTorch uses.
        clock: tells the time in seconds.
    """

    def __init__(
        self, threads: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._all = threads or _all_threads()
        self._fewer: deque[float] = deque(maxlen=8)
        self._last_of_all = 0.0
        self.uses_all = False
        """Whether the steps are taken with all threads."""
        self._pause = TRY_SECONDS
        self._try_at = clock() + self._pause

    @contextmanager
    def step(self) -> Iterator[None]:
        """Take a step with the number that is best by now; it stays until the next step."""
        if self._all == 1:
            yield
            return
        began = self._clock()
        is_trial = not self.uses_all and began >= self._try_at and len(self._fewer) >= LEAST_STEPS
        torch.set_num_threads(self._all if self.uses_all or is_trial else self._all - 1)
        yield
        took = self._clock() - began
        if is_trial or self.uses_all:
            self._judge(took, is_trial=is_trial)
        else:
            self._fewer.append(took)

    def _judge(self, took: float, *, is_trial: bool) -> None:
        """Decide after a step with all threads whether to go on with them.

        A trial has to be faster than with fewer; after that two in a row have to be slower.
        """
        fastest = took if is_trial else min(took, self._last_of_all)
        self.uses_all, self._last_of_all = fastest < statistics.median(self._fewer), took
        if is_trial:
            again = min(2 * self._pause, LONGEST_TRY_SECONDS)
            self._pause = TRY_SECONDS if self.uses_all else again
        if not self.uses_all:
            torch.set_num_threads(self._all - 1)
            self._try_at = self._clock() + self._pause
