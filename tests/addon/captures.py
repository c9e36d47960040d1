# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures of a scene into a folder, run to their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Part = Callable[[str], Any]


def run(part: Part, scene: Any, folder: Path, frames: list[int], **options: Any) -> Any:
    """Capture to the end and return the result."""
    job = part("capture").capture(scene, folder, frames, **options)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


def open_shot(part: Part, folder: Path) -> Any:
    """Open the captured shot."""
    return part("engine.shared.shot").Shot.open(folder)


def plan_of(part: Part, shot: Any, matte: str = "") -> Any:
    """A plan for a capture into a shot, with mattes of a name."""
    corrections = part("engine.shared.corrections").Corrections(shot, {})
    return part("capture.plan").Plan("", set(), matte, {}, corrections)
