# SPDX-License-Identifier: GPL-3.0-or-later
"""A measurement, that of the ``paper`` network, and its aim."""

from __future__ import annotations

import dataclasses
from typing import Any

RATES = ("frames/s", "steps/s")
"""Units of which more is better. Of all others except decibels, less is better."""
DECIBELS = "dB"


@dataclasses.dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        name: name of the row, the same in every run.
        value: the value in ``unit``; None if the target was not reached.
        unit: ``frames/s``, ``steps/s``, ``s``, ``MiB``, ``dB`` or a count.
        paper: the value for the ``paper`` network on this machine; None if there is none.
        aim: the minimum for rates, else the maximum.
        ratio_aim: the minimum ratio.
        remark: how it was measured.
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
        """Factor by which the value beats ``paper``; for decibels, the factor of squared error."""
        if self.value is None or self.paper is None:
            return None
        if self.unit == DECIBELS:
            return float(10 ** ((self.value - self.paper) / 10))
        return self.value / self.paper if self.unit in RATES else self.paper / self.value

    @property
    def met(self) -> bool | None:
        """Whether all aims are met; None without aims."""
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
