# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.faults``: kills, full disks, damaged files, several writers.

Each fault befalls a tiny shot; then it is checked that nothing is lost, torn or left over, that
errors are sentences, and that the next run makes the same, bit for bit, as without the fault.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT
from engine.shared.errors import PaintoverError

from . import bounds, crafted, fuzz, fuzz_targets, links
from .blender_runs import kill_in_blender
from .counts import Counts
from .crowds import crowd
from .damage import damage
from .disks import fill, forbid
from .engine_runs import EngineRuns
from .fuzz_log import read_runs, to_table
from .jobs import Job, make_jobs
from .kills import kill
from .outcome import Outcome, to_markdown
from .set_ups import kill_set_up

PAGE = ROOT / "docs/reliability.md"
SEED = 18
ALL = "long"
SHORT = "short"
_KILLED_IN_SHORT = ("import", "stylize", "sweep", "live")
_IN_BLENDER = (
    *("killed in Blender: capture", "killed in Blender: recapture", "killed in Blender: compose"),
    "two Blenders capture",
)
_QUICK = ("request", "picture colors")
"""Parsers in the short form."""
EXPLAINED = """\
Each fault befalls a tiny shot (64×48, 4 frames, few steps), at moments and places that follow from
fixed seeds. A kill is SIGKILL to the process. After each fault:

- **lost** counts paintings, inputs and files of the user's that have changed, frames that are
  missing, and next runs that fail or do not make the same, bit for bit, as without the fault;
- **torn** counts files under their final names that cannot be read to their end;
- **unforeseen** counts errors that are not one sentence, and temporary files, locks, processes and
  descriptors that are left after the next run;
- **let in** counts damaged files that were taken for whole: something else came of them.

**measured** is the time (UTC) and the commit. Rows are measured in pieces; those of an earlier
commit were not run again since.

Fuzzed inputs are changed by atheris by what code they reach, `python -m benchmarks.faults.fuzz`:
each must be read whole, or be refused in one right sentence. The long form is ten million, made in
many runs: each is noted once, with a random number, in the cache that `--cache` names. Inputs that
only repeat those of earlier runs do not count. What is found is mended and kept as a test.

Crafted files are valid ones that were changed by rules: each must be refused in a sentence that
names it, or be read whole. Links in a shot folder must let nothing in outside of it. Bombs, huge
numbers, pipes and devices must be refused, or read, within 1 s of processor time and 200 MB."""


@dataclasses.dataclass(frozen=True)
class _Extent:
    """How many faults of each class."""

    kills: dict[str, int]
    checkpoints: int
    disks: int
    damaged: int
    crowds: int
    blender: dict[str, int]
    set_ups: int
    """Kills of the engine's set-up."""
    every: int
    """Of crafted files, each of this number is tried."""
    fuzzed: int
    """Inputs for all parsers together."""
    goes_on: bool
    """Whether the inputs of earlier runs count to these."""
    parsers: tuple[str, ...] = tuple(fuzz_targets.TARGETS)
    links: tuple[str, ...] = tuple(links.JOBS)
    """Jobs that meet links."""
    every_bound: int = 1
    """Of bombs and long headers, each of this number is tried."""


_EXTENTS = {
    ALL: _Extent(
        {"import": 40, "import again": 20, "import others": 20, "train": 20, "filter": 10}
        | {
            "stylize": 40,
            "chunk": 15,
            "stylize to EXR": 15,
            "preview": 15,
            "matte": 15,
            "sweep": 10,
        }
        | {"live": 15},
        *(20, 4, 12, 2),
        {"capture": 8, "recapture": 8, "compose": 6, "two": 2},
        12,
        1,
        fuzz.TOTAL,
        goes_on=True,
    ),
    SHORT: _Extent(
        *(dict.fromkeys(_KILLED_IN_SHORT, 1), 1, 1, 1, 1, {}, 0, 80, 2000, False),
        parsers=_QUICK,
        links=("preview", "import", "log"),
        every_bound=4,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 1 if anything was lost or let in."""
    options = _parse(arguments)
    extent = _EXTENTS[SHORT if options.short else ALL]
    machine = describe_machine()
    work = Path(tempfile.mkdtemp(prefix="paintover-faults-"))
    try:
        outcomes = _measure(work, extent, options)
    except PaintoverError as error:
        print(f"benchmarks.faults: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    earlier = [row for file in options.add for row in json.loads(file.read_text(encoding="utf-8"))]
    rows = [*map(Outcome.from_data, earlier), *outcomes]
    outcomes = list({one.name: one for one in rows}.values())
    table = to_markdown(outcomes)
    print(table)
    for note in (note for outcome in outcomes for note in outcome.notes):
        print(note, file=sys.stderr)
    if options.json:
        options.json.write_text(
            json.dumps([one.as_data() for one in outcomes], indent=1) + "\n", encoding="utf-8"
        )
    if options.write:
        _write(options.write, table, machine, to_table(read_runs(options.cache.resolve())))
    return int(any(one.lost or one.torn or one.let_in or one.unforeseen for one in outcomes))


def _measure(work: Path, extent: _Extent, options: argparse.Namespace) -> list[Outcome]:
    engine = EngineRuns()
    try:
        parts = _parts(engine, work, extent, options)
        wanted = [name for name in parts if not options.only or name in options.only]
        outcomes = []
        for name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            place = work / "part"
            place.mkdir()
            began, measured = time.monotonic(), _now()
            for outcome in parts[name](place):
                outcome.measured = outcome.measured or measured
                outcomes.append(outcome)
            shutil.rmtree(place)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        return outcomes
    finally:
        engine.close()


def _now() -> str:
    """Return the time, and the commit that is checked out."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} {done.stdout.strip()}".strip()


def _parts(
    engine: EngineRuns, work: Path, extent: _Extent, options: argparse.Namespace
) -> dict[str, Callable[[Path], list[Outcome]]]:
    """Return what measures each part in an empty folder."""
    made: dict[str, Job] = {}

    def jobs() -> dict[str, Job]:
        if not made:
            made.update(make_jobs(engine, work / "made"))
        return made

    return {
        "kills": lambda place: [
            kill(engine, jobs()[name], place, count, SEED)
            for name, count in extent.kills.items()
            if not options.job or name in options.job
        ],
        "checkpoints": lambda place: [
            kill(engine, jobs()["train"], place, extent.checkpoints, SEED + 1, saves=True)
        ],
        "blender": lambda place: (
            kill_in_blender(place, extent.blender, SEED)
            if extent.blender
            else [Outcome(name, "not in the short form") for name in _IN_BLENDER]
        ),
        "setup": lambda place: [kill_set_up(place, extent.set_ups, SEED)] if extent.set_ups else [],
        "disks": lambda place: [
            fill(
                engine,
                _some(jobs(), extent.disks, "filter", "sweep", "live"),
                place,
                extent.disks,
                SEED,
            ),
            *forbid(engine, _some(jobs(), extent.disks), place),
        ],
        "damage": lambda place: [damage(engine, jobs(), place, extent.damaged, SEED)],
        "crowds": lambda place: crowd(engine, jobs(), place, extent.crowds),
        "crafted": lambda place: [
            _counted(
                "crafted files",
                "valid files that were changed by rules",
                crafted.measure(place, every=extent.every),
            )
        ],
        "links": lambda place: [
            _counted(
                "links",
                "links that lead out of the shot folder",
                links.measure(place, extent.links),
            )
        ],
        "fuzz": lambda place: [_fuzzed(place, extent, options)],
        "bounds": lambda place: [
            _counted(
                "bounds",
                "bombs, huge numbers, pipes and devices as files",
                bounds.measure(place, every=extent.every_bound),
            )
        ],
    }


def _some(jobs: dict[str, Job], times: int, *more: str) -> list[Job]:
    """Return the jobs that run out of space or rights: two where each does so once."""
    names = ("import", "import again", "train", "stylize", "stylize to EXR", "preview", "matte")
    return [jobs[name] for name in ((*names, *more) if times > 1 else ("import", "stylize"))]


def _fuzzed(place: Path, extent: _Extent, options: argparse.Namespace) -> Outcome:
    """Fuzz all parsers; without atheris, nothing is tried, and the row says so."""
    how = f"inputs to {len(extent.parsers)} parsers, changed by atheris"
    if not fuzz.is_there():
        return Outcome("fuzzed inputs", f"none: atheris has no wheel for this Python ({how})")
    outcome = Outcome("fuzzed inputs", how)
    if not extent.goes_on:
        for one in fuzz.fuzz(place, extent.parsers, inputs=extent.fuzzed):
            outcome.tried += one.inputs
            if one.wrong:
                outcome.count("unforeseen", f"{one.target}: {one.wrong[:500]}")
        return outcome
    cache = options.cache.resolve()
    seconds = options.fuzz_seconds
    runs = fuzz.go_on(place, extent.parsers, extent.fuzzed, cache, seconds=seconds)
    outcome.tried = sum(run.inputs for run in runs)
    outcome.how += f", in {len(runs)} runs; the long form is {extent.fuzzed:,}"
    outcome.measured = "as below"
    for run in filter(fuzz.is_wrong_still, runs):
        outcome.count("unforeseen", f"{run.target}: {run.wrong[:500]}")
    return outcome


def _counted(name: str, what: str, counts: Counts) -> Outcome:
    outcome = Outcome(name, what, counts.tried)
    for kind, notes in (
        ("lost", counts.lost),
        ("unforeseen", counts.unforeseen),
        ("let_in", counts.let_in),
    ):
        for note in notes:
            outcome.count(kind, note)
    return outcome


def _write(page: Path, table: str, machine: dict[str, str], fuzzed: str) -> None:
    described = "; ".join(f"{name}: {value}" for name, value in machine.items())
    command = " ".join(["python -m benchmarks.faults", *sys.argv[1:]])
    page.write_text(
        f"# What faults cost\nMade by `{command}`.\n\n{table}\n\n{EXPLAINED}\n\n{fuzzed}\n\n"
        f"Machine: {described}.\n",
        encoding="utf-8",
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="one or a few of each, without Blender"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts as JSON")
    parser.add_argument(
        "--job",
        action="append",
        default=[],
        metavar="NAME",
        help="of the kills, those of this job alone, such as live; repeatable",
    )
    parser.add_argument(
        "--cache", type=Path, default=fuzz.CACHE, metavar="DIR", help="of the fuzzer: %(default)s"
    )
    parser.add_argument(
        "--fuzz-seconds",
        type=float,
        default=0,
        metavar="N",
        help="stop fuzzing after this time; the next run goes on",
    )
    parser.add_argument(
        "--add",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="put the counts of an earlier run into the page, where this one has none; repeatable",
    )
    parser.add_argument(
        "--write",
        nargs="?",
        type=Path,
        const=PAGE,
        metavar="PAGE",
        help=f"write a page, by default {PAGE.relative_to(ROOT)}",
    )
    parser.add_argument(
        "--only",
        choices=(
            "kills",
            "checkpoints",
            "blender",
            "setup",
            "disks",
            "damage",
            "crowds",
            "crafted",
            "links",
            "fuzz",
            "bounds",
        ),
        action="append",
        default=[],
        metavar="PART",
        help="this part, repeatable: %(choices)s",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
