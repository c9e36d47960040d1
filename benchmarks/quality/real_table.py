# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of real pictures: a row for each method on each set, beside the painter's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .real import RealRow
from .table import number

HEAD = (
    "real set",
    "method",
    "PSNR (painter)",
    "SSIM (painter)",
    "texture",
    "strokes (painting left out)",
    "flicker (footage)",
    "grid 2, 4",
    "training s",
    "s a frame",
    "remarks",
)
EXPLAINED = (
    "Pictures that no script painted. PSNR and SSIM are over the frames whose painting was left "
    "out, inside the matte; beside them the painter's own: one painting moved onto another, where "
    "both pictures show the same within 4 codes. Texture is the mean gradient over that of the "
    "left out painting, or where there is none, of the last frame over that of the painting. "
    "Strokes are measured against the nearest painting that was learnt. Grid is how far the "
    "spectrum of the last frame stands out at periods of 2 and 4 pixels, where a network may leave "
    "a pattern; about 1 without one."
)


def real_to_markdown(rows: Sequence[RealRow]) -> str:
    """Return the table and the meaning of its columns in Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", "|---|---|" + "---:|" * (len(HEAD) - 3) + "---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join([*lines, "", EXPLAINED, *_ceilings(rows)])


def real_as_data(row: RealRow) -> dict[str, Any]:
    """Return plain data for JSON."""
    data = dataclasses.asdict(row)
    made = data.pop("made") or {}
    return data | {
        "training_seconds": made.get("training"),
        "seconds_a_frame": made.get("a_frame"),
    }


def _cells(row: RealRow) -> list[str]:
    numbers = ["–"] * 6
    if row.scores is not None:
        found, own = row.scores, row.ceiling
        numbers = [
            _beside(found.psnr, own.psnr if own else None, 2),
            _beside(found.ssim, own.ssim if own else None, 3),
            number(found.texture, 2),
            _beside(found.strokes, found.strokes_truth, 2),
            _beside(found.flicker, found.flicker_own, 2),
            ", ".join(number(one, 2) for one in (found.grid or {}).values()) or "–",
        ]
    training = number(row.made.training, 0) if row.made else "–"
    a_frame = number(row.made.a_frame, 2) if row.made else "–"
    return [row.name, f"`{row.method}`", *numbers, training, a_frame, row.note]


def _beside(value: float | None, other: float | None, digits: int) -> str:
    return "–" if value is None else f"{number(value, digits)} ({number(other, digits)})"


def _ceilings(rows: Sequence[RealRow]) -> list[str]:
    known = {row.name: row.ceiling for row in rows if row.ceiling is not None}
    return [
        f"The painter of {name} was compared in {own.pairs} pairs of paintings, on {own.share:.0%} "
        f"of the subject, where the pictures themselves agree to {own.psnr_of_pictures:.1f} dB."
        for name, own in known.items()
    ]
