# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the faults of one class."""

from __future__ import annotations

import dataclasses
from typing import Any

COLUMNS = ("tried", "lost", "torn", "unforeseen", "let_in")


@dataclasses.dataclass
class Outcome:
    """Counts of one class of faults.

    Attributes:
        name: name of the class, the same in every run.
        how: what was done, for the page.
        tried: number of faults.
        lost: paintings, inputs and finished frames that were changed, or missing in silence; runs
            afterwards that did not end as without a fault.
        torn: half files under their final names.
        unforeseen: errors that were no sentence; processes, descriptors and files left over.
        let_in: damaged files that were taken for whole.
        measured: when, and at which commit; "" if it is not known.
        notes: a line for each of what was counted but ``tried``.
    """

    name: str
    how: str
    tried: int = 0
    lost: int = 0
    torn: int = 0
    unforeseen: int = 0
    let_in: int = 0
    measured: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)

    def count(self, column: str, note: str) -> None:
        """Count one fault, and note it."""
        setattr(self, column, getattr(self, column) + 1)
        self.notes.append(f"{self.name}: {column}: {note}")

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        counts = {name: getattr(self, name) for name in COLUMNS}
        return {"class": self.name, **counts, "measured": self.measured, "how": self.how}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Outcome:
        """Return the outcome of what ``as_data`` returned; it has no notes."""
        counts = {name: data[name] for name in COLUMNS}
        return cls(data["class"], data["how"], **counts, measured=data.get("measured", ""))


def to_markdown(outcomes: list[Outcome]) -> str:
    """Return the table of all classes."""
    lines = [
        "| class | tried | lost | torn | unforeseen | let in | measured | how |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for one in outcomes:
        counts = [str(getattr(one, name)) for name in COLUMNS]
        cells = [one.name, *counts, one.measured or "earlier", one.how]
        lines.append(f"| {' | '.join(cells)} |")
    total = [str(sum(getattr(one, name) for one in outcomes)) for name in COLUMNS]
    lines.append(f"| {' | '.join(['**all**', *total, '', ''])} |")
    return "\n".join(lines)
