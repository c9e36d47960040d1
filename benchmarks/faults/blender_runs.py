# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills of Blender while it captures or composes, and captures of two Blenders at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import build_addon
from benchmarks.own_process import ROOT
from engine.images.pictures import read_picture, write_picture
from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot

from .checks import leftovers, torn_files
from .engine_runs import Ended
from .jobs import check_end
from .outcome import Outcome
from .small_shots import contents

_CAPTURE = "capture"
_TRACEBACK = "Traceback"
_SECONDS = 240.0
_MOST_TO_END = 10.0
"""Seconds that killed processes may take until the system has none of them."""


def kill_in_blender(work: Path, counts: dict[str, int], seed: int) -> list[Outcome]:
    """Kill captures, captures with other settings, and composing, in an empty folder."""
    build_addon.build(work)
    # The .blend knows where its shot lies, so every fault befalls the same folder.
    place, fresh, captured = work / "scene", work / "fresh", work / "captured"
    place.mkdir()
    must(run_step("install", place))
    shutil.copytree(place, fresh)
    must(run_step("prepare", place))
    shot = Shot.open(place / "shot")
    painting = 1 - read_picture(shot.image_path(1)).pixels[..., :3]
    for folder, frames in (("keys", [1]), ("out/style", shot.frames)):
        for frame in frames:
            write_picture(shot.folder / folder / f"{frame:04d}.png", painting)
    shutil.copytree(place, captured)
    outcomes = []
    for step, start, parts in (
        (_CAPTURE, fresh, ("shot/frames",)),
        ("recapture", captured, ("shot/frames",)),
        ("compose", captured, ("shot/out",)),
    ):
        if counts.get(step):
            outcomes.append(_kill(step, start, parts, place, counts[step], seed))
    if counts.get("two"):
        outcomes.append(_two(fresh, place, counts["two"]))
    return outcomes


def _kill(
    step: str, start: Path, parts: tuple[str, ...], place: Path, count: int, seed: int
) -> Outcome:
    outcome = Outcome(f"killed in Blender: {step}", "at random moments, then run to the end")
    right, seconds = _reference(step, start, parts, place)
    chance = random.Random(seed)
    kept = ("shot/keys", *(["shot/out"] if step == "compose" else []))
    while outcome.tried < count:
        _copy(start, place)
        safe = contents(place, *kept)
        for _ in range(chance.randint(1, 2)):
            moment = chance.uniform(0.0, seconds)
            ended = run_step(step, place, kill_after=max(0.001, moment))
            if not ended.was_killed:
                break
            outcome.tried += 1
            what = f"{step}, after {moment:.3f} s"
            check_end(outcome, ended, what)
            if contents(place, *kept) != safe:
                outcome.count("lost", f"{what}: a painting or a stylized frame has changed")
            for path in torn_files(place):
                outcome.count("torn", f"{what}: {path.relative_to(place)}")
        _finish(outcome, [run_step(step, place)], place, parts, right, step)
    return outcome


def _reference(
    step: str, start: Path, parts: tuple[str, ...], place: Path
) -> tuple[dict[str, str], float]:
    """Return what a step makes when nothing goes wrong, and the seconds that it takes."""
    _copy(start, place)
    seconds = must(run_step(step, place)).seconds
    right = contents(place, *parts)
    if not right:
        raise PaintoverError(f"Blender made nothing at {step}.")
    return right, seconds


def _two(start: Path, place: Path, count: int) -> Outcome:
    """Capture the two halves of a shot in two Blenders at once."""
    outcome = Outcome("two Blenders capture", "a half of the shot each, at once")
    parts = ("shot/frames",)
    right, _ = _reference(_CAPTURE, start, parts, place)
    for _ in range(count):
        _copy(start, place)
        with ThreadPoolExecutor(2) as pool:
            halves = ((_CAPTURE, place, "1", "2"), (_CAPTURE, place, "3", "4"))
            ended = list(pool.map(lambda words: run_step(*words), halves))
        outcome.tried += len(ended)
        _finish(outcome, ended, place, parts, right, "two captures")
        frames = Shot.open(place / "shot").frames if Shot.exists(place / "shot") else []
        if frames != [1, 2, 3, 4]:
            outcome.count("lost", f"two captures: the manifest has frames {frames}")
    return outcome


def _finish(
    outcome: Outcome,
    runs: Sequence[Ended],
    place: Path,
    parts: tuple[str, ...],
    right: dict[str, str],
    what: str,
) -> None:
    """Count what is wrong when the last runs have ended."""
    for one in runs:
        if one.code != 0:
            outcome.count("lost", f"{what}: the next run ends with {one.code}: {one.err[-300:]}")
        if _TRACEBACK in one.err or one.left:
            outcome.count("unforeseen", f"{what}: {one.left} left, {one.err[-300:]}")
    if contents(place, *parts) != right:
        outcome.count("lost", f"{what}: other results than without it")
    for path in leftovers(place)[:1]:
        outcome.count("unforeseen", f"{what}: left over: {path.relative_to(place)}")


def _copy(start: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(start, place)


def run_step(step: str, place: Path, *words: str, kill_after: float = 0.0) -> Ended:
    """Run a step in a new Blender; its seconds count from when the step begins."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.faults.in_blender", step, str(place), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    errors: list[str] = []
    assert process.stdout
    assert process.stderr
    reading = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reading.start()
    while process.stdout.readline() not in ("ready\n", ""):
        pass
    began = time.monotonic()
    rest = threading.Thread(target=process.stdout.read)
    rest.start()
    try:
        process.wait(kill_after or _SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    code, seconds = process.wait(), time.monotonic() - began
    for thread in (reading, rest):
        thread.join()
    process.stdout.close()
    process.stderr.close()
    return Ended(code, "".join(errors), seconds, _left(process.pid))


def _left(group: int) -> int:
    """Return 1 if a process of a group still runs, after some time to end."""
    end = time.monotonic() + _MOST_TO_END
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return 0
        time.sleep(0.05)
    return 1


def must(ended: Ended) -> Ended:
    """Return how a run ended. Raises PaintoverError if it failed."""
    if ended.code != 0:
        raise PaintoverError(f"Blender failed without a fault: {ended.err[-600:]}")
    return ended
