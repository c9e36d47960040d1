# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures durations in turns, so that other load on the machine affects all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

Step = Callable[[], object]


def seconds_of(step: Step) -> float:
    """Return the seconds that a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def medians_in_turns(
    steps: Mapping[str, Step], turns: int, *, repeated: Mapping[str, int] | None = None
) -> dict[str, float]:
    """Measure steps in turns and return name → median seconds.

    Args:
        steps: name → step.
        turns: number of turns.
        repeated: name → repetitions per turn of quick steps. Such a step is first run once without
            being measured.
    """
    repeated = repeated or {}
    for name in repeated:
        steps[name]()
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            times[name] += [seconds_of(step) for _ in range(repeated.get(name, 1))]
    return {name: median(durations) for name, durations in times.items()}
