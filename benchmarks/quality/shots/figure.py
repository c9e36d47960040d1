# SPDX-License-Identifier: GPL-3.0-or-later
"""A small head that crosses the frame and turns, over nothing: most of a frame is empty."""

from __future__ import annotations

from math import radians
from typing import Any

import bpy

from .studio import aim, area_light, camera, key, mottled, primitive, sky


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    scene.render.film_transparent = True
    sky(scene, (0.35, 0.45, 0.6), 0.5)
    skin = mottled("Skin", (0.75, 0.35, 0.2), (0.5, 0.18, 0.1), 5)
    head = primitive(bpy.ops.mesh.primitive_monkey_add, skin, subdivide=2, size=2.27)
    for frame, place, turn in (
        (1, (-1.0, 0, -0.4), -30),
        (frames // 2, (0, 0, 0.3), 20),
        (frames, (1.0, 0, -0.1), -10),
    ):
        key(head, "location", frame, place)
        key(head, "rotation_euler", frame, (0, 0, radians(turn)))
    area_light((3, -4, 4), 400)
    area_light((-4, -2, 1), 120, colour=(0.6, 0.7, 1))
    aim(camera(scene, 45), 1, (0, -7.2, 0.3), (0, 0, 0))
