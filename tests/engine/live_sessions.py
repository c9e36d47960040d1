# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers for tests of live sessions; the session itself is that of the benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.live.client import JOB, Session, read_rgba, session

__all__ = ["JOB", "Session", "painting", "session"]


def painting(shot: Path, key: int) -> np.ndarray:
    """Return the painting of a keyframe, (H, W, 4)."""
    return read_rgba(shot / "keys" / f"{key:04d}.png")
