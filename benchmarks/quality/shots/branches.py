# SPDX-License-Identifier: GPL-3.0-or-later
"""A small tree on a mound, in the wind: twigs, leaves and grass of a few pixels and less."""

from __future__ import annotations

from math import pi, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from scenes.meshes import ball, closed_faces, hex_colour, material, mesh_object, tube_points

from .studio import aim, at_share, camera, key, sky, sun

Faces = list[tuple[int, ...]]
LEVELS = 4
GRASS = 420
LEAVES = 260


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    scene.render.film_transparent = True
    sky(scene, (0.6, 0.68, 0.8), 0.6)
    sun((-3, -4, 4), 2.8, (1, 0.92, 0.75))
    rng = np.random.default_rng(11)
    earth = material("Earth", hex_colour("#8a9a58"))
    ball("Mound", lambda d: d * [2.3, 1.5, 0.42] + [0, 0, -0.36], earth, 20, 40)
    twigs, tips = _tree(rng)
    leaves = _leaves(rng, tips)
    grass = _grass(rng)
    for points, faces, look, name in (
        (*twigs, material("Bark", hex_colour("#6b4a35")), "Tree"),
        (*leaves, material("Leaf", hex_colour("#d07a2c")), "Leaves"),
        (*grass, material("Grass", hex_colour("#4f8a3f")), "Grass"),
    ):
        made = mesh_object(name, points, faces, look, subdivide=0)
        _sway(made, points, frames, 0.16 if name == "Grass" else 0.30)
    at = at_share(frames)
    eye = camera(scene, 42)
    for share in (0, 0.5, 1):
        x = -0.8 + 1.5 * share
        aim(eye, at(share), (x, -4.4 + 0.2 * sin(pi * share), 1.0), (0.05, 0, 0.92))


def _tree(rng: np.random.Generator) -> tuple[tuple[npt.NDArray[Any], Faces], npt.NDArray[Any]]:
    """Grow a tree: its mesh, and the places where leaves may hang."""
    points: list[npt.NDArray[Any]] = []
    faces: Faces = []
    tips = []
    growing = [(np.array([0, 0, -0.05]), np.array([0.05, 0, 1.0]), 0.85, 0.075, 0)]
    while growing:
        start, towards, length, radius, level = growing.pop()
        along = np.linspace(0, 1, 9)[:, None]
        bend = rng.normal([0, 0, 0.1], 0.16)
        path = start + towards * length * along + bend * length * along**2
        radii = np.linspace(radius, radius * 0.55, 7)
        tube, _ = tube_points(path, radii, 8)
        first = sum(map(len, points))
        faces += [tuple(first + index for index in face) for face in closed_faces(7, 8)]
        points.append(tube)
        if level >= 2:
            tips += [path[4], path[6], path[8]]
        if level == LEVELS:
            continue
        for where in (5, 7, 8) if level else (4, 6, 7, 8):
            side = rng.normal(0, 1, 3) * [1, 0.8, 0.6]
            turned = towards + 0.85 * side / np.linalg.norm(side) + [0, 0, 0.12]
            turned /= np.linalg.norm(turned)
            growing.append((path[where], turned, length * 0.62, radius * 0.52, level + 1))
    return (np.concatenate(points), faces), np.array(tips)


def _leaves(rng: np.random.Generator, tips: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Faces]:
    """Hang leaves, four-cornered and slightly folded, at some of the places."""
    points, faces = [], []
    chosen = rng.choice(len(tips), min(LEAVES, len(tips)), replace=False)
    for number, tip in enumerate(tips[chosen]):
        along, across = rng.normal(0, 1, (2, 3))
        along = along / np.linalg.norm(along) * rng.uniform(0.06, 0.1) - [0, 0, 0.03]
        across = np.cross(along, across)
        across *= 0.022 / np.linalg.norm(across)
        middle = tip + along / 2
        points += [tip, middle + across, tip + along, middle - across]
        faces.append(tuple(4 * number + corner for corner in range(4)))
    return np.array(points), faces


def _grass(rng: np.random.Generator) -> tuple[npt.NDArray[Any], Faces]:
    """Plant blades of grass on the mound."""
    points: list[npt.NDArray[Any]] = []
    faces: Faces = []
    for _ in range(GRASS):
        angle, reach = rng.uniform(0, 2 * pi), np.sqrt(rng.uniform(0.01, 0.8))
        x, y = 2.3 * reach * np.cos(angle), 1.5 * reach * np.sin(angle)
        base = np.array([x, y, -0.38 + 0.42 * np.sqrt(1 - reach**2)])
        tall, lean = rng.uniform(0.16, 0.42), rng.normal(0, 0.09, 2)
        first = len(points)
        for share in (0, 0.4, 0.75):
            spine = base + np.array([*(lean * share**2), tall * share])
            half = np.array([0.014 * (1 - share) + 0.003, 0, 0])
            points += [spine - half, spine + half]
        points.append(base + np.array([*lean, tall]))
        for low in (0, 2):
            faces.append(tuple(first + low + corner for corner in (0, 1, 3, 2)))
        faces.append((first + 4, first + 5, first + 6))
    return np.array(points), faces


def _sway(made: Any, points: npt.NDArray[Any], frames: int, strength: float) -> None:
    """Bend a mesh in the wind by two shape keys, a quarter of a turn apart."""
    made.shape_key_add(name="Basis")
    at = at_share(frames)
    height = np.clip(points[:, 2], 0, None)
    for number in range(2):
        wind = made.shape_key_add(name=f"Wind {number}")
        phase = 1.7 * points[:, 0] + 2.3 * points[:, 1] + number * pi / 2
        moved = points.copy()
        moved[:, 0] += strength * height**1.6 * (0.35 + 0.3 * np.sin(phase))
        moved[:, 1] += 0.5 * strength * height**1.6 * np.cos(phase)
        wind.data.foreach_set("co", moved.astype(np.float32).ravel())
        wind.slider_min = -1
        for step in range(9):
            key(wind, "value", at(step / 8), 0.6 * sin(2 * pi * step / 8 + number * pi / 2))
