# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the rows as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .rows import RATES, Row

EXPLAINED = (
    "`paper` is the published network in this engine, measured in the same run in turns with ours; "
    "values are medians. The ratio says how many times better ours is. ✗ marks an aim of the "
    "project that is not met here."
)


def to_markdown(rows: Sequence[Row], machine: Mapping[str, str], remarks: Sequence[str]) -> str:
    """Return the page in Markdown: table, its meaning, remarks and machine."""
    lines = [
        "| what | ours | `paper` | ratio | aim | how |",
        "|---|---:|---:|---:|---|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{_number(row.ratio)}×"
        cells = [f"`{row.name}`", _with_unit(row.value, row.unit), _paper(row), ratio]
        lines.append(f"| {' | '.join([*cells, _aim(row), row.remark])} |")
    described = "; ".join(f"{name}: {value}" for name, value in machine.items())
    return "\n\n".join(["\n".join(lines), EXPLAINED, *remarks, f"Machine: {described}."])


def _paper(row: Row) -> str:
    return "" if row.paper is None else _with_unit(row.paper, row.unit)


def _aim(row: Row) -> str:
    parts = []
    if row.aim is not None:
        sign = "≥" if row.unit in RATES else "≤"
        parts.append(f"{sign} {_with_unit(row.aim, row.unit)}")
    if row.ratio_aim is not None:
        parts.append(f"≥ {_number(row.ratio_aim)}×")
    mark = {None: "", True: " ✓", False: " ✗"}[row.met]
    return ", ".join(parts) + mark


def _with_unit(value: float | None, unit: str) -> str:
    return "not reached" if value is None else f"{_number(value)} {unit}".strip()


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"
