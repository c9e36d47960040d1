# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of results: a row for each method on each pair of shot and style."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.evaluation.scores import Scores
from engine.shared.frame_lists import format_frames

from .methods import LABELS, Made
from .pairs import Extent, Pair
from .uncarried import MoreScores

HEAD = (
    "shot and style",
    "method",
    "PSNR",
    "SSIM",
    "JOD",
    "FLIP",
    "texture",
    "flicker (truth)",
    "strokes (truth)",
    "new: texture",
    "new: strokes (truth)",
    "past outline",
    "keyframes",
    "training s",
    "s a frame",
    "remarks",
)
EXPLAINED = (
    "PSNR in dB, SSIM (1 is equal), JOD (10 cannot be told apart) and FLIP (0 is equal) are over "
    "the subject, without the keyframes; texture is the mean gradient over the truth's (1 is "
    "right, below is blurred); flicker is in codes of 255 along the motion, beside the truth's "
    "own; strokes are how far the marks are from those of the nearest painting, wherever they "
    "lie, in codes of 255, beside the truth's own: 0 is equal, blur and embossing are far. New is "
    "the part of the subject where no paint was carried; past outline is the PSNR where the "
    "painter went past the silhouette; keyframes is the PSNR of the painted "
    "frames themselves, of the worst one."
)
DISTANCES = (1, 5, 10, 20, 29)


@dataclasses.dataclass(frozen=True)
class Row:
    """The result of a method on a pair; if it failed, ``scores`` is None and ``note`` says why."""

    pair: Pair
    keys: list[int]
    method: str
    made: Made | None
    scores: Scores | None
    note: str = ""
    more: MoreScores | None = None

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "shot": self.pair.shot,
            "style": self.pair.style,
            "passes": self.pair.passes,
            "keys": self.keys,
            "method": self.method,
            "training_seconds": self.made.training if self.made else None,
            "seconds_a_frame": self.made.a_frame if self.made else None,
            "note": self.note,
            "scores": self.scores.as_data() if self.scores else None,
            "more": self.more.as_data() if self.more else None,
        }

    def cells(self) -> list[str]:
        """Return the text of each cell, one per column of ``HEAD``."""
        mean = self.scores.mean if self.scores else None
        numbers = ["–"] * 11
        if mean is not None and self.scores is not None and self.more is not None:
            numbers = [
                number(mean.psnr, 2),
                number(mean.ssim, 3),
                number(self.scores.jod, 2),
                number(mean.flip, 3),
                number(mean.texture, 2),
                f"{number(mean.flicker, 2)} ({number(mean.flicker_truth, 2)})",
                f"{number(mean.strokes, 2)} ({number(mean.strokes_truth, 2)})",
                number(self.more.texture, 2),
                f"{number(self.more.strokes, 2)} ({number(self.more.strokes_truth, 2)})",
                number(self.more.past, 2),
                number(self.more.keyframes, 2),
            ]
        training = number(self.made.training, 0) if self.made else "–"
        a_frame = number(self.made.a_frame, 2) if self.made else "–"
        plain = "" if self.pair.passes else ", without passes"
        painted = format_frames(self.keys)
        key = f"{self.pair.shot}, {self.pair.style}{plain}, painted {painted}"
        label = LABELS.get(self.method, f"`{self.method}`")
        return [key, label, *numbers, training, a_frame, self.note]


def to_markdown(
    rows: Sequence[Row], extent: Extent, machine: Mapping[str, str], remarks: Sequence[str]
) -> str:
    """Return the page in Markdown: table, meaning of its columns, machine and remarks."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|" + "---:|" * (len(HEAD) - 3) + "---|"]
    before = ""
    for row in rows:
        cells = row.cells()
        before, cells[0] = cells[0], "" if cells[0] == before else cells[0]
        lines.append(f"| {' | '.join(cells)} |")
    described = "; ".join(f"{name}: {value}" for name, value in machine.items())
    size = (
        f"{extent.frames} frames of {extent.width}×{extent.height}, "
        f"{extent.seconds:.0f} s of training."
    )
    distances = distances_to_markdown(rows)
    end = [f"{size} {EXPLAINED}", *remarks, "", *distances, f"Machine: {described}."]
    return "\n".join([*lines, "", *end])


def distances_to_markdown(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table of PSNR and strokes by the distance from the keyframe."""
    head = ["shot and style", "method", *map(str, DISTANCES)]
    lines = []
    for row in rows:
        if row.scores is None:
            continue
        cells = []
        for distance in DISTANCES:
            frames = {
                frame: scores
                for frame, scores in row.scores.frames.items()
                if min(abs(frame - key) for key in row.keys) == distance
            }
            mean = dataclasses.replace(row.scores, frames=frames).mean
            cells.append(f"{number(mean.psnr, 1)} / {number(mean.strokes, 2)}" if frames else "–")
        lines.append(f"| {' | '.join([*row.cells()[:2], *cells])} |")
    if not lines:
        return []
    return [
        "PSNR in dB and strokes by the distance from the nearest keyframe, in frames:",
        "",
        f"| {' | '.join(head)} |",
        "|---|---|" + "---:|" * len(DISTANCES),
        *lines,
        "",
    ]


def number(value: float | None, digits: int) -> str:
    """Return a number for a cell: – for None, “equal” for an infinite one."""
    if value is None:
        return "–"
    return "equal" if math.isinf(value) else f"{value:.{digits}f}"
