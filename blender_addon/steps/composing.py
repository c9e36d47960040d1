# SPDX-License-Identifier: GPL-3.0-or-later
"""The compositor, and every step that is out of date."""

from __future__ import annotations

from typing import TypeVar

import bpy

from .. import compositor, properties, shot_folders
from ..engine.shared.errors import PaintoverError
from ..engine.shared.freshness import Step, style_state
from ..jobs import Job, Progress
from .capturing import capture_frames, pictures_of
from .painting import stylize
from .scene_shot import Warn, open_painted, open_shot
from .training import train

Result = TypeVar("Result")


def stylized_frames(scene: bpy.types.Scene) -> list[int]:
    """Return the frames that Send to Compositor would show; none if there is no shot yet."""
    settings = properties.of(scene)
    try:
        return open_shot(scene).out_frames(settings.style, f".{settings.format}")
    except PaintoverError:
        return []


def compose(scene: bpy.types.Scene) -> str:
    """Send the stylized frames to the compositor; return the message to report."""
    notes = compositor.compose(scene, open_shot(scene), properties.of(scene).style)
    return "; ".join(["The stylized frames are in the compositor", *notes])


def run(scene: bpy.types.Scene, warn: Warn, *, blocking: bool) -> Job[str]:
    """Do every step that is out of date, from capture to the compositor.

    Returns:
        The message to report.

    Raises:
        PaintoverError: a step failed, or no keyframe is painted yet.
    """
    reference = properties.SceneReference(scene)
    if not pictures_of(shot_folders.folder_to_write(scene)):
        yield from _part("Capture", 0.0, 0.35, capture_frames(scene, warn, blocking=blocking))
    scene = reference.get()
    shot = open_painted(scene)
    style = properties.of(scene).style
    if style_state(shot, style).step is not Step.UP_TO_DATE:
        yield from _part("Train", 0.35, 0.7, train(scene, warn, live=not blocking))
    yield from _part("Stylize", 0.7, 1.0, stylize(reference.get(), warn))
    scene = reference.get()
    if compositor.state(scene, shot, style).step is not Step.UP_TO_DATE:
        return compose(scene)
    return "Everything is up to date"


def _part(name: str, start: float, end: float, job: Job[Result]) -> Job[Result]:
    """Run a job as a part, from ``start`` to ``end``, of a longer one."""
    try:
        while True:
            progress = next(job)
            yield Progress(
                start + (end - start) * progress.fraction,
                progress.seconds_left,
                f"{name}: {progress.text}",
            )
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        job.close()
