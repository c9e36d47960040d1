# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills at random moments, and what the next run makes of what they leave."""

from __future__ import annotations

import random
from pathlib import Path

from .engine_runs import EngineRuns
from .jobs import Job, check_again, check_end, check_stopped, reference
from .outcome import Outcome

MOST_IN_A_ROW = 3
"""Kills of the same job before it may end."""


def kill(
    engine: EngineRuns, job: Job, work: Path, count: int, seed: int, *, saves: bool = False
) -> Outcome:
    """Kill a job many times.

    Args:
        engine: runs it.
        job: the job.
        work: an empty folder.
        count: number of kills.
        seed: the moments depend on it.
        saves: whether a training saves its state after each step.
    """
    name = f"killed: {job.name}{', checkpoints' if saves else ''}"
    outcome = Outcome(name, "at random moments, up to three times in a row, then run to the end")
    right, seconds = reference(engine, job, work)
    chance = random.Random(seed)
    shot = work / "shot"
    while outcome.tried < count:
        job.copy_to(shot)
        safe = job.safe_contents(shot)
        row = chance.randint(1, MOST_IN_A_ROW)
        for _ in range(row):
            moment = chance.uniform(0.0, seconds)
            words = job.again_in(shot)
            ended = engine.run(*words, kill_after=max(0.001, moment), saves_each_step=saves)
            check_end(outcome, ended, f"after {moment:.3f} s")
            if not ended.was_killed:
                break
            outcome.tried += 1
            check_stopped(outcome, job, shot, safe, f"after {moment:.3f} s")
        what = f"seed {seed}, kill {outcome.tried}"
        check_again(outcome, engine.run(*job.again_in(shot)), job, shot, right, what)
        check_stopped(outcome, job, shot, safe, what)
    return outcome
