# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes that write into one shot folder at once."""

from __future__ import annotations

from pathlib import Path

from .checks import leftovers
from .engine_runs import EngineRuns, Run
from .jobs import Job, check_end, check_stopped, reference
from .outcome import Outcome
from .small_shots import contents

DAY = 24 * 3600.0


def crowd(engine: EngineRuns, jobs: dict[str, Job], work: Path, count: int) -> list[Outcome]:
    """Run jobs at once, ``count`` times for each kind of crowd; only one job if that is once."""
    kinds = (
        Outcome("two writers", "the same job twice at once"),
        Outcome("four writers", "the same job four times at once"),
        Outcome("equal process numbers", "four at once that believe to be process 7"),
        Outcome("clocks set back", "two at once, one of them a day behind"),
    )
    names = ("stylize", "train", "preview", "import again", "live")[: 5 if count > 1 else 1]
    for name in names:
        job = jobs[name]
        right, _ = reference(engine, job, work)
        for outcome in kinds:
            for _ in range(count):
                _together(engine, outcome, job, work / "shot", right)
    return list(kinds)


def _together(
    engine: EngineRuns, outcome: Outcome, job: Job, shot: Path, right: dict[str, str]
) -> None:
    writers = 4 if outcome.name in ("four writers", "equal process numbers") else 2
    number = 7 if outcome.name == "equal process numbers" else 0
    clocks = [-DAY if outcome.name == "clocks set back" else 0.0, *[0.0] * (writers - 1)]
    job.copy_to(shot)
    safe = job.safe_contents(shot)
    words = tuple(map(str, job.words_in(shot)))
    outcome.tried += writers
    ended = engine.together([Run(words, number=number, clock=clock) for clock in clocks])
    for one in ended:
        check_end(outcome, one, job.name)
    if all(one.code for one in ended):
        outcome.count("lost", f"{job.name}: none of {writers} ended well: {ended[0].err[-200:]}")
    check_stopped(outcome, job, shot, safe, job.name)
    if contents(shot, *job.parts) != right:
        outcome.count("lost", f"{job.name}: other results than of one writer")
    for path in leftovers(shot)[:1]:
        outcome.count("unforeseen", f"{job.name}: left over: {path.relative_to(shot)}")
