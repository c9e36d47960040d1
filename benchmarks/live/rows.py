# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the live benchmark, with their aims."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.rows import Row

AIMS = {
    "stroke_to_carried": 0.5,
    "stroke_to_network": 2.0,
    "frame_change": 0.3,
    "frame_change_cached": 0.1,
}
"""Seconds, of the median; the 95th percentile may be twice as long."""
WINDOW_ROWS = ("main_thread_p99",)
"""Rows that only a real Blender with a window can measure."""


def times(name: str, seconds: Sequence[float], remark: str) -> list[Row]:
    """Return the median and the 95th percentile of durations, with their aims."""
    aim = AIMS[name]
    return [
        Row(name, round(float(np.median(seconds)), 4), "s", aim=aim, remark=remark),
        Row(
            f"{name}_p95",
            round(float(np.quantile(seconds, 0.95)), 4),
            "s",
            aim=2 * aim,
            remark=remark,
        ),
    ]
