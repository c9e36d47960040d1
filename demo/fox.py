# SPDX-License-Identifier: GPL-3.0-or-later
"""The characters of the demo: a fox with a scarf, and a small bird on its head."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from scenes.meshes import (
    all_on,
    ball,
    ball_points,
    closed_faces,
    hex_colour,
    material,
    mesh_object,
    smooth,
    tube_points,
)

HEAD = np.array([0.0, -0.10, 1.05])
TAIL = np.array(
    [
        (0.0, 0.22, 0.14),
        (0.06, 0.34, 0.13),
        (0.22, 0.47, 0.16),
        (0.42, 0.48, 0.26),
        (0.58, 0.40, 0.42),
        (0.66, 0.32, 0.62),
        (0.66, 0.28, 0.84),
        (0.58, 0.26, 1.02),
        (0.46, 0.25, 1.14),
    ]
)
BONES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], str]] = {
    "root": ((0, 0.05, 0), (0, 0.05, 0.2), ""),
    "spine": ((0, 0.05, 0.2), (0, -0.02, 0.72), "root"),
    "head": ((0, -0.02, 0.78), (0, -0.06, 1.3), "spine"),
    "ear.L": ((0.2, -0.02, 1.2), (0.3, -0.02, 1.6), "head"),
    "ear.R": ((-0.2, -0.02, 1.2), (-0.3, -0.02, 1.6), "head"),
    "tail.1": ((0, 0.22, 0.14), (0.42, 0.48, 0.26), "root"),
    "tail.2": ((0.42, 0.48, 0.26), (0.66, 0.32, 0.62), "tail.1"),
    "tail.3": ((0.66, 0.32, 0.62), (0.45, 0.24, 1.08), "tail.2"),
    "bird": ((0.02, -0.06, 1.28), (0.02, -0.06, 1.5), "head"),
}


def build_fox() -> Any:
    """Model the fox and its bird at the origin, facing −Y. Returns the armature."""
    rig = _armature()
    fur = hex_colour("#e0662a")
    cream = hex_colour("#fbeedb")
    dark = hex_colour("#4a2f3a")
    coat = material("Fur", fur, [("cream", cream)])
    socks = material("Legs", fur, [("dark", dark)])
    ears = material("Ears", fur, [("inner", hex_colour("#f3b79b")), ("dark", dark)])
    _body(rig, coat)
    _head(rig, coat)
    _legs(rig, socks)
    _ears(rig, ears)
    _tail(rig, coat)
    eye = material("Eye", hex_colour("#241820"), gloss=True)
    _eyes(rig, eye, material("Glint", (3.0, 2.8, 2.5), glow=True))
    _scarf(rig, material("Scarf", hex_colour("#1e8f8b"), [("stripe", hex_colour("#f4d58d"))]))
    _bird(rig, eye)
    return rig


def _armature() -> Any:
    data: Any = bpy.data.armatures.new("Fox")
    rig: Any = bpy.data.objects.new("Fox", data)
    scene: Any = bpy.context.scene
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (head, tail, parent) in BONES.items():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        if parent:
            bone.parent = data.edit_bones[parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in rig.pose.bones:
        bone.rotation_mode = "XYZ"
    rig.hide_render = True
    return rig


def _body(rig: Any, look: Any) -> None:
    rows, columns = 16, 28
    height = np.linspace(0, 1, rows)
    radius = np.interp(
        height,
        [0, 0.08, 0.25, 0.45, 0.7, 0.88, 1.0],
        [0.22, 0.32, 0.37, 0.345, 0.25, 0.20, 0.13],
    )
    middle = np.stack([0 * height, 0.10 - 0.12 * height**1.3, 0.02 + 0.86 * height], axis=1)
    tip = np.array([0, 0, 0.03])
    path = np.concatenate([middle[:1] - tip, middle, middle[-1:] + tip])
    points, _ = tube_points(path, radius, columns)
    points[:, 1] = (points[:, 1] - 0.05) * 0.95 + 0.05
    side, front, up = points.T
    bib = 0.16 + 0.10 * np.sin(np.clip((up - 0.15) / 0.6, 0, 1) * np.pi) - np.abs(side)
    up_bone = smooth(0.12, 0.45, up)
    neck = smooth(0.74, 0.92, up) * 0.6
    bones = {"root": 1 - up_bone, "spine": up_bone * (1 - neck), "head": up_bone * neck}
    marks = {"cream": np.where(front < -0.02, bib, -0.2)}
    faces = closed_faces(rows, columns)
    mesh_object("Body", points, faces, look, marks=marks, bones=bones, armature=rig)


def head_shape(towards: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return points of the surface of the head for directions from its centre, both (N, 3)."""
    points = towards * [0.355, 0.31, 0.30]
    bumps = [((0.0, -1, -0.36), 0.24, 0.40), ((0, -0.55, -0.85), 0.07, 0.55)]
    bumps += [((side * 0.96, -0.15, -0.16), 0.12, 0.36) for side in (1, -1)]
    for direction, height, width in bumps:
        aim = np.array(direction) / np.linalg.norm(direction)
        angle = np.arccos(np.clip(towards @ aim, -1, 1))
        points += (height * np.exp(-((angle / width) ** 2)))[:, None] * aim
    return points


def _head(rig: Any, look: Any) -> None:
    towards = ball_points(26, 44)
    points = head_shape(towards)
    side, front, up = np.abs(towards[:, 0]), towards[:, 1], towards[:, 2]
    cheeks = 0.02 + 0.42 * side - up - 0.5 * smooth(-0.5, 0.5, front)
    bridge = side - 0.15 + 0.9 * np.clip(-up - 0.22, 0, 1)
    cream = np.minimum(cheeks, bridge)
    ball(
        "Head",
        lambda d: head_shape(d) + HEAD,
        look,
        rows=26,
        columns=44,
        marks={"cream": cream * 0.3},
        bones=all_on("head", points),
        armature=rig,
    )
    aim = np.array([0, -1, -0.25]) / np.linalg.norm([0, -1, -0.25])
    tip = head_shape(aim[None])[0] + HEAD
    nose = material("Nose", hex_colour("#2b1c22"), gloss=True)
    ball(
        "Nose",
        lambda d: d * [0.062, 0.045, 0.046] + tip + [0, -0.005, 0.012],
        nose,
        rows=8,
        columns=14,
        bone="head",
        armature=rig,
    )


def _legs(rig: Any, look: Any) -> None:
    for name, sign in (("Leg.L", 1), ("Leg.R", -1)):
        path = np.array(
            [
                (0.10, -0.10, 0.56),
                (0.115, -0.14, 0.50),
                (0.125, -0.22, 0.36),
                (0.125, -0.26, 0.22),
                (0.125, -0.275, 0.10),
                (0.125, -0.30, 0.05),
                (0.125, -0.37, 0.03),
                (0.125, -0.40, 0.03),
            ]
        ) * [sign, 1, 1]
        radii = np.array([0.06, 0.085, 0.07, 0.062, 0.07, 0.062])
        points, _ = tube_points(path, radii, 14)
        up_bone = smooth(0.2, 0.5, points[:, 2])
        mesh_object(
            name,
            points,
            closed_faces(6, 14),
            look,
            marks={"dark": 0.19 - points[:, 2] + 0.05 * np.sin(points[:, 0] * 70)},
            bones={"root": 1 - up_bone, "spine": up_bone},
            armature=rig,
            subdivide=2,
        )
    for name, sign in (("Paw.L", 1), ("Paw.R", -1)):
        ball(
            name,
            lambda d, s=sign: d * [0.10, 0.17, 0.085] + [0.29 * s, -0.16, 0.06],
            look,
            rows=8,
            columns=14,
            marks={"dark": -0.05 - ball_points(8, 14)[:, 1] * 0.1},
            bone="root",
            armature=rig,
        )


def _ears(rig: Any, look: Any) -> None:
    for name, sign in (("ear.L", 1), ("ear.R", -1)):
        share = np.linspace(0, 1, 9)
        middle = np.stack(
            [0.195 + 0.12 * share + 0.02 * share**2, 0.01 + 0 * share, 0.17 + 0.42 * share], axis=1
        )
        path = middle * [sign, 1, 1] + HEAD
        radii = np.interp(share[1:-1], [0, 0.25, 0.6, 1], [0.10, 0.145, 0.10, 0.02])
        points, along = tube_points(path, radii, 16, flat=0.5)
        offset = points - HEAD
        axis_x = (0.195 + 0.12 * along + 0.02 * along**2) * sign
        across = np.abs(offset[:, 0] - axis_x)
        front = offset[:, 1] < 0.0
        inner = np.where(front, 0.62 - along - across * 4.2, -0.3) * 0.3
        points[:, 1] += np.where(front, 0.055 * smooth(0.1, 0.0, across), 0)
        mesh_object(
            name,
            points,
            closed_faces(7, 16),
            look,
            marks={"inner": inner, "dark": (along - 0.74) * 0.3},
            bones={
                "head": 1 - smooth(0.05, 0.3, along),
                name: smooth(0.05, 0.3, along),
            },
            armature=rig,
            subdivide=2,
        )


def _tail(rig: Any, look: Any) -> None:
    dense = np.linspace(0, 8, 22)
    path = np.stack([np.interp(dense, range(9), TAIL[:, i]) for i in range(3)], axis=1)
    for _ in range(2):
        path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    share = np.linspace(0, 1, 22)[1:-1]
    radii = np.interp(
        share, [0, 0.12, 0.35, 0.6, 0.82, 0.94, 1], [0.06, 0.12, 0.185, 0.215, 0.15, 0.075, 0.02]
    )
    points, along = tube_points(path, radii, 20)
    around = np.tile(np.arange(20), 20)
    zigzag = np.concatenate([[0], 0.03 * np.sin(around * 2 * np.pi / 20 * 5), [0]])
    first, second = smooth(0.2, 0.5, along), smooth(0.5, 0.8, along)
    mesh_object(
        "Tail",
        points,
        closed_faces(20, 20),
        look,
        marks={"cream": (along + zigzag - 0.70) * 0.4},
        bones={
            "tail.1": 1 - first,
            "tail.2": first * (1 - second),
            "tail.3": first * second,
        },
        armature=rig,
        subdivide=2,
    )


def _eyes(rig: Any, look: Any, glint: Any) -> None:
    for name, sign in (("Eye.L", 1), ("Eye.R", -1)):
        aim = np.array([0.44 * sign, -0.86, 0.10])
        at = head_shape((aim / np.linalg.norm(aim))[None])[0] + HEAD
        ball(
            name,
            lambda d, at=at: d * [0.054, 0.036, 0.070] + at + [0, 0.004, 0],
            look,
            rows=8,
            columns=14,
            bone="head",
            armature=rig,
        )
        ball(
            f"Glint{name[3:]}",
            lambda d, at=at: d * 0.023 + at + [0.017, -0.026, 0.027],
            glint,
            rows=6,
            columns=10,
            bone="head",
            armature=rig,
        )


def _scarf(rig: Any, look: Any) -> None:
    columns, rows = 14, 44
    around = np.linspace(0, 2 * np.pi, rows, endpoint=False)
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    thick = 0.085 + 0.014 * np.sin(around * 5)
    reach = 0.235 + np.outer(thick, np.cos(angle)) * 0.8
    lift = 0.765 + 0.025 * np.sin(around * 3 + 1)[:, None] + np.outer(thick, np.sin(angle))
    ring = np.stack(
        [reach * np.sin(around)[:, None], -0.015 - reach * np.cos(around)[:, None] * 0.95, lift],
        axis=-1,
    ).reshape(-1, 3)
    faces: list[tuple[int, ...]] = []
    for r in range(rows):
        for c in range(columns):
            a, b = r * columns, ((r + 1) % rows) * columns
            d = (c + 1) % columns
            faces.append((a + c, b + c, b + d, a + d))
    stripe = np.repeat(np.sin(around * 9), columns) * 0.1 - 0.035
    bones = {"spine": np.full(len(ring), 0.6), "head": np.full(len(ring), 0.4)}
    mesh_object("Scarf", ring, faces, look, marks={"stripe": stripe}, bones=bones, armature=rig)
    share = np.linspace(0, 1, 13)
    path = np.stack(
        [0.17 + 0.06 * share, -0.265 - 0.07 * np.sin(share * 2.2), 0.76 - 0.44 * share], axis=1
    )
    radii = np.interp(share[1:-1], [0, 0.2, 1], [0.06, 0.085, 0.105])
    points, along = tube_points(path, radii, 12, flat=0.32)
    end = mesh_object(
        "Scarf end",
        points,
        closed_faces(11, 12),
        look,
        marks={"stripe": np.sin(along * 17 + 0.6) * 0.1 - 0.035},
        bones={"spine": np.ones(len(points))},
        armature=rig,
    )
    end.shape_key_add(name="Basis")
    flutter = end.shape_key_add(name="Flutter")
    sway = along[:, None] ** 1.5 * [0.22, -0.05, 0.06] + np.sin(along * 6)[:, None] * [0, -0.03, 0]
    for point, moved in zip(flutter.data, points + sway, strict=True):
        point.co = moved


def _bird(rig: Any, eye: Any) -> None:
    at = np.array([0.03, -0.05, 1.45])

    def shape(d: npt.NDArray[Any]) -> npt.NDArray[Any]:
        body = d * [0.135, 0.155, 0.145]
        body[:, 1] += 0.13 * np.clip(d[:, 1], 0, 1) ** 3
        body[:, 2] += 0.05 * np.clip(d[:, 1], 0, 1) ** 3
        return body + at

    towards = ball_points(12, 20)
    belly = -0.15 - towards[:, 1] * 0.55 - towards[:, 2] * 0.55
    look = material("Bird", hex_colour("#3f6fb5"), [("belly", hex_colour("#f7c9a0"))])
    weights = all_on("bird", towards)
    ball("Bird", shape, look, 12, 20, marks={"belly": belly * 0.2}, bones=weights, armature=rig)
    beak = material("Beak", hex_colour("#f2a530"))
    path = at + np.array(
        [(0, -0.12, 0.03), (0, -0.14, 0.03), (0, -0.19, 0.015), (0, -0.225, 0.005)]
    )
    points, _ = tube_points(path, np.array([0.042, 0.024]), 8)
    faces = closed_faces(2, 8)
    mesh_object("Beak", points, faces, beak, bones=all_on("bird", points), armature=rig)
    for sign in (1, -1):
        ball(
            f"Bird eye {sign:+d}",
            lambda d, s=sign: d * 0.024 + at + [0.068 * s, -0.122, 0.058],
            eye,
            rows=6,
            columns=10,
            bone="bird",
            armature=rig,
        )
        ball(
            f"Wing {sign:+d}",
            lambda d, s=sign: d * [0.03, 0.12, 0.075] + at + [0.124 * s, 0.04, 0.0],
            look,
            rows=8,
            columns=12,
            marks={"belly": np.full(98, -1.0)},
            bone="bird",
            armature=rig,
        )
