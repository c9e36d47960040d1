# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on how fast live sessions answer: the rows that were measured, with their aims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("template.md")
WINDOW = "window_"
"""How the names of rows begin that are measured in a window, and have a sibling without one."""
FOOTAGE = "footage_"


def write(
    path: Path, rows: Sequence[Mapping[str, Any]], machine: Mapping[str, str], remark: str
) -> None:
    """Write the page.

    Args:
        path: of the page.
        rows: of the JSON file.
        machine: on which they were measured.
        remark: on how they were measured this time, or "".
    """
    in_window = [row for row in rows if row.get("in_window")]
    footage = [row for row in rows if row["name"].startswith(FOOTAGE)]
    captured = [row for row in rows if row not in in_window and row not in footage]
    text = TEMPLATE.read_text(encoding="utf-8").format(
        captured=_table(captured),
        footage=_table(footage),
        window=_table(in_window),
        remark=f"{remark}\n\n" if remark else "",
        machine="; ".join(f"{name}: {value}" for name, value in machine.items()),
    )
    path.write_text(text, encoding="utf-8")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| what | measured | aim | how |", "|---|---:|---|---|"]
    for row in rows:
        name = row["name"].removeprefix(WINDOW).removeprefix(FOOTAGE)
        mark = {None: "", True: " ✓", False: " ✗"}[row["met"]]
        value = f"{row['value']:g} {row['unit']}"
        lines.append(f"| `{name}` | {value} | {_aim(row)}{mark} | {row.get('remark', '')} |")
    return "\n".join(lines) if rows else "Not measured in this run."


def _aim(row: Mapping[str, Any]) -> str:
    if row["aim"] is None:
        return ""
    return f"{'≥' if row['more_is_better'] else '≤'} {row['aim']:g}"
