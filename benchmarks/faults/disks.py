# SPDX-License-Identifier: GPL-3.0-or-later
"""Full disks, read-only disks, and folders that may not be written."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .engine_runs import EngineRuns
from .jobs import Job, check_again, check_end, check_stopped, reference
from .outcome import Outcome

DISK_BYTES = 64 << 20
MOST_FREE = 1 << 19
"""Most bytes that are left on a full disk."""


def fill(engine: EngineRuns, jobs: Sequence[Job], work: Path, count: int, seed: int) -> Outcome:
    """Run jobs on a disk with some bytes left, ``count`` times each."""
    may_mount = _may_mount()
    how = "a small file system" if may_mount else "files may not become longer"
    outcome = Outcome(
        "full disk", f"{how}; nothing to {MOST_FREE >> 10} KiB left, then space again"
    )
    chance = random.Random(seed)
    for job in jobs:
        right, _ = reference(engine, job, work)
        for number in range(count):
            free = chance.randrange(MOST_FREE) if number else 0
            what = f"{job.name} with {free} bytes left"
            with _disk(work / "disk") if may_mount else contextlib.nullcontext(work) as disk:
                shot, options = disk / "shot", {}
                job.copy_to(shot)
                if may_mount:
                    _leave(disk, free)
                else:
                    options["most_bytes"] = max(1, free)
                _fail(outcome, engine, job, shot, right, what, options, disk / "filler")
    return outcome


def _fail(
    outcome: Outcome,
    engine: EngineRuns,
    job: Job,
    shot: Path,
    right: dict[str, str],
    what: str,
    options: dict[str, Any],
    filler: Path,
) -> None:
    outcome.tried += 1
    safe = job.safe_contents(shot)
    check_end(outcome, engine.run(*job.words_in(shot), **options), what)
    check_stopped(outcome, job, shot, safe, what)
    filler.unlink(missing_ok=True)
    check_again(outcome, engine.run(*job.again_in(shot)), job, shot, right, what)


def _leave(disk: Path, free: int) -> None:
    """Fill a disk but for some bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 14))
    os.truncate(filler, max(0, filler.stat().st_size - free))


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    options = ("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _may_mount() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount") is not None


def forbid(engine: EngineRuns, jobs: Sequence[Job], work: Path) -> list[Outcome]:
    """Run jobs in folders that may not be written, then in the same that may."""
    outcomes = []
    kinds = {"no permission": _no_permission}
    if _may_mount():
        kinds["read-only"] = _read_only
    for name, forbidden in kinds.items():
        outcome = Outcome(name, "each job in a folder that may not be written, then again")
        for job in jobs:
            right, _ = reference(engine, job, work)
            shot = work / "shot"
            job.copy_to(shot)
            shot.mkdir(exist_ok=True)
            outcome.tried += 1
            safe, before = job.safe_contents(shot), _listing(shot)
            with forbidden(shot):
                ended = engine.run(*job.words_in(shot), unprivileged=True)
            check_end(outcome, ended, job.name)
            if ended.code == 0:
                outcome.count("unforeseen", f"{job.name}: done, although it could not write")
            if _listing(shot) != before:
                outcome.count("unforeseen", f"{job.name}: has written")
            check_stopped(outcome, job, shot, safe, job.name)
            ended = engine.run(*job.words_in(shot))
            check_again(outcome, ended, job, shot, right, job.name)
        outcomes.append(outcome)
    return outcomes


def _listing(folder: Path) -> list[tuple[str, int]]:
    return [(str(path), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))]


@contextlib.contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def _no_permission(folder: Path) -> Iterator[None]:
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for place in places:
        place.chmod(0o555)
    try:
        yield
    finally:
        for place in places:
            place.chmod(0o755)
