# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs that faults befall: what they start from, do, and leave when nothing goes wrong."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from engine.shared.errors import PaintoverError

from .checks import leftovers, torn_files
from .engine_runs import Ended, EngineRuns
from .outcome import Outcome
from .small_shots import FRAMES, add_painting, contents, make_inputs

STEPS = 6
SAFE = ("keys", "mine")
"""Parts of a shot folder that no job may change: paintings, and a file of the user's."""
_SWEEP = ("--minutes", 1, "--trials", 2, "--trial-steps", 2, "--no-train")
_LIVE = ("--frame", 2, "--seconds", 1.5)
_TRAIN = ("--network", "small", "--patch", 12, "--batch", 1, "--steps", STEPS)


@dataclasses.dataclass(frozen=True)
class Job:
    """One job of the command line.

    Attributes:
        name: its name.
        template: a shot folder that it starts from; it need not exist.
        words: its arguments after the shot folder; the first is the verb.
        parts: what it makes in the shot folder, and is compared afterwards.
        changes_keys: whether it may replace paintings.
        resumes: whether it goes on with ``--resume`` where it has saved its state.
    """

    name: str
    template: Path
    words: tuple[object, ...]
    parts: tuple[str, ...]
    changes_keys: bool = False
    resumes: bool = False

    def words_in(self, shot: Path, *more: object) -> tuple[object, ...]:
        """Return the arguments of the command line for a shot folder."""
        return (self.words[0], shot, *self.words[1:], *more)

    def again_in(self, shot: Path) -> tuple[object, ...]:
        """Return the arguments that go on with what a fault has stopped."""
        is_saved = (shot / "styles/style/resume.safetensors").is_file()
        is_done = (shot / "styles/style.safetensors").is_file()  # then it trains anew
        resumes = self.resumes and is_saved and not is_done
        return self.words_in(shot, *(["--resume"] if resumes else []))

    def copy_to(self, shot: Path) -> None:
        """Copy what it starts from."""
        shutil.rmtree(shot, ignore_errors=True)
        if self.template.is_dir():
            shutil.copytree(self.template, shot)

    def safe_contents(self, shot: Path) -> dict[str, str]:
        """Return the digests of what it may not change."""
        return {} if self.changes_keys else contents(shot, *SAFE)


def make_jobs(engine: EngineRuns, work: Path) -> dict[str, Job]:
    """Make the inputs and shots, and return the jobs by their name."""
    inputs = make_inputs(work / "inputs")
    imported, trained, stylized = (work / f"shot {name}" for name in ("new", "old", "done"))
    given = ("--input", inputs / "input", "--painted", inputs / "painted")
    _must(engine.run("import", imported, *given))
    (imported / "mine").write_text("a file of the user's\n")
    longer, other = work / "shot of others", make_inputs(work / "others", FRAMES + 2)
    _must(engine.run("import", longer, "--input", other / "mask", "--painted", other / "painted"))
    jobs = [
        Job("import", work / "none", ("import", *given), ("frames", "keys"), changes_keys=True),
        Job("import again", imported, ("import", *given), ("frames",)),
        Job("import others", longer, ("import", *given[:2]), ("frames",)),
        Job("train", imported, ("train", *_TRAIN), ("styles/style.safetensors",), resumes=True),
        Job("filter", imported, ("train", "--filter", *_TRAIN), ("styles/style.safetensors",)),
    ]
    swept = work / "shot of a sweep"
    shutil.copytree(imported, swept)
    add_painting(swept / "keys/0003.png", 3)
    jobs.append(Job("sweep", swept, ("sweep", *_SWEEP), SAFE))
    shutil.copytree(imported, trained)
    _must(engine.run("train", trained, *_TRAIN))
    shutil.copytree(trained, stylized)
    _must(engine.run("stylize", stylized))
    jobs += [
        Job("stylize", trained, ("stylize",), ("out",)),
        Job("chunk", trained, ("stylize", "--frames", "2-3"), ("out",)),
        Job("stylize to EXR", trained, ("stylize", "--format", "exr"), ("out",)),
        Job("preview", trained, ("preview", "--style", "seen"), ("out",)),
        Job("live", trained, ("live", *_LIVE), SAFE),
        Job("matte", trained, ("matte", "--input", inputs / "mask"), ("mattes",)),
        Job("stylize again", stylized, ("stylize",), ("out",)),
        Job("resume", trained, ("train", "--resume", *_TRAIN), ("styles/style.safetensors",)),
    ]
    return {job.name: job for job in jobs}


def reference(engine: EngineRuns, job: Job, work: Path) -> tuple[dict[str, str], float]:
    """Return what a job makes when nothing goes wrong, and the seconds that it takes."""
    shot = work / "reference"
    job.copy_to(shot)
    ended = _must(engine.run(*job.words_in(shot)))
    right = contents(shot, *job.parts)
    if not right:
        raise PaintoverError(f"The job {job.name} made nothing.")
    return right, ended.seconds


def check_stopped(outcome: Outcome, job: Job, shot: Path, safe: dict[str, str], what: str) -> None:
    """Count what is wrong in a shot folder after a fault."""
    if job.safe_contents(shot) != safe:
        outcome.count("lost", f"{what}: a painting or a file of the user's has changed")
    for path in torn_files(shot):
        outcome.count("torn", f"{what}: {path.relative_to(shot)}")


def check_again(
    outcome: Outcome,
    ended: Ended,
    job: Job,
    shot: Path,
    right: dict[str, str],
    what: str,
) -> None:
    """Count what is wrong with the next run after a fault."""
    if ended.code != 0:
        outcome.count("lost", f"{what}: the next run ends with {ended.code}: {ended.err[-300:]}")
        return
    found = contents(shot, *job.parts)
    if found != right:
        names = sorted(
            name for name in found.keys() | right.keys() if found.get(name) != right.get(name)
        )
        outcome.count("lost", f"{what}: other results than without it: {names[:3]}")
    for path in leftovers(shot)[:1]:
        outcome.count("unforeseen", f"{what}: left over: {path.relative_to(shot)}")
    check_end(outcome, ended, what)


def check_end(outcome: Outcome, ended: Ended, what: str) -> None:
    """Count what is wrong with the end of a run."""
    if ended.fault:
        outcome.count("unforeseen", f"{what}: {ended.fault}")
    if ended.left:
        outcome.count("unforeseen", f"{what}: {ended.left} processes or descriptors left")


def _must(ended: Ended) -> Ended:
    if ended.code != 0:
        raise PaintoverError(f"The engine failed without a fault: {ended.err}")
    return ended
