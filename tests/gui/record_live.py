# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``, in a window: paints by mouse while the window is recorded.

The .blend has a captured shot with a keyframe at its current frame.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import live_steps as steps
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
SECONDS = 0.5
"""Between two pictures."""
STROKES = (
    ((0.95, 0.55, 0.15), (-60, -20), (30, -30)),
    ((0.95, 0.75, 0.30), (-50, 10), (40, 0)),
    ((0.20, 0.30, 0.65), (-150, 60), (-40, 80)),
    ((0.45, 0.25, 0.60), (40, 70), (150, 55)),
    ((0.15, 0.45, 0.35), (-140, -80), (0, -90)),
    ((0.25, 0.60, 0.40), (20, -85), (140, -75)),
)
"""Colour, start and end from the middle of the painting, in pixels of the window."""

_next = 0.0
_count = 0
_shooting: list[subprocess.Popen[bytes]] = []


def record(script: window.Steps) -> window.Steps:
    """Go through steps, and save what the window shows meanwhile."""
    global _next, _count
    for wait in script:
        now = time.monotonic()
        if now > _next and (not _shooting or _shooting[-1].poll() is not None):
            _next, _count = now + SECONDS, _count + 1
            _shooting.append(
                subprocess.Popen(["import", "-window", "root", str(PICTURES / f"{_count:04d}.png")])
            )
        yield wait


def waiting(seconds: float) -> Iterator[float]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield 0.05


def paint() -> window.Steps:
    x, y = steps.middle(steps.editor())
    frame = bpy.context.scene.frame_current
    for colour, start, end in STROKES:
        steps.set_colour(colour)
        change = steps.last_change(frame)
        yield from window.drag((x + start[0], y + start[1]), (x + end[0], y + end[1]), moves=10)
        yield from steps.wait_for_change(frame, change, "a stroke")
        yield from waiting(2.0)
    yield from waiting(6.0)
    scene = bpy.context.scene
    for other in range(scene.frame_start, scene.frame_end + 1, 2):
        scene.frame_set(other)
        yield from window.wait_for(
            lambda f=other: steps.session().pictures.drawn(f), steps.WAIT, "a frame"
        )
        yield from waiting(0.6)
    yield from window.move_to(*steps.middle(window.area("VIEW_3D")))
    yield from window.press("space")
    yield from waiting(8.0)
    yield from window.press("space")


def test() -> window.Steps:
    yield from window.ready()
    yield from steps.arrange(bpy.context.scene.frame_current)
    yield from steps.turn_on()
    yield from steps.fit()
    yield from record(paint())
    for process in _shooting:
        process.wait()


window.run(test, limit=880)
