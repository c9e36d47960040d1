# SPDX-License-Identifier: GPL-3.0-or-later
"""A crowd of small things on a table: chicks that hop, cones, rings and strewn pebbles."""

from __future__ import annotations

from math import pi, radians, sin
from typing import Any

import bpy
import numpy as np

from scenes.meshes import ball, hex_colour, material

from .studio import aim, area_light, at_share, camera, key, mottled, primitive, sky, sun

COLUMNS, ROWS = 15, 9
SPACING = 0.46


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    sky(scene, (0.6, 0.68, 0.85), 0.45)
    sun((-3, -3, 5), 2.6, (1, 0.92, 0.78), 0.05)
    area_light((4, -5, 3), 120, 2, (0.7, 0.75, 1))
    mesh = bpy.ops.mesh
    cloth = mottled("Cloth", (0.30, 0.42, 0.40), (0.24, 0.34, 0.34), 1.5)
    primitive(mesh.primitive_plane_add, cloth, size=30)
    kinds = [_chick(scene, "Yellow", "#f2c230"), _chick(scene, "White", "#f0ece0")]
    kinds += [_cone(scene), _ring(scene)]
    rng = np.random.default_rng(3)
    at = at_share(frames)
    for row in range(ROWS):
        for column in range(COLUMNS):
            x = (column - (COLUMNS - 1) / 2 + 0.5 * (row % 2)) * SPACING
            y = (row - 1.5) * SPACING * 1.1
            shift = rng.uniform(-0.08, 0.08, 2)
            which = rng.choice(4, p=[0.36, 0.24, 0.2, 0.2])
            made = _instance(scene, kinds[which], (x + shift[0], y + shift[1], 0))
            made.scale = [rng.uniform(0.8, 1.15)] * 3
            _hop(made, at, rng, hops=which < 2)
    _pebbles(scene, rng, frames)
    eye = camera(scene, 42)
    for share in (0, 0.5, 1):
        place = (-1.3 + 2.4 * share, -4.6 + 0.3 * sin(pi * share), 2.4 - 0.25 * share)
        aim(eye, at(share), place, (0.1, 0.55, 0.1))


def _kind(scene: Any, name: str, parts: list[Any]) -> Any:
    """Put parts into a collection of their own, to be instanced only."""
    kind = bpy.data.collections.new(name)
    for part in parts:
        scene.collection.objects.unlink(part)
        kind.objects.link(part)
    return kind


def _chick(scene: Any, name: str, colour: str) -> Any:
    down = material("Down", hex_colour(colour))
    beak = material("Beak", hex_colour("#e07a28"))
    dark = material("Eye", hex_colour("#20181c"))
    parts = [
        ball("Body", lambda d: d * [0.13, 0.15, 0.12] + [0, 0.02, 0.12], down, 12, 20),
        ball("Head", lambda d: d * 0.095 + [0, -0.07, 0.25], down, 10, 18),
        ball("Beak", lambda d: d * [0.03, 0.06, 0.022] + [0, -0.17, 0.24], beak, 6, 10),
    ]
    parts += [
        ball("Eye", lambda d, s=side: d * 0.018 + [0.045 * s, -0.145, 0.275], dark, 6, 10)
        for side in (-1, 1)
    ]
    return _kind(scene, name, parts)


def _cone(scene: Any) -> Any:
    red = mottled("Cone", (0.65, 0.16, 0.12), (0.75, 0.30, 0.15), 6)
    made = primitive(
        bpy.ops.mesh.primitive_cone_add, red, (0, 0, 0.19), radius1=0.13, depth=0.38, vertices=28
    )
    return _kind(scene, "Cone", [made])


def _ring(scene: Any) -> Any:
    blue = mottled("Ring", (0.12, 0.25, 0.55), (0.2, 0.4, 0.65), 5)
    made = primitive(
        bpy.ops.mesh.primitive_torus_add,
        blue,
        (0, 0, 0.06),
        major_radius=0.12,
        minor_radius=0.055,
        major_segments=32,
    )
    return _kind(scene, "Ring", [made])


def _instance(scene: Any, kind: Any, at: tuple[float, float, float]) -> Any:
    made: Any = bpy.data.objects.new(kind.name, None)
    made.instance_type, made.instance_collection = "COLLECTION", kind
    made.empty_display_size = 0.1
    made.location = at
    scene.collection.objects.link(made)
    return made


def _hop(made: Any, at: Any, rng: np.random.Generator, *, hops: bool) -> None:
    """Let a thing hop and turn, or only turn a little, over the shot."""
    start, late = rng.uniform(-30, 30), rng.uniform(0, 1)
    for step in range(9):
        share = step / 8
        turn = start + (rng.uniform(-8, 8) if hops else 25 * share)
        key(made, "rotation_euler", at(share), (0, 0, radians(turn)))
        if hops:
            height = 0.12 * max(0.0, sin(2 * pi * (2 * share + late)))
            key(made, "location", at(share), (*made.location[:2], height))


def _pebbles(scene: Any, rng: np.random.Generator, frames: int) -> None:
    """Strew pebbles: one mesh on the vertices of a sheet that turns slowly."""
    stone = mottled("Pebble", (0.55, 0.50, 0.45), (0.42, 0.40, 0.40), 8)
    pebble = ball("Pebble", lambda d: d * [0.05, 0.04, 0.03], stone, 8, 12)
    reach, angle = np.sqrt(rng.uniform(0.05, 9, 160)), rng.uniform(0, 2 * pi, 160)
    points = np.stack([reach * np.cos(angle), reach * np.sin(angle), 0.015 + 0 * reach], axis=1)
    sheet = bpy.data.meshes.new("Sheet")
    sheet.from_pydata(points.tolist(), [], [])
    holder: Any = bpy.data.objects.new("Sheet", sheet)
    holder.instance_type = "VERTS"
    holder.location = (0, 0.6, 0)
    scene.collection.objects.link(holder)
    pebble.parent = holder
    key(holder, "rotation_euler", 1, (0, 0, 0))
    key(holder, "rotation_euler", frames, (0, 0, radians(14)))
