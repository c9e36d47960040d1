# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of the demo: a fox on a hill at dusk turns, and a camera moves past it."""

from __future__ import annotations

from math import cos, pi, radians, sin
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Vector

from scenes import versions
from scenes.meshes import (
    ball,
    ball_points,
    closed_faces,
    hex_colour,
    material,
    mesh_object,
    smooth,
    tube_points,
)
from scenes.rendering import has_denoiser

from .fox import build_fox

FPS = 12
"""Frames per second: half of film's 24, as in animation on twos."""


def build_scene(width: int, height: int, frames: int) -> Any:
    """Empty the .blend and build the shot in it, ready to render.

    Args:
        width, height: size of the picture in pixels.
        frames: number of frames, from frame 1.

    Returns:
        The scene.
    """
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    _render_settings(scene, width, height, frames)
    _ground()
    _backdrop()
    _props()
    fox = build_fox()
    fox.location = (0.0, 0.0, 0.0)
    _lights(scene)
    _animate_fox(fox, frames)
    _camera(scene, frames)
    scene.frame_set(1)
    return scene


def save_scene(path: Path) -> None:
    """Save the scene as a .blend."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)


def _render_settings(scene: Any, width: int, height: int, frames: int) -> None:
    scene.frame_start, scene.frame_end = 1, frames
    render = scene.render
    render.fps = FPS
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = 100
    render.engine = "CYCLES"
    render.use_persistent_data = True
    render.dither_intensity = 0
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.use_denoising = has_denoiser()
    cycles.denoising_quality = cycles.denoising_prefilter = "FAST"
    cycles.samples = 8 if cycles.use_denoising else 32
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False
    cycles.max_bounces = 2
    cycles.diffuse_bounces = 1
    cycles.glossy_bounces = 1
    cycles.caustics_reflective = cycles.caustics_refractive = False


def _ground() -> None:
    look = material("Moss", hex_colour("#7f9a4a"), [("path", hex_colour("#a9a35c"))])
    steps, columns = 22, 56
    reach = np.concatenate([[0.0], np.linspace(0.15, 1, steps - 1) ** 1.4 * 7])
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    x = reach[:, None] * np.cos(around)
    y = reach[:, None] * np.sin(around)
    lumps = 0.05 * np.sin(2.1 * x + 0.5) * np.cos(1.7 * y) + 0.03 * np.sin(4.3 * x - 2.9 * y)
    z = -0.02 - 0.085 * reach[:, None] ** 1.7 + lumps * smooth(0.3, 1.5, reach)[:, None]
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    faces = []
    for r in range(steps - 1):
        for c in range(columns):
            a, b, d = r * columns, (r + 1) * columns, (c + 1) % columns
            faces.append((a + c, a + d, b + d, b + c) if r else (a, b + d, b + c))
    path = 0.12 * np.sin(3 * points[:, 0] + 1) - 0.06 * np.hypot(points[:, 0], points[:, 1] + 0.4)
    mesh_object("Ground", points, faces, look, marks={"path": path}, subdivide=1)


def _backdrop() -> None:
    """Add a curved emissive sky, the sun, and two ridges with trees."""
    bands = [("#f9c98b", "#f6b08a"), ("#f6b08a", "#c98fa3"), ("#c98fa3", "#7f87b4")]
    look = material("Sky", hex_colour("#f9d29a"), glow=True)
    tree: Any = look.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    split = tree.nodes.new("ShaderNodeSeparateXYZ")
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    tree.links.new(place.outputs["Generated"], split.inputs[0])
    tree.links.new(split.outputs["Z"], ramp.inputs["Fac"])
    shader = next(n for n in tree.nodes if n.bl_idname == "ShaderNodeEmission")
    tree.links.new(ramp.outputs["Color"], shader.inputs["Color"])
    stops = ramp.color_ramp.elements
    stops[0].position, stops[0].color = 0.22, (*hex_colour("#fbdca6"), 1)
    stops[1].position, stops[1].color = 0.85, (*hex_colour("#5f79ad"), 1)
    for position, (colour, _) in zip((0.36, 0.5, 0.66), bands, strict=True):
        stops.new(position).color = (*hex_colour(colour), 1)
    angle = np.linspace(-1.1, 1.1, 25)
    level = np.linspace(-3, 9, 13)
    wide, tall = np.meshgrid(angle, level)
    points = np.stack([12 * np.sin(wide), 12 * np.cos(wide) - 1, tall], axis=-1).reshape(-1, 3)
    faces = [
        (r * 25 + c, r * 25 + c + 1, (r + 1) * 25 + c + 1, (r + 1) * 25 + c)
        for r in range(12)
        for c in range(24)
    ]
    _no_light(mesh_object("Sky", points, faces, look, subdivide=0))

    sun = material("Sun", hex_colour("#fff3cf"), glow=True)
    disc = ball_points(14, 40)
    disc = disc * [1.35, 0.02, 1.35] + [-1.35, 9.5, 2.35]
    _no_light(mesh_object("Sun", disc, closed_faces(14, 40), sun, subdivide=0))

    for name, code, far, base, high, seed in (
        ("Far ridge", "#a98bb0", 8.8, 0.15, 0.75, 1),
        ("Near ridge", "#6f8a86", 6.2, -0.75, 0.7, 5),
    ):
        x = np.linspace(-9, 9, 90)
        top = base + high * (
            0.5 * np.sin(0.55 * x + seed)
            + 0.3 * np.sin(1.25 * x + 2.3 * seed)
            + 0.12 * np.sin(3.1 * x)
        )
        rows = np.linspace(0, 1, 8)[:, None]
        points = np.stack(
            [x + 0 * rows, far - 1.2 * (1 - rows) ** 2 + 0 * x, top * rows - 3 * (1 - rows)],
            axis=-1,
        ).reshape(-1, 3)
        faces = [
            (r * 90 + c, r * 90 + c + 1, (r + 1) * 90 + c + 1, (r + 1) * 90 + c)
            for r in range(7)
            for c in range(89)
        ]
        mesh_object(name, points, faces, material(name, hex_colour(code)), subdivide=0)


def _no_light(made: Any) -> None:
    """Make an object visible to the camera only, not to light."""
    made.visible_shadow = made.visible_diffuse = made.visible_glossy = False


def _props() -> None:
    cap = material("Cap", hex_colour("#c8353b"), [("spot", hex_colour("#fdf1dc"))])
    stem = material("Stem", hex_colour("#f0e2c6"))
    for index, (x, y, size, lean) in enumerate(
        [(-0.80, -0.34, 1.0, 0.10), (-1.06, -0.12, 0.66, -0.12), (-0.62, -0.58, 0.5, -0.05)]
    ):
        _mushroom(index, np.array([x, y, -0.10]), size, lean, cap, stem)
    stone = material("Stone", hex_colour("#8f93a6"))
    for index, (x, y, size) in enumerate(
        [(0.98, -0.42, 0.24), (1.24, -0.22, 0.15), (-1.55, 0.35, 0.3), (1.75, 0.75, 0.36)]
    ):
        ball(
            f"Stone {index}",
            lambda d, x=x, y=y, s=size, i=index: (
                d
                * [1.2 * s, 0.9 * s, 0.72 * s]
                * (1 + 0.13 * np.sin(d @ [3, 2, 4] + 2 * i))[:, None]
                + [x, y, -0.1 - 0.03 * (x * x + y * y)]
            ),
            stone,
            rows=9,
            columns=14,
        )
    blade = material("Grass", hex_colour("#5f8a3c"))
    rng = np.random.default_rng(4)
    for index, (x, y) in enumerate(
        [(-0.5, -0.72), (0.62, -0.66), (1.42, -0.5), (-1.35, -0.3), (0.35, -1.0), (-1.1, -0.85)]
    ):
        _tuft(index, x, y, rng, blade)
    leaf = material("Pine", hex_colour("#3f6a63"))
    for index, (x, y, size) in enumerate(
        [(2.6, 3.6, 1.0), (3.5, 4.4, 1.35), (-3.3, 4.2, 1.2), (-2.3, 4.8, 0.8), (4.4, 4.0, 0.9)]
    ):
        _pine(index, x, y, size, leaf)


def _mushroom(
    index: int, at: npt.NDArray[Any], size: float, lean: float, cap: Any, stem: Any
) -> None:
    rise = np.linspace(0, 1, 8)
    path = np.stack([lean * rise**2, 0 * rise, 0.36 * rise], axis=1) * size + at
    radii = np.interp(rise[1:-1], [0, 0.5, 1], [0.075, 0.05, 0.045]) * size
    points, _ = tube_points(path, radii, 12)
    mesh_object(f"Stem {index}", points, closed_faces(6, 12), stem)
    towards = ball_points(16, 32)
    spots = np.full(len(towards), -0.2)
    for turn, up in [(0.2, 0.55), (1.3, 0.35), (2.5, 0.6), (3.6, 0.3), (4.7, 0.55), (5.6, 0.25)]:
        middle = [cos(up) * sin(turn + index), -cos(up) * cos(turn + index), sin(up)]
        spots = np.maximum(spots, 0.24 - np.arccos(np.clip(towards @ middle, -1, 1)))
    spots = np.maximum(spots, 0.26 - np.arccos(np.clip(towards[:, 2], -1, 1)))
    shape = towards * [0.23, 0.23, 0.2]
    shape[:, 2] = np.where(shape[:, 2] < 0, shape[:, 2] * 0.25, shape[:, 2])
    shape = shape * size + at + np.array([lean, 0, 0.33]) * size
    mesh_object(f"Cap {index}", shape, closed_faces(16, 32), cap, marks={"spot": spots * 0.4})


def _tuft(index: int, x: float, y: float, rng: np.random.Generator, look: Any) -> None:
    points: list[npt.NDArray[Any]] = []
    faces: list[tuple[int, ...]] = []
    ground = -0.06 - 0.085 * np.hypot(x, y) ** 1.7
    for _ in range(5):
        turn, tall = rng.uniform(0, 2 * pi), rng.uniform(0.18, 0.36)
        bend, wide = rng.uniform(0.05, 0.2), 0.034
        base = np.array([x, y, ground]) + rng.uniform(-0.06, 0.06, 3) * (1, 1, 0)
        away = np.array([cos(turn), sin(turn), 0])
        start = len(points)
        for share in (0.0, 0.35, 0.7):
            spine = base + away * bend * share**2 + [0, 0, tall * share]
            half = np.array([wide * (1 - share), 0, 0])
            points += [spine - half, spine + half]
        points.append(base + away * bend + [0, 0, tall])
        faces += [(start, start + 1, start + 3, start + 2)]
        faces += [(start + 2, start + 3, start + 5, start + 4), (start + 4, start + 5, start + 6)]
    mesh_object(f"Grass {index}", np.array(points), faces, look, subdivide=1)


def _pine(index: int, x: float, y: float, size: float, look: Any) -> None:
    share = np.linspace(0, 1, 16)
    skirts = (1 - share) * (0.62 + 0.25 * ((share * 4) % 1 < 0.5))
    path = np.stack([0 * share, 0 * share, 2.1 * share], axis=1) * size + [x, y, -1.3]
    points, _ = tube_points(path, skirts[1:-1] * 0.8 * size, 14)
    mesh_object(f"Pine {index}", points, closed_faces(14, 14), look)


def _lights(scene: Any) -> None:
    world = bpy.data.worlds.new("Sky light")
    versions.use_nodes(world)
    scene.world = world
    background: Any = world.node_tree.nodes["Background"]
    background.inputs[0].default_value = (0.36, 0.42, 0.75, 1)
    background.inputs[1].default_value = 0.62
    for name, energy, colour, softness, at, target in (
        ("Key", 3.6, (1.0, 0.80, 0.56), 0.09, (-4.0, -3.6, 4.2), (0, 0, 0.6)),
        ("Rim", 1.5, (0.62, 0.70, 1.0), 0.15, (4.0, 3.2, 2.6), (0, 0, 0.8)),
    ):
        data: Any = bpy.data.lights.new(name, "SUN")
        data.energy, data.color, data.angle = energy, colour, softness
        lamp = bpy.data.objects.new(name, data)
        scene.collection.objects.link(lamp)
        lamp.rotation_euler = (Vector(target) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        lamp.location = at


def _pose(rig: Any, bone: str, frame: float, degrees: tuple[float, float, float]) -> None:
    target = rig.pose.bones[bone]
    target.rotation_euler = [radians(angle) for angle in degrees]
    target.keyframe_insert("rotation_euler", frame=frame)


def _animate_fox(rig: Any, frames: int) -> None:
    """Animate the fox to turn from its right to its left: eyes first, then head, body, tail."""

    def at(share: float) -> float:
        return 1 + share * (frames - 1)

    for share, turn in ((0, -24), (0.15, -24), (0.85, 26), (1, 26)):
        _pose(rig, "root", at(share), (0, turn, 0))
    for share, lean in ((0, 2), (0.5, -2), (1, 3)):
        _pose(rig, "spine", at(share), (lean, 0, lean / 2))
    for share, pose in (
        (0, (0, -14, -5)),
        (0.1, (0, -15, -5)),
        (0.45, (-7, 2, 2)),
        (0.8, (2, 20, 7)),
        (1, (3, 19, 9)),
    ):
        _pose(rig, "head", at(share), pose)
    for share, twitch in ((0, 0), (0.3, 0), (0.42, 14), (0.55, -4), (0.65, 0), (1, 0)):
        _pose(rig, "ear.L", at(share), (0, 0, twitch))
        _pose(rig, "ear.R", at(share), (twitch / 3, 0, 0))
    for bone, reach, late in (("tail.1", 5, 0.0), ("tail.2", 10, 0.15), ("tail.3", 15, 0.3)):
        for share in (0, 0.25, 0.5, 0.75, 1):
            _pose(rig, bone, at(share), (0, 0, reach * sin(2 * pi * (share - late))))
    for share, hop in ((0, 0), (0.5, 0), (0.6, 0.05), (0.7, 0), (1, 0)):
        bird = rig.pose.bones["bird"]
        bird.location = (0, hop, 0)
        bird.keyframe_insert("location", frame=at(share))
        _pose(rig, "bird", at(share), (0, -20 + 45 * float(share > 0.5), 0))
    key = bpy.data.objects["Scarf end"].data.shape_keys.key_blocks["Flutter"]
    for share, value in ((0, 0.1), (0.35, 0.75), (0.6, 0.35), (1, 0.9)):
        key.value = value
        key.keyframe_insert("value", frame=at(share))


def _camera(scene: Any, frames: int) -> None:
    data: Any = bpy.data.cameras.new("Camera")
    data.lens = 50
    camera: Any = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    for share, place, target in (
        (0.0, (-0.50, -5.15, 1.16), (-0.24, 0, 0.80)),
        (0.5, (-0.06, -4.90, 1.06), (-0.01, 0, 0.80)),
        (1.0, (0.42, -4.55, 0.98), (0.22, 0, 0.82)),
    ):
        camera.location = place
        towards = Vector(target) - Vector(place)
        camera.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
        frame = 1 + share * (frames - 1)
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
