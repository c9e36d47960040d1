# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on scale: the rows, the costs, the model of a farm, and where it stops scaling."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.rows import Row
from benchmarks.table import to_markdown

from .chunks import CHUNKS, FrameCost, OtherCost, Workers
from .model import (
    CHUNK,
    FILM,
    FILM_SHOTS,
    SHARED,
    SHOT,
    TRAINING,
    FarmModel,
    check,
    write_plot,
)

TEMPLATE = Path(__file__).with_name("template.md")
MACHINES = (1, 10, 100, 1000)


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the model of a farm is made of and checked on.

    Attributes:
        costs: of frames of each size.
        others: of capturing and training at each size.
        chunked: of the frames of the shot that was painted in chunks.
        frames: of that shot.
        runs: of 1, 2 and 4 workers.
    """

    costs: list[FrameCost]
    others: list[OtherCost]
    chunked: FrameCost
    frames: int
    runs: list[Workers]


def write(
    path: Path,
    plot: Path,
    rows: Sequence[Row],
    found: Measured,
    machine: Mapping[str, str],
    command: str,
    cores: int,
) -> None:
    """Write the page and its plot."""
    write_plot(plot, found.costs, cores)
    text = TEMPLATE.read_text(encoding="utf-8").format(
        command=command,
        rows=to_markdown(rows, machine, []),
        costs=_table(
            ["frames", "start, s", "a frame, s", "MB read and written a frame"],
            [
                [str(one.size), f"{one.start:.2f}", f"{one.frame:.3f}", f"{one.bytes / 1e6:.1f}"]
                for one in found.costs
            ],
        ),
        others=_table(
            ["frames", "capture a frame, s", "training's start, s", "a step, s"],
            [
                [str(one.size), f"{one.capture:.2f}", f"{one.start:.1f}", f"{one.step:.3f}"]
                for one in found.others
            ],
        ),
        size=found.chunked.size,
        frames=found.frames,
        chunks=CHUNKS,
        checked=_table(
            ["workers", "clock, s", "model", "processor, s", "model"],
            check(found.chunked, found.frames, CHUNKS, found.runs),
        ),
        cores=cores,
        training=TRAINING,
        shared=SHARED / 1e9,
        chunk=CHUNK,
        shot=SHOT,
        film=FILM,
        film_shots=FILM_SHOTS,
        plot=f"pictures/{plot.name}",
        farm=_table(
            ["machines", *(f"shot, {one.size}" for one in found.costs)]
            + [f"film, {one.size}" for one in found.costs],
            [_farm_row(count, found.costs, cores) for count in MACHINES],
        ),
    )
    path.write_text(text, encoding="utf-8")


def _farm_row(machines: int, costs: Sequence[FrameCost], cores: int) -> list[str]:
    models = [FarmModel(one, cores, TRAINING) for one in costs]
    shots = [f"{model.seconds(machines, SHOT, CHUNK):.0f} s" for model in models]
    films = [f"{model.seconds(machines, FILM, CHUNK, FILM_SHOTS) / 3600:.1f} h" for model in models]
    return [str(machines), *shots, *films]


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heading, ["---:"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
