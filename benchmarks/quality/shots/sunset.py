# SPDX-License-Identifier: GPL-3.0-or-later
"""A still life that turns slowly while the sun goes from noon to sunset and the sky grows blue."""

from __future__ import annotations

from math import cos, pi, radians, sin
from typing import Any

import bpy

from scenes.meshes import ball, hex_colour, material

from .studio import aim, at_share, camera, key, lathe, mottled, primitive, sky, sun


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    at = at_share(frames)
    _daylight(scene, at)
    mesh = bpy.ops.mesh
    wood = mottled("Table", (0.42, 0.27, 0.16), (0.34, 0.21, 0.12), 2)
    primitive(mesh.primitive_plane_add, wood, size=14)
    plaster = mottled("Wall", (0.60, 0.58, 0.52), (0.52, 0.51, 0.47), 1.2)
    wall = primitive(mesh.primitive_plane_add, plaster, (0, 3.4, 2), size=14)
    wall.rotation_euler = (pi / 2, 0, 0)
    turning: Any = bpy.data.objects.new("Turning", None)
    scene.collection.objects.link(turning)
    for thing in _things():
        thing.parent = turning
    key(turning, "rotation_euler", 1, (0, 0, radians(-9)))
    key(turning, "rotation_euler", frames, (0, 0, radians(11)))
    aim(camera(scene, 50), 1, (0, -5.4, 1.9), (0, 0.1, 0.62))


def _daylight(scene: Any, at: Any) -> None:
    background = sky(scene, (0.5, 0.6, 0.8), 0.6)
    lamp = sun((-1.5, -3, 6), 3.2, (1, 0.96, 0.88), 0.04)
    steps = 8
    for step in range(steps + 1):
        share = step / steps
        height, way = radians(62 - 52 * share), radians(-120 + 78 * share)
        place = (6 * cos(height) * cos(way), 6 * cos(height) * sin(way), 6 * sin(height))
        aim(lamp, at(share), place, (0, 0, 0))
        key(lamp.data, "energy", at(share), 3.2 - 1.0 * share)
        key(lamp.data, "color", at(share), (1, 0.96 - 0.48 * share**1.5, 0.88 - 0.7 * share))
        for socket, value in (
            (background.inputs[0], (0.5 - 0.25 * share, 0.6 - 0.28 * share, 0.8 - 0.1 * share, 1)),
            (background.inputs[1], 0.6 - 0.3 * share),
        ):
            key(socket, "default_value", at(share), value)


def _things() -> list[Any]:
    mesh = bpy.ops.mesh
    glaze = mottled("Vase", (0.16, 0.34, 0.46), (0.24, 0.46, 0.52), 3, 0.35)
    outline = [
        (0.02, 0.0), (0.26, 0.0), (0.30, 0.04), (0.44, 0.30), (0.46, 0.52), (0.34, 0.82),
        (0.17, 1.02), (0.15, 1.16), (0.23, 1.30), (0.20, 1.30), (0.12, 1.14), (0.10, 0.9),
    ]  # fmt: skip
    vase = lathe("Vase", outline, glaze)
    vase.location = (-0.55, 0.35, 0)
    clay = mottled("Bowl", (0.60, 0.30, 0.18), (0.50, 0.24, 0.14), 4)
    bowl = lathe("Bowl", [(0.02, 0.02), (0.3, 0.02), (0.52, 0.3), (0.49, 0.3), (0.2, 0.1)], clay)
    bowl.location = (0.75, -0.15, 0)
    apple = material("Apple", hex_colour("#c9362e"), [])
    pear = material("Pear", hex_colour("#b9b23e"), [])
    fruit = [
        ball("Apple", lambda d, p=p: d * [0.21, 0.21, 0.19] + p, apple, 16, 28)
        for p in ([0.66, -0.1, 0.33], [-0.12, -0.75, 0.19])
    ]
    fruit.append(
        ball(
            "Pear",
            lambda d: (
                d * [0.19, 0.19, 0.3] * (1 - 0.28 * (d[:, 2:] > 0) * d[:, 2:]) + [0.98, -0.22, 0.38]
            ),
            pear,
            20,
            28,
        )
    )
    paper = mottled("Book", (0.50, 0.20, 0.34), (0.42, 0.16, 0.30), 3)
    book = primitive(mesh.primitive_cube_add, paper, (-0.05, 0.95, 0.36), smooth=False, size=1)
    book.scale, book.rotation_euler = (0.5, 0.12, 0.72), (0, 0, 0.5)
    return [vase, bowl, book, *fruit]
