# SPDX-License-Identifier: GPL-3.0-or-later
"""One measurement, its yardstick and its aim."""

from __future__ import annotations

import dataclasses
from typing import Any

RATES = ("frames/s", "steps/s")
"""Units of which more is better; of all others but decibels less is."""
DECIBELS = "dB"


@dataclasses.dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: stays the same from run to run.
        value: in ``unit``; None where it was not reached.
        unit: ``frames/s``, ``steps/s``, ``s``, ``MiB``, ``dB`` or a count.
        paper: the same of the ``paper`` network on this machine; None where there is no such.
        aim: bound of the value: at least, of rates, else at most.
        ratio_aim: least ratio.
        remark: how it was measured and what it is made of.
    """

    name: str
    value: float | None
    unit: str
    paper: float | None = None
    aim: float | None = None
    ratio_aim: float | None = None
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than ``paper``; of decibels, how many times less squared error."""
        if self.value is None or self.paper is None:
            return None
        if self.unit == DECIBELS:
            return float(10 ** ((self.value - self.paper) / 10))
        return self.value / self.paper if self.unit in RATES else self.paper / self.value

    @property
    def met(self) -> bool | None:
        """Whether all aims are met, None where there are none."""
        verdicts = []
        if self.aim is not None:
            reached = self.value is not None and (
                self.value >= self.aim if self.unit in RATES else self.value <= self.aim
            )
            verdicts.append(reached)
        if self.ratio_aim is not None:
            verdicts.append(self.ratio is not None and self.ratio >= self.ratio_aim)
        return all(verdicts) if verdicts else None

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "paper": self.paper,
            "ratio": self.ratio,
        }
