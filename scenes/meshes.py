# SPDX-License-Identifier: GPL-3.0-or-later
"""Modelling tools: shapes made of grids, and materials with markings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import bmesh
import bpy
import numpy as np
import numpy.typing as npt

from . import versions

Colour = tuple[float, float, float]
Marking = tuple[str, Colour]
Groups = dict[str, npt.NDArray[Any]]


def hex_colour(code: str) -> Colour:
    """Convert a colour such as ``#e8743b`` from sRGB to scene-linear red, green, blue."""
    channels = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return linear[0], linear[1], linear[2]


def smooth(low: float, high: float, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the smoothstep of values, from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def ball_points(rows: int, columns: int) -> npt.NDArray[Any]:
    """Return unit vectors (2 + rows·columns, 3) of a sphere: bottom, rows upwards, top."""
    polar = np.linspace(-np.pi / 2, np.pi / 2, rows + 2)[1:-1, None]
    around = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :]
    grid = np.stack(
        [
            np.cos(polar) * np.sin(around),
            -np.cos(polar) * np.cos(around),
            np.sin(polar) + 0 * around,
        ],
        axis=-1,
    )
    return np.concatenate([[[0, 0, -1]], grid.reshape(-1, 3), [[0, 0, 1]]])


def tube_points(
    path: npt.NDArray[Any], radii: npt.NDArray[Any], columns: int, flat: float = 1.0
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return points of a tube with closed ends, in the order of ``ball_points``.

    Args:
        path: (N, 3) centre line, from tip to tip.
        radii: (N - 2,) radius at each inner point of the path.
        columns: points around the tube.
        flat: ratio of the second radius to the first.

    Returns:
        The points, and the position of each along the tube, 0..1.
    """
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, [0.0, 0.0, 1.0])
    upright = np.linalg.norm(side, axis=1, keepdims=True) < 1e-3
    side = np.where(upright, [1.0, 0.0, 0.0], side)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    over = np.cross(side, along)
    angle = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None, :, None]
    ring = np.cos(angle) * side[1:-1, None] + np.sin(angle) * flat * over[1:-1, None]
    body = path[1:-1, None] + radii[:, None, None] * ring
    points = np.concatenate([path[:1], body.reshape(-1, 3), path[-1:]])
    share = np.linspace(0, 1, len(path))
    return points, np.concatenate([[0], np.repeat(share[1:-1], columns), [1]])


def closed_faces(rows: int, columns: int) -> list[tuple[int, ...]]:
    """Return the faces for points in the order of ``ball_points``."""
    last = 1 + rows * columns
    faces: list[tuple[int, ...]] = []
    for c in range(columns):
        d = (c + 1) % columns
        faces.append((0, 1 + d, 1 + c))
        faces.append((last, last - columns + c, last - columns + d))
        for r in range(rows - 1):
            a, b = 1 + r * columns, 1 + (r + 1) * columns
            faces.append((a + c, a + d, b + d, b + c))
    return faces


def material(
    name: str,
    base: Colour,
    markings: Sequence[Marking] = (),
    glow: bool = False,
    gloss: bool = False,
) -> Any:
    """Make a material: a base colour, covered by a colour wherever a marking is above zero.

    Args:
        markings: float attributes of the mesh with their colours, the lowest first.
        glow: whether it is emissive.
        gloss: whether it is glossy.
    """
    made = bpy.data.materials.new(name)
    versions.use_nodes(made)
    tree: Any = made.node_tree
    tree.nodes.clear()
    shader = tree.nodes.new(
        "ShaderNodeEmission"
        if glow
        else "ShaderNodeBsdfPrincipled"
        if gloss
        else "ShaderNodeBsdfDiffuse"
    )
    if glow:
        # Its light on other objects is not worth the render time.
        made.cycles.emission_sampling = "NONE"
    colour = shader.inputs["Base Color" if gloss else "Color"]
    colour.default_value = (*base, 1)
    if gloss:
        shader.inputs["Roughness"].default_value = 0.15
    below = None
    for attribute, over in markings:
        read = tree.nodes.new("ShaderNodeAttribute")
        read.attribute_name = attribute
        edge = tree.nodes.new("ShaderNodeMapRange")
        edge.inputs["From Min"].default_value = -0.012
        edge.inputs["From Max"].default_value = 0.012
        mix = tree.nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        sockets = {socket.identifier: socket for socket in mix.inputs}
        tree.links.new(read.outputs["Fac"], edge.inputs["Value"])
        tree.links.new(edge.outputs["Result"], sockets["Factor_Float"])
        sockets["A_Color"].default_value = (*base, 1)
        sockets["B_Color"].default_value = (*over, 1)
        if below is not None:
            tree.links.new(below, sockets["A_Color"])
        below = next(s for s in mix.outputs if s.identifier == "Result_Color")
    if below is not None:
        tree.links.new(below, colour)
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return made


def mesh_object(
    name: str,
    points: npt.NDArray[Any],
    faces: Sequence[tuple[int, ...]],
    look: Any,
    *,
    marks: dict[str, npt.NDArray[Any]] | None = None,
    bones: Groups | None = None,
    armature: Any = None,
    subdivide: int = 1,
) -> Any:
    """Make a smooth mesh object in the scene.

    Args:
        marks: float attributes, one value per point.
        bones: vertex groups: bone → weight per point.
        armature: the armature that deforms it, or None.
        subdivide: levels of subdivision.
    """
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(p) for p in points.tolist()], [], [list(f) for f in faces])
    shell = bmesh.new()
    shell.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(shell, faces=shell.faces[:])
    shell.to_mesh(mesh)
    shell.free()
    mesh.materials.append(look)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    for attribute, values in (marks or {}).items():
        layer: Any = mesh.attributes.new(attribute, "FLOAT", "POINT")
        layer.data.foreach_set("value", np.asarray(values, np.float32))
    made: Any = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(made)
    if armature is not None:
        for bone, weights in (bones or {}).items():
            group = made.vertex_groups.new(name=bone)
            for index, weight in enumerate(weights):
                if weight > 0.001:
                    group.add([index], float(weight), "REPLACE")
        made.parent = armature
        made.modifiers.new("Armature", "ARMATURE").object = armature
    if subdivide:
        modifier = made.modifiers.new("Subdivision", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivide
    return made


def ball(
    name: str,
    shape: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    look: Any,
    rows: int = 14,
    columns: int = 24,
    bone: str = "",
    **settings: Any,
) -> Any:
    """Make an object of a sphere.

    Args:
        name: the object's name.
        shape: maps unit vectors (N, 3) to points.
        look: its material.
        rows, columns: of points.
        bone: bone of the armature that moves all of it; "": none, or what ``bones`` says.
        settings: of ``mesh_object``.
    """
    points = shape(ball_points(rows, columns))
    if bone:
        settings["bones"] = all_on(bone, points)
    return mesh_object(name, points, closed_faces(rows, columns), look, **settings)


def all_on(bone: str, points: npt.NDArray[Any]) -> Groups:
    """Return weights that attach every point to one bone."""
    return {bone: np.ones(len(points))}
