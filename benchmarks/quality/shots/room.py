# SPDX-License-Identifier: GPL-3.0-or-later
"""A corner of a room: a camera that moves past still things and a rolling ball."""

from __future__ import annotations

from math import pi, sin
from typing import Any

import bpy

from .studio import aim, area_light, as_published, camera, key, mottled, primitive, sky


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    as_published(scene)
    sky(scene, (0.35, 0.45, 0.6), 0.5)
    mesh = bpy.ops.mesh
    floor = mottled("Floor", (0.45, 0.3, 0.18), (0.3, 0.19, 0.1), 2)
    primitive(mesh.primitive_plane_add, floor, (0, 0, -1), size=14)
    plaster = mottled("Wall", (0.5, 0.55, 0.45), (0.42, 0.5, 0.4), 1.5)
    wall = primitive(mesh.primitive_plane_add, plaster, (0, 4, 2), size=14)
    wall.rotation_euler = (pi / 2, 0, 0)
    primitive(
        mesh.primitive_torus_add,
        mottled("Ring", (0.8, 0.15, 0.1)),
        (-1.6, 0.3, -0.5),
        major_radius=0.8,
        minor_radius=0.3,
    )
    blue = mottled("Box", (0.1, 0.35, 0.7), (0.15, 0.5, 0.8), 3)
    box = primitive(mesh.primitive_cube_add, blue, (1.5, 0.8, -0.3), smooth=False, size=1.4)
    box.rotation_euler = (0, 0, 0.5)
    yellow = mottled("Ball", (0.85, 0.7, 0.1), (0.7, 0.4, 0.05), 4)
    ball = primitive(mesh.primitive_uv_sphere_add, yellow, (0.2, -0.6, -0.5), radius=0.5)
    key(ball, "location", 1, (-0.3, -1, -0.5))
    key(ball, "location", frames, (0.9, -0.9, -0.5))
    key(ball, "rotation_euler", 1, (0, 0, 0))
    key(ball, "rotation_euler", frames, (0, 2.4, 0))
    area_light((3, -4, 5), 700, 3)
    area_light((-5, -3, 3), 200, colour=(0.6, 0.7, 1))
    eye = camera(scene, 38)
    for step in range(5):
        share = step / 4
        place = (-2.2 + 4.4 * share, -6.2 + 0.8 * sin(share * 3), 1.2 + 0.8 * share)
        aim(eye, 1 + round(share * (frames - 1)), place, (0, 0, -0.2))
