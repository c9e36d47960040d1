# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the table and how they are written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """One measurement.

    ``value`` and ``aim`` are in ``unit``; ``aim`` is an upper bound, None where there is none.
    ``detail`` says how it was measured and what it is made of.
    """

    name: str
    value: float
    unit: str
    aim: float | None = None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim is met, None where there is none."""
        return None if self.aim is None else self.value <= self.aim


def to_markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """Write the table and its machine."""
    lines = [
        "| what | measured | aim | how |",
        "|---|---:|---:|---|",
    ]
    for row in rows:
        aim = "" if row.aim is None else f"≤ {_number(row.aim)} {row.unit}"
        mark = {None: "", True: " ✓", False: " ✗"}[row.met]
        lines.append(
            f"| {row.name} | {_number(row.value)} {row.unit} | {aim}{mark} | {row.detail} |"
        )
    described = "; ".join(f"{name}: {value}" for name, value in machine.items())
    return "\n".join([*lines, "", f"Machine: {described}."])


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"
