# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a farm takes, from what a process and a frame cost; and a plot of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from .chunks import FrameCost, Workers

TRAINING = 60.0
"""Seconds of training a style, on one machine."""
SHARED = 1e9
"""Bytes a second of the storage that all machines share."""
SHOT, FILM, FILM_SHOTS = 120, 130_000, 1300
"""Frames of a shot, and frames and shots of a film."""
CHUNK = 24
"""Frames of a chunk, as the jobs of farms have it."""


@dataclasses.dataclass(frozen=True)
class FarmModel:
    """The time of a farm whose machines are like the one that was measured.

    Attributes:
        cost: of a process and of a frame, with one thread.
        cores: workers of a machine, with one thread each.
        training: seconds of the training before the first frame.
        shared: bytes a second of the storage.
    """

    cost: FrameCost
    cores: int = 1
    training: float = 0.0
    shared: float = SHARED

    def seconds(self, machines: int, frames: int, chunk: int, shots: int = 1) -> float:
        """Return the seconds for some shots of equal length.

        Machines first train, each a shot, then take chunks until none is left. The storage may be
        slower than they are.

        Args:
            machines: their number.
            frames: of all shots together.
            chunk: frames of a chunk.
            shots: their number.
        """
        each = frames / shots
        chunks = shots * math.ceil(each / chunk)
        size = min(chunk, each)
        rounds = math.ceil(chunks / (machines * self.cores))
        painting = rounds * (self.cost.start + size * self.cost.frame)
        painting = max(painting, frames * self.cost.bytes / self.shared)
        return math.ceil(shots / machines) * self.training + painting


def check(cost: FrameCost, frames: int, chunks: int, runs: Sequence[Workers]) -> list[list[str]]:
    """Return rows: workers, measured and predicted processor time and time on the clock."""
    rows = []
    for run in runs:
        model = FarmModel(cost)
        predicted = model.seconds(run.count, frames, math.ceil(frames / chunks))
        used = chunks * cost.start + frames * cost.frame
        rows.append(
            [
                str(run.count),
                f"{run.cost.wall:.1f}",
                f"{predicted:.1f}",
                f"{run.cost.cpu:.1f}",
                f"{used:.1f}",
            ]
        )
    return rows


def write_plot(path: Path, costs: Sequence[FrameCost], cores: int) -> None:
    """Draw the time of a shot and of a film over the number of machines, as PNG."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4))
    machines = [round(10 ** (power / 12)) for power in range(37)]
    for cost in costs:
        model = FarmModel(cost, cores, TRAINING)
        shot = [model.seconds(count, SHOT, CHUNK) for count in machines]
        film = [model.seconds(count, FILM, CHUNK, FILM_SHOTS) / 3600 for count in machines]
        panels[0].loglog(machines, shot, label=str(cost.size))
        panels[1].loglog(machines, film, label=str(cost.size))
    titles = f"A shot of {SHOT} frames", f"A film of {FILM:,} frames in {FILM_SHOTS:,} shots"
    for panel, title, unit in zip(panels, titles, ("seconds", "hours"), strict=True):
        panel.set_title(title)
        panel.set_xlabel("machines")
        panel.set_ylabel(unit)
        panel.grid(visible=True, alpha=0.3)
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
