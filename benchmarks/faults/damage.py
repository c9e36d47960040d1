# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that were cut off, or have a flipped bit, and the command line that reads them."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

from .engine_runs import EngineRuns
from .jobs import Job, check_end, reference
from .outcome import Outcome
from .small_shots import contents


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file that a job reads.

    Attributes:
        name: of the kind.
        job: name of the job that reads it.
        pattern: where it lies in the job's template.
        may_change: whether other content may be meant, so that other results are right.
        may_stay: whether the job may leave it: what is damaged in it counts as missing.
    """

    name: str
    job: str
    pattern: str
    may_change: bool = False
    may_stay: bool = False


KINDS = (
    Kind("painting", "train", "keys/0001.png"),
    Kind("frame", "stylize", "frames/0002.png"),
    Kind("manifest", "stylize", "shot.json", may_change=True),
    Kind("style", "stylize", "styles/style.safetensors"),
    Kind("resume state", "resume", "styles/style/resume.safetensors"),
    Kind("record of a frame", "stylize again", "out/style/made/0002.json"),
    Kind("flicker of a frame", "stylize again", "out/style/made/0002.flicker.json", may_stay=True),
    Kind("stylized frame", "stylize again", "out/style/0003.png"),
    Kind("cache", "stylize", "cache/*/*"),
)


def damage(engine: EngineRuns, jobs: dict[str, Job], work: Path, count: int, seed: int) -> Outcome:
    """Damage each kind of file ``count`` times, and run what reads it."""
    outcome = Outcome("damaged files", f"{len(KINDS)} kinds, cut off or with a flipped bit")
    chance = random.Random(seed)
    rights: dict[str, dict[str, str]] = {}
    for kind in KINDS:
        job = jobs[kind.job]
        if job.name not in rights:
            rights[job.name] = reference(engine, job, work)[0]
        for number in range(count):
            shot = work / "shot"
            job.copy_to(shot)
            found = sorted(shot.glob(kind.pattern))
            if not found:
                break
            path = chance.choice(found)
            data = bytearray(path.read_bytes())
            place = chance.randrange(len(data))
            if number % 2:
                data[place] ^= 1 << chance.randrange(8)
                what = f"{kind.name}, flipped at {place}"
            else:
                del data[place:]
                what = f"{kind.name}, cut at {place}"
            path.write_bytes(data)
            outcome.tried += 1
            ended = engine.run(*job.words_in(shot))
            check_end(outcome, ended, what)
            if path.name == "0001.png" and path.read_bytes() != data:
                outcome.count("lost", f"{what}: the painting was written")
            result = contents(shot, *job.parts)
            if kind.may_stay and path.read_bytes() == data:
                name = str(path.relative_to(shot))
                result[name] = rights[job.name][name]
            is_right = ended.code != 0 or result == rights[job.name]
            if not (is_right or kind.may_change):
                outcome.count("let_in", f"{what}: {path.name} was taken for whole")
    return outcome
