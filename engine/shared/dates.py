# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates in the names of files."""

from __future__ import annotations

import time

LAST = 3.2e10
"""The last date that is told, in seconds since 1970; the year is 2983."""


def bounded(seconds: float) -> float:
    """Return a time since 1970 that can be told; the disk of someone else may have any."""
    return min(max(0.0, seconds), LAST)


def date_stamp(seconds: float) -> str:
    """Return the local date and time of seconds since 1970: ``20261128-201600``."""
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(bounded(seconds)))
