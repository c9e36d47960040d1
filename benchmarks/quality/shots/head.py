# SPDX-License-Identifier: GPL-3.0-or-later
"""A head that turns and nods by itself, in two soft lights, over a transparent background."""

from __future__ import annotations

from math import radians
from typing import Any

import bpy

from .studio import aim, area_light, as_published, camera, key, mottled, primitive, sky


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    as_published(scene)
    scene.render.film_transparent = True
    sky(scene, (0.35, 0.45, 0.6), 0.5)
    mesh = bpy.ops.mesh
    skin = mottled("Skin", (0.75, 0.35, 0.2), (0.5, 0.18, 0.1), 5)
    head = primitive(mesh.primitive_monkey_add, skin, subdivide=2, size=2.2)
    for frame, turn in (
        (1, (0, 0, -35)),
        (frames // 2, (-12, 0, 25)),
        (frames, (10, 0, -10)),
    ):
        key(head, "rotation_euler", frame, [radians(angle) for angle in turn])
    key(head, "location", 1, (-0.3, 0, 0))
    key(head, "location", frames, (0.35, 0, 0.12))
    for side in (-1, 1):
        white = mottled("Eye", (0.9, 0.9, 0.85))
        eye = primitive(mesh.primitive_uv_sphere_add, white, radius=0.12)
        eye.parent = head
        eye.location = (side * 0.34, -0.84, 0.27)
    area_light((3, -4, 4), 400)
    area_light((-4, -2, 1), 120, colour=(0.6, 0.7, 1))
    aim(camera(scene, 55), 1, (0, -5.2, 0.4), (0, 0, 0))
