# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers for tests of live sessions; the session itself is that of the benchmark."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from benchmarks.live.client import JOB, Session, read_rgba, session
from engine.shared import live_protocol as live

__all__ = ["JOB", "Session", "carried_alone", "painting", "rests", "session"]

TRIES = 30


def painting(shot: Path, key: int) -> np.ndarray:
    """Return the painting of a keyframe, (H, W, 4)."""
    return read_rgba(shot / "keys" / f"{key:04d}.png")


def carried_alone(
    one: Session, key: int, pixels: np.ndarray, frame: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Paint a canvas; return a frame before, with the paint carried to it, and the change.

    Where what is learnt has changed the picture in between, all is done again.
    """
    for _ in range(TRIES):
        one.send(live.LiveRevert(JOB, (reverted := one.number()), key))
        one.shown(live.NETWORK, change=reverted, frame=frame)
        before = one.picture(one.show(frame))
        change = one.paint(key, pixels)
        carried = one.shown(live.CARRIED, change=change, frame=frame)
        pictures = [event for event in one.seen if isinstance(event, live.LiveShown)]
        if pictures == [carried]:
            return before, one.picture(carried), change
    raise AssertionError("no stroke came between two pictures")


def rests(one: Session, seconds: float = 1.5) -> bool:
    """Wait until the engine has computed nothing for so many seconds; false if it never rests."""
    for _ in range(TRIES):
        began = one.processor_seconds()
        time.sleep(seconds)
        if one.processor_seconds() - began <= 0.05:
            return True
    return False
