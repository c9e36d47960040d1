# SPDX-License-Identifier: GPL-3.0-or-later
"""A character that turns its back to the camera, over nothing: at the end nothing was painted."""

from __future__ import annotations

from math import radians
from typing import Any

from .studio import aim, camera, key, sky, sun
from .walker import child

TO_CAMERA, AWAY = -100, 75
"""Degrees about the vertical axis; the child looks at the camera at −90."""


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    scene.render.film_transparent = True
    sky(scene, (0.55, 0.65, 0.85), 0.55)
    sun((-3, -4, 6), 3.2, (1, 0.93, 0.8))
    rig = child(scene, frames)
    for frame, angle in ((1, TO_CAMERA), (frames, AWAY)):
        key(rig, "rotation_euler", frame, (0, 0, radians(angle)))
    aim(camera(scene, 60), 1, (0, -5.2, 1.35), (0, 0, 1.2))
