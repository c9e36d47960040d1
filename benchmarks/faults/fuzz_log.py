# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of the fuzzer so far, a line each, so that the long form is made in many pieces."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.own_process import ROOT

LOG = "runs.jsonl"
_SOURCES = ("engine/shared", "engine/app", "engine/images/movie_bounds.py")
_MORE_SOURCES = ("engine/frames", "engine/images", "engine/networks", "engine/training")
"""What the slow targets read with, too."""


@dataclasses.dataclass(frozen=True)
class FuzzRun:
    """One run of one target.

    Attributes:
        id: random; a run with an id that is already known does not count.
        began: date and time, UTC, ISO 8601.
        target: its name.
        inputs: how many were tried.
        seconds: how long it took.
        code: digest of the sources that were tried.
        wrong: what was wrong with the last input; "" if nothing was.
        found: name of that input in ``tests/faults/found``.
    """

    id: str
    began: str
    target: str
    inputs: int
    seconds: float
    code: str
    wrong: str = ""
    found: str = ""


def begin() -> tuple[str, str]:
    """Return a new id and the date of a run."""
    return os.urandom(8).hex(), datetime.now(UTC).isoformat(timespec="seconds")


def add_run(folder: Path, run: FuzzRun) -> None:
    """Add a run to the log in a folder; several processes may do so at once."""
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps(dataclasses.asdict(run)) + "\n"
    with (folder / LOG).open("ab", buffering=0) as file:
        file.write(line.encode())


def read_runs(folder: Path) -> list[FuzzRun]:
    """Return the runs in the log of a folder, each once."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    runs = [FuzzRun(**json.loads(line)) for line in lines]
    return list({run.id: run for run in runs}.values())


def totals(runs: Sequence[FuzzRun]) -> dict[str, int]:
    """Return how many inputs each target has had."""
    found: dict[str, int] = {}
    for run in runs:
        found[run.target] = found.get(run.target, 0) + run.inputs
    return found


def to_table(runs: Sequence[FuzzRun]) -> str:
    """Return the table of all parsers, as Markdown; "" if nothing was fuzzed."""
    if not runs:
        return ""
    lines = [
        "| fuzzed parser | inputs | runs | from | to | found, and mended |",
        "|---|---:|---:|---|---|---:|",
    ]
    for target in sorted({run.target for run in runs}):
        own = sorted((run for run in runs if run.target == target), key=lambda run: run.began)
        inputs, found = sum(run.inputs for run in own), len({run.found for run in own if run.wrong})
        dates = " | ".join(f"{run.began[:10]} {run.began[11:16]} UTC" for run in (own[0], own[-1]))
        lines.append(f"| {target} | {inputs:,} | {len(own)} | {dates} | {found} |")
    return "\n".join(lines)


@functools.cache
def code_of(is_slow: bool) -> str:
    """Return a digest of the sources that quick or slow targets try, as they are now."""
    digest = hashlib.sha256()
    for folder in (*_SOURCES, *(_MORE_SOURCES if is_slow else ())):
        place = ROOT / folder
        for path in sorted(place.rglob("*.py")) or [place]:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
