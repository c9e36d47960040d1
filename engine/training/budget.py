# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of a training run, in steps or in seconds, and the time that the run has taken."""

from __future__ import annotations

import dataclasses
import time
from typing import Annotated

from ..shared.checked import Range
from ..shared.errors import PaintoverError

DEFAULT_SECONDS = 60.0
LEAST_SHARE = 0.5
"""Least share of the seconds asked for that is spent on steps, however long the set-up takes."""
MOST = 1e12
"""Most steps or seconds."""
_NOT_BELOW_0 = Range(0, MOST)


class Stopwatch:
    """Measures the seconds of a training run, those before a resume included.

    Args:
        before: seconds that earlier parts of the run took.
    """

    def __init__(self, before: float) -> None:
        self._before, self._started = before, time.monotonic()

    def seconds(self) -> float:
        """Return the seconds so far."""
        return self._before + time.monotonic() - self._started


@dataclasses.dataclass
class Budget:
    """The budget of a run, and the step and second at which it began.

    Attributes:
        steps: training steps, or 0 for a budget in seconds.
        seconds: seconds of steps, where ``steps`` is 0.
        first_step: step of the run at which the budget began.
        first_second: second of the run at which the budget began.
        finished: whether the run ended, because the budget was spent or training stopped early.
    """

    steps: Annotated[int, _NOT_BELOW_0]
    seconds: Annotated[float, _NOT_BELOW_0]
    first_step: Annotated[int, _NOT_BELOW_0] = 0
    first_second: Annotated[float, _NOT_BELOW_0] = 0.0
    finished: bool = False

    @classmethod
    def of(cls, steps: int, seconds: float) -> Budget:
        """Return a new budget: ``steps`` if not 0, else ``seconds``, else the default time.

        Raises:
            PaintoverError: one of them is below 0 or no number.
        """
        if not (0 <= steps <= MOST and 0 <= seconds <= MOST):
            given = f"{seconds:g} seconds" if not 0 <= seconds <= MOST else f"{steps} steps"
            raise PaintoverError(f"Training cannot take {given}; give a number above 0.")
        return cls(steps, 0.0 if steps else seconds or DEFAULT_SECONDS)

    def resume(self, earlier: Budget, steps: int, seconds: float) -> None:
        """Begin where an earlier budget began or, if that was finished, where its run ended.

        Args:
            earlier: the budget of the run that is resumed.
            steps: steps of that run so far.
            seconds: seconds of that run so far.
        """
        self.first_step, self.first_second = earlier.first_step, earlier.first_second
        if earlier.finished:
            self.first_step, self.first_second = steps, seconds

    def take_off(self, set_up: float, seconds: float) -> None:
        """Take the seconds of the set-up off a budget in seconds, down to ``LEAST_SHARE``.

        Args:
            set_up: seconds that reading the shot and preparing the run took.
            seconds: seconds of the run so far.
        """
        left = self.seconds - (seconds - self.first_second)
        if left > 0:
            self.seconds -= min(set_up, (1 - LEAST_SHARE) * left)

    def spent(self, steps: int, seconds: float) -> float:
        """Return the spent share of the budget, 0..1.

        Args:
            steps: steps of the run so far.
            seconds: seconds of the run so far.
        """
        if self.steps:
            return min(1.0, (steps - self.first_step) / self.steps)
        return min(1.0, (seconds - self.first_second) / self.seconds)

    def seconds_left(self, spent: float, seconds: float) -> float:
        """Estimate the seconds until the budget is spent; −1 if nothing is spent yet.

        Args:
            spent: as ``spent`` returned.
            seconds: seconds of the run so far.
        """
        used = seconds - self.first_second
        if not self.steps:
            return max(0.0, self.seconds - used)
        return used / spent * (1 - spent) if spent > 0 else -1.0

    def is_time_to_validate(self, steps: int, seconds_since: float) -> bool:
        """Return whether the held-out loss should be measured now.

        Args:
            steps: steps of the run so far.
            seconds_since: seconds since it was last measured.
        """
        if self.steps:
            return steps % max(10, min(100, self.steps // 20)) == 0
        return seconds_since > max(1.5, self.seconds / 30)
