# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the measurement, the most important first; each yields results one by one.

    python -m benchmarks.gpu.parts PART KIT DEVICE SECONDS

runs one part and prints each result as a line of JSON: ``{"kind": …, …}``. Each part runs in its
own process, so that a failure or time-out does not affect the others.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.speed.extents import HD, FileJob
from benchmarks.speed.files import files_row
from benchmarks.speed.inference import GPU_NAMES, inference_rows
from benchmarks.speed.limits import measure_limits
from benchmarks.speed.processes import copy_untrained
from benchmarks.speed.steps import training_row
from engine.evaluation.scores import score
from engine.guides import registry as guides
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.networks.device import Device, choose_device
from engine.shared import protocol
from engine.shared.errors import Cancelled
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header

from .checks import run_checks
from .enlarged import enlarge
from .kit import KitPair, open_kit

Result = dict[str, Any]

PAPER_STEPS = 4000
SHORT_SECONDS, LONG_SECONDS = 10.0, 60.0
FILES = FileJob(HD, 12)
TURNS = 3
SPARE_SECONDS = 15.0
"""Seconds at the end of a part that are reserved for stylizing and scoring after training."""


@dataclasses.dataclass(frozen=True)
class Bench:
    """The context of a part: pairs of the kit, working folder, device and deadline.

    ``ends`` is the deadline, in seconds of ``time.monotonic``.
    """

    pairs: list[KitPair]
    work: Path
    device: Device
    ends: float

    @property
    def name_of_device(self) -> str:
        """Value of the engine's option ``--device``."""
        return self.device.unit.type

    def shot(self, number: int) -> Shot:
        """Return a copy of a pair's shot in the working folder."""
        pair = self.pairs[number]
        return Shot.open(copy_untrained(pair.shot, self.work / pair.name.replace(":", "-")))


@dataclasses.dataclass(frozen=True)
class Part:
    """A part: its time limit in seconds, and the function that yields its results."""

    seconds: float
    run: Callable[[Bench], Iterator[Result]]


def main(name: str, kit: Path, device: str, seconds: float) -> None:
    """Run one part; see the docstring of the module."""
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="paintover-gpu-") as folder:
        bench = Bench(open_kit(kit), Path(folder), choose_device(device), ends)
        for result in PARTS[name].run(bench):
            print(json.dumps(result, ensure_ascii=False), flush=True)


def _checks(bench: Bench) -> Iterator[Result]:
    for check in run_checks(bench.shot(0), bench.device):
        yield {"kind": "check", **check.as_data()}


def _networks(bench: Bench) -> Iterator[Result]:
    shot = bench.shot(0)
    limits = measure_limits(bench.device)
    channels = guides.channels(guides.available(shot))
    rows, _ = inference_rows(channels, tuple(GPU_NAMES), TURNS, bench.device, limits)
    for row in rows:
        yield _speed(row)
    yield {"kind": "remark", "text": limits.describe()}
    yield _speed(dataclasses.replace(training_row(shot, 4, bench.device), name="gpu_train_steps"))


def _files(bench: Bench) -> Iterator[Result]:
    large = enlarge(bench.shot(0), FILES, bench.work / "large")
    row = files_row(
        "gpu_files_1080p",
        large,
        bench.work / "files",
        FILES,
        bench.name_of_device,
        with_paper=False,
    )
    remark = f"{row.remark}; the frames are tiles of a smaller shot's"
    yield _speed(dataclasses.replace(row, remark=remark))


def _short(bench: Bench) -> Iterator[Result]:
    for number in range(len(bench.pairs)):
        yield _quality(bench, number, "fast", seconds=SHORT_SECONDS)
    yield _quality(bench, 0, "paper", seconds=SHORT_SECONDS)


def _long(number: int) -> Callable[[Bench], Iterator[Result]]:
    def run(bench: Bench) -> Iterator[Result]:
        yield _quality(bench, number, "fast", seconds=LONG_SECONDS)

    return run


def _paper(number: int) -> Callable[[Bench], Iterator[Result]]:
    def run(bench: Bench) -> Iterator[Result]:
        yield _quality(bench, number, "paper", steps=PAPER_STEPS)

    return run


class _Until(Silent):
    """Cancels a job at the deadline."""

    def __init__(self, ends: float) -> None:
        self._ends = ends

    def cancelled(self) -> bool:
        """Return whether the deadline has passed."""
        return time.monotonic() > self._ends


def _quality(
    bench: Bench, number: int, network: str, *, seconds: float = 0.0, steps: int = 0
) -> Result:
    """Train a network on a pair until the deadline at most, and score its frames."""
    pair, shot = bench.pairs[number], bench.shot(number)
    folder, device = str(shot.folder), bench.name_of_device
    request = protocol.Train(
        job=0, shot=folder, network=network, device=device, seconds=seconds, steps=steps
    )
    shot.style_path("style").unlink(missing_ok=True)  # a better one would stay
    try:
        train(request, _Until(bench.ends - SPARE_SECONDS))
        cut = False
    except Cancelled:
        cut = True
    if not shot.style_path("style").is_file():
        return {"kind": "remark", "text": f"`{network}` on {pair.name} did not begin to learn."}
    painted = stylize(protocol.Stylize(job=0, shot=folder, device=device), Silent())
    header = read_style_header(shot.style_path("style"))
    mean = score(shot, pair.truth).mean
    return {
        "kind": "quality",
        "pair": pair.name,
        "network": network,
        "asked": f"{seconds:g} s" if seconds else f"{steps} steps",
        "cut": cut,
        "steps": header.steps,
        "seconds": header.seconds,
        "seconds_a_frame": painted["seconds"] / painted["frames"],
        **dataclasses.asdict(mean),
    }


def _speed(row: Row) -> Result:
    return {"kind": "speed", **dataclasses.asdict(row)}


PARTS: dict[str, Part] = {
    "checks": Part(75.0, _checks),
    "networks": Part(60.0, _networks),
    "files": Part(75.0, _files),
    "a style in 10 s": Part(75.0, _short),
    "paper, first pair": Part(130.0, _paper(0)),
    "a style in 60 s, first pair": Part(95.0, _long(0)),
    "paper, second pair": Part(130.0, _paper(1)),
    "a style in 60 s, second pair": Part(95.0, _long(1)),
}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
