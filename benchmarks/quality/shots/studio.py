# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools to build the shots with: the empty scene, materials, lights, the camera, movement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from scenes import versions
from scenes.rendering import has_denoiser

Place = tuple[float, float, float]
Colour = tuple[float, float, float]


def empty_scene(width: int, height: int, frames: int) -> Any:
    """Empty the file and return its scene with the benchmark's render settings."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, frames
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.engine = "CYCLES"
    render.use_persistent_data = True
    render.compositor_device = "CPU"
    render.dither_intensity = 0
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.use_denoising = has_denoiser()
    cycles.samples = 8 if cycles.use_denoising else 64
    cycles.use_adaptive_sampling = False
    quick_denoising(scene)
    cycles.max_bounces = 2
    cycles.diffuse_bounces = cycles.glossy_bounces = 1
    return scene


def quick_denoising(scene: Any) -> None:
    """Denoise in half the time of Blender's usual way."""
    scene.cycles.denoising_quality = scene.cycles.denoising_prefilter = "FAST"


def as_published(scene: Any) -> None:
    """Render as the shots were rendered for which other programs' figures are known."""
    cycles = scene.cycles
    cycles.denoising_quality, cycles.denoising_prefilter = "HIGH", "ACCURATE"
    cycles.max_bounces = 3
    cycles.diffuse_bounces = cycles.glossy_bounces = 4


def sky(scene: Any, colour: Colour, strength: float) -> Any:
    """Light the scene evenly from all around; return the node, whose inputs may be animated."""
    world = bpy.data.worlds.new("Sky")
    versions.use_nodes(world)
    scene.world = world
    background: Any = world.node_tree.nodes["Background"]
    background.inputs[0].default_value = (*colour, 1)
    background.inputs[1].default_value = strength
    return background


def mottled(
    name: str, colour: Colour, second: Colour | None = None, scale: float = 4, rough: float = 0.5
) -> Any:
    """Make a material of one colour, or of two in patches of noise that stick to the object."""
    made = bpy.data.materials.new(name)
    versions.use_nodes(made)
    tree: Any = made.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = rough
    shader.inputs["Base Color"].default_value = (*colour, 1)
    if second is None:
        return made
    place = tree.nodes.new("ShaderNodeTexCoord")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.inputs["Scale"].default_value = scale
    noise.inputs["Detail"].default_value = 3
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    low, high = ramp.color_ramp.elements
    low.position, low.color = 0.42, (*colour, 1)
    high.position, high.color = 0.58, (*second, 1)
    tree.links.new(place.outputs["Object"], noise.inputs["Vector"])
    tree.links.new(noise.outputs[0], ramp.inputs[0])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    return made


def primitive(
    make: Callable[..., Any],
    look: Any,
    at: Place = (0, 0, 0),
    *,
    smooth: bool = True,
    subdivide: int = 0,
    **settings: Any,
) -> Any:
    """Add one of ``bpy.ops.mesh.primitive_…`` with a material."""
    make(location=at, **settings)
    made: Any = bpy.context.object
    made.data.materials.append(look)
    if smooth:
        bpy.ops.object.shade_smooth()
    if subdivide:
        modifier = made.modifiers.new("Subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivide
    return made


def lathe(name: str, profile: Sequence[tuple[float, float]], look: Any, columns: int = 40) -> Any:
    """Make a smooth object by turning (radius, height) points around the vertical axis."""
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    rings = [
        np.stack([r * np.cos(angle), r * np.sin(angle), np.full(columns, z)], axis=1)
        for r, z in profile
    ]
    faces = [
        (
            row * columns + c,
            row * columns + (c + 1) % columns,
            (row + 1) * columns + (c + 1) % columns,
            (row + 1) * columns + c,
        )
        for row in range(len(profile) - 1)
        for c in range(columns)
    ]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.concatenate(rings).tolist(), [], faces)
    mesh.materials.append(look)
    mesh.polygons.foreach_set("use_smooth", [True] * len(faces))
    made: Any = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    modifier = made.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 1
    return made


def area_light(at: Place, energy: float, size: float = 2, colour: Colour = (1, 0.95, 0.85)) -> Any:
    """Add an area light that shines at the origin."""
    return _light("AREA", at, energy, colour, size=size)


def sun(at: Place, energy: float, colour: Colour = (1, 0.95, 0.85), angle: float = 0.03) -> Any:
    """Add a sun that shines from a direction at the origin."""
    return _light("SUN", at, energy, colour, angle=angle)


def _light(kind: Any, at: Place, energy: float, colour: Colour, **settings: Any) -> Any:
    data: Any = bpy.data.lights.new("Light", kind)
    data.energy, data.color = energy, colour
    for name, value in settings.items():
        setattr(data, name, value)
    made: Any = bpy.data.objects.new("Light", data)
    bpy.context.scene.collection.objects.link(made)
    made.location = at
    made.rotation_euler = facing(at, (0, 0, 0))
    return made


def facing(place: Place, target: Place) -> Any:
    """Return the rotation of a camera or light at a place that looks at a target."""
    return (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()


def camera(scene: Any, lens: float) -> Any:
    """Add the scene's camera."""
    data: Any = bpy.data.cameras.new("Camera")
    data.lens = lens
    made: Any = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(made)
    scene.camera = made
    return made


def aim(made: Any, frame: float, place: Place, target: Place) -> None:
    """Put the camera (or a light) somewhere and point it, with keyframes."""
    made.location = place
    made.rotation_euler = facing(place, target)
    made.keyframe_insert("location", frame=frame)
    made.keyframe_insert("rotation_euler", frame=frame)


def key(owner: Any, path: str, frame: float, value: Any) -> None:
    """Set a property and keyframe it."""
    setattr(owner, path, value)
    owner.keyframe_insert(path, frame=frame)


def at_share(frames: int) -> Callable[[float], float]:
    """Return the function that turns a share 0..1 of the shot into a frame."""
    return lambda share: 1 + share * (frames - 1)
