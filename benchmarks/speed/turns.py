# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations measured in turns, so that what else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

Step = Callable[[], object]


def seconds_of(step: Step) -> float:
    """Return how long a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def medians_in_turns(
    steps: Mapping[str, Step], turns: int, *, repeated: Mapping[str, int] | None = None
) -> dict[str, float]:
    """Return name → median duration in seconds of steps that take turns.

    Args:
        steps: name → step.
        turns: how often each has its turn.
        repeated: name → how often it is done in a turn, where that is more than once. Such a step
            is quick; it is done once more at first, uncounted.
    """
    repeated = repeated or {}
    for name in repeated:
        steps[name]()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            times[name] += [seconds_of(step) for _ in range(repeated.get(name, 1))]
    return {name: median(durations) for name, durations in times.items()}
