# SPDX-License-Identifier: GPL-3.0-or-later
"""A child in a striped shirt walks past posts: an armature, two shape keys, a following camera."""

from __future__ import annotations

from math import cos, pi, radians, sin
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Quaternion

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

from .studio import aim, at_share, camera, key, mottled, primitive, sky, sun

STEPS = 1.6
"""Double steps over the shot."""
BONES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], str]] = {
    "hips": ((0, 0, 0.90), (0, 0, 1.05), ""),
    "chest": ((0, 0, 1.05), (0, 0, 1.45), "hips"),
    "head": ((0, 0, 1.47), (0, 0, 1.85), "chest"),
} | {
    f"{name}.{side}": (
        (head[0], head[1] * way, head[2]),
        (tail[0], tail[1] * way, tail[2]),
        f"{parent}.{side}" if parent in ("arm", "leg", "shin") else parent,
    )
    for side, way in (("L", 1), ("R", -1))
    for name, head, tail, parent in (
        ("arm", (0, 0.24, 1.37), (0.0, 0.31, 1.10), "chest"),
        ("hand", (0, 0.31, 1.10), (0.05, 0.33, 0.82), "arm"),
        ("leg", (0, 0.11, 0.92), (0.0, 0.12, 0.50), "hips"),
        ("shin", (0, 0.12, 0.50), (-0.02, 0.12, 0.08), "leg"),
        ("foot", (-0.02, 0.12, 0.08), (0.18, 0.12, 0.03), "shin"),
    )
}


def build(scene: Any, frames: int) -> None:
    """Fill an empty scene."""
    sky(scene, (0.55, 0.65, 0.85), 0.55)
    sun((-3, -4, 6), 3.2, (1, 0.93, 0.8))
    _walk(child(scene, frames), frames)
    _street()
    eye = camera(scene, 45)
    at = at_share(frames)
    for share in (0, 0.5, 1):
        x = -1.0 + 1.9 * share
        aim(eye, at(share), (x + 1.5 - 1.3 * share, -4.3 + 0.3 * share, 1.5), (x + 0.1, 0, 0.98))


def child(scene: Any, frames: int) -> Any:
    """Add the child, who stands at the origin and looks along x; return its armature."""
    rig = _armature(scene)
    _clothes(rig)
    _head(rig)
    _scarf(rig, frames)
    return rig


def _armature(scene: Any) -> Any:
    data: Any = bpy.data.armatures.new("Child")
    rig: Any = bpy.data.objects.new("Child", data)
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, (head, tail, parent) in BONES.items():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        bone.parent = data.edit_bones.get(parent)
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def _limb(
    name: str, path: npt.NDArray[Any], radii: npt.NDArray[Any], bones: tuple[str, str], bend: float
) -> tuple[str, npt.NDArray[Any], list[tuple[int, ...]], dict[str, npt.NDArray[Any]]]:
    """Return points, faces, and weights that pass from one bone to the next at a height."""
    points, _ = tube_points(path, radii, 18)
    low = smooth(bend + 0.07, bend - 0.07, points[:, 2]) if bend else np.zeros(len(points))
    return name, points, closed_faces(len(radii), 18), {bones[0]: 1 - low, bones[1]: low}


def _clothes(rig: Any) -> None:
    shirt = material("Shirt", hex_colour("#d9e2ec"), [("stripe", hex_colour("#3567a8"))])
    trousers = material("Trousers", hex_colour("#7a5a3a"), [("boot", hex_colour("#3a2a2a"))])
    sleeve = material("Sleeve", hex_colour("#d9e2ec"), [("skin", hex_colour("#e3a77f"))])

    def torso(towards: npt.NDArray[Any]) -> npt.NDArray[Any]:
        taper = 1 - 0.18 * towards[:, 2:]
        return towards * [0.19, 0.25, 0.33] * np.concatenate([taper, taper, taper * 0 + 1], 1) + [
            0,
            0,
            1.17,
        ]

    rows, columns = 26, 40
    shape = torso(ball_points(rows, columns))
    weights = smooth(0.98, 1.16, shape[:, 2])
    body = ball(
        "Torso",
        torso,
        shirt,
        rows,
        columns,
        marks={"stripe": np.sin(shape[:, 2] * 42) * 0.05},
        bones={"hips": 1 - weights, "chest": weights},
        armature=rig,
    )
    body.shape_key_add(name="Basis")
    breath = body.shape_key_add(name="Breath")
    front = np.clip(shape[:, 0] / 0.19, 0, 1) * np.exp(-(((shape[:, 2] - 1.08) / 0.13) ** 2))
    breath.data.foreach_set(
        "co", (shape + front[:, None] * [0.09, 0, 0]).astype(np.float32).ravel()
    )
    for side, way in (("L", 1), ("R", -1)):
        joints = np.array(
            [BONES[f"{b}.{side}"][0] for b in ("arm", "hand")] + [(0.05, 0.33 * way, 0.74)]
        )
        path = _through(joints, 16)
        radii = np.interp(path[1:-1, 2], [0.74, 0.83, 0.9, 1.4], [0.05, 0.075, 0.055, 0.085])
        name, points, faces, bones = _limb("Arm", path, radii, (f"arm.{side}", f"hand.{side}"), 1.1)
        mesh_object(
            name,
            points,
            faces,
            sleeve,
            marks={"skin": 1.02 - points[:, 2]},
            bones=bones,
            armature=rig,
        )
        joints = np.array([BONES[f"{b}.{side}"][0] for b in ("leg", "shin", "foot")])
        joints[[0, 2], 2] += 0.06, -0.03
        path = _through(joints, 18)
        radii = np.interp(path[1:-1, 2], [0.05, 0.5, 1.0], [0.07, 0.09, 0.13])
        name, points, faces, bones = _limb("Leg", path, radii, (f"leg.{side}", f"shin.{side}"), 0.5)
        mesh_object(
            name,
            points,
            faces,
            trousers,
            marks={"boot": 0.24 - points[:, 2]},
            bones=bones,
            armature=rig,
        )
        shoe = lambda d, w=way: d * [0.16, 0.085, 0.07] + [0.06, 0.12 * w, 0.06]  # noqa: E731
        sole = material("Shoe", hex_colour("#3a2a2a"))
        ball(
            "Foot",
            shoe,
            sole,
            10,
            18,
            bone=f"foot.{side}",
            armature=rig,
        )


def _head(rig: Any) -> None:
    face = material("Face", hex_colour("#e8b08a"), [("hair", hex_colour("#5a2d1a"))])
    towards = ball_points(22, 36)
    hair = np.maximum(towards[:, 2] - 0.35, -towards[:, 0] - 0.15) + 0.07 * np.sin(
        9 * np.arctan2(towards[:, 1], towards[:, 0])
    )
    ball(
        "Head",
        lambda d: d * [0.21, 0.19, 0.23] + [0.02, 0, 1.68],
        face,
        22,
        36,
        marks={"hair": hair * 0.2},
        bone="head",
        armature=rig,
    )
    dark, pink = material("Pupil", hex_colour("#1f1a22")), material("Nose", hex_colour("#d98a6a"))
    for at, size, look in (
        ((0.215, 0.075, 1.72), 0.027, dark),
        ((0.215, -0.075, 1.72), 0.027, dark),
        ((0.24, 0, 1.66), 0.036, pink),
        ((0.03, 0.19, 1.67), 0.05, pink),
        ((0.03, -0.19, 1.67), 0.05, pink),
    ):
        ball(
            "Feature",
            lambda d, s=size, p=at: d * s + p,
            look,
            10,
            16,
            bone="head",
            armature=rig,
        )


def _scarf(rig: Any, frames: int) -> None:
    red = material("Scarf", hex_colour("#c23b3b"), [("band", hex_colour("#f0d9a0"))])
    angle = np.linspace(0, 2 * pi, 25)
    ring = np.stack([0.13 * np.cos(angle), 0.13 * np.sin(angle), 1.44 + 0 * angle], axis=1)
    points, _ = tube_points(ring, np.full(23, 0.055), 12)
    mesh_object(
        "Collar",
        points,
        closed_faces(23, 12),
        red,
        marks={"band": np.full(len(points), -1.0)},
        bones=all_on("chest", points),
        armature=rig,
    )
    along = np.linspace(0, 1, 20)[:, None]
    path = np.concatenate([-0.12 - 0.55 * along, 0.05 + 0 * along, 1.44 - 0.25 * along], axis=1)
    points, share = tube_points(path, np.full(18, 0.075), 14, flat=0.3)
    tail = mesh_object(
        "Tail",
        points,
        closed_faces(18, 14),
        red,
        marks={"band": 0.05 * np.sin(26 * share) - 0.01},
        bones=all_on("chest", points),
        armature=rig,
    )
    tail.shape_key_add(name="Basis")
    at = at_share(frames)
    for number, turn in enumerate((0.0, pi / 2)):
        wave = tail.shape_key_add(name=f"Flutter {number}")
        moved = points.copy()
        moved[:, 2] += 0.13 * share * np.sin(6 * share + turn)
        moved[:, 1] += 0.07 * share * np.cos(5 * share + turn)
        wave.data.foreach_set("co", moved.astype(np.float32).ravel())
        wave.slider_min = -1
        for step in range(13):
            value = sin(4 * pi * step / 12 * STEPS + turn)
            key(wave, "value", at(step / 12), value)


def _walk(rig: Any, frames: int) -> None:
    at = at_share(frames)
    poses = 24
    for step in range(poses + 1):
        share = step / poses
        phase = 2 * pi * STEPS * share
        frame = at(share)
        key(rig, "location", frame, (-1.0 + 1.9 * share, 0, 0.035 * cos(2 * phase)))
        for side, way in (("L", 1), ("R", -1)):
            swing = way * sin(phase)
            lift = max(0.0, way * cos(phase))
            _turn(rig, f"leg.{side}", frame, (0, -30 * swing, 0))
            _turn(rig, f"shin.{side}", frame, (0, 8 + 44 * lift, 0))
            _turn(rig, f"foot.{side}", frame, (0, -10 * lift, 0))
            _turn(rig, f"arm.{side}", frame, (way * 6, 34 * swing, 0))
            _turn(rig, f"hand.{side}", frame, (0, -18 - 14 * max(0.0, -swing), 0))
        _turn(rig, "chest", frame, (0, 4, 9 * sin(phase)))
        _turn(rig, "head", frame, (0, 4 * cos(2 * phase), -25 * share - 6 * sin(phase)))
        breath = bpy.data.objects["Torso"].data.shape_keys.key_blocks["Breath"]
        key(breath, "value", frame, 0.5 + 0.5 * sin(pi * 3 * share))


def _turn(rig: Any, bone: str, frame: float, degrees: tuple[float, float, float]) -> None:
    """Turn a bone about the axes of the armature, x first, and keyframe it."""
    posed = rig.pose.bones[bone]
    turn = Quaternion()
    for axis, angle in enumerate(degrees):
        turn = Quaternion([float(axis == other) for other in range(3)], radians(angle)) @ turn
    rest = posed.bone.matrix_local.to_quaternion()
    posed.rotation_quaternion = rest.inverted() @ turn @ rest
    posed.keyframe_insert("rotation_quaternion", frame=frame)


def _street() -> None:
    mesh = bpy.ops.mesh
    paving = mottled("Paving", (0.36, 0.34, 0.30), (0.28, 0.27, 0.26), 2.5)
    primitive(mesh.primitive_plane_add, paving, size=16)
    plaster = mottled("Plaster", (0.62, 0.48, 0.36), (0.52, 0.40, 0.30), 1.2)
    wall = primitive(mesh.primitive_plane_add, plaster, (0, 2.6, 1), size=16)
    wall.rotation_euler = (pi / 2, 0, 0)
    green = mottled("Post", (0.12, 0.30, 0.22))
    for number in range(6):
        x = -3.4 + 1.4 * number
        primitive(
            mesh.primitive_cylinder_add, green, (x, 1.1, 0.5), radius=0.09, depth=1.0, vertices=24
        )
        primitive(mesh.primitive_uv_sphere_add, green, (x, 1.1, 1.05), radius=0.14)


def _through(joints: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return ``count`` points along straight lines through joints."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(joints, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(places, lengths, joints[:, axis]) for axis in range(3)], axis=1)
