# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes of which a part is painted, and reference renders of their mattes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from conftest import read_codes

Part = Callable[[str], Any]
IS_5 = bpy.app.version >= (5, 0, 0)
EEVEE = "BLENDER_EEVEE" if IS_5 else "BLENDER_EEVEE_NEXT"
COLUMNS = ("cube", "instance", "hair", "scattered", "pencil", "volume", "text", "glass")
"""Kinds of things that ``row_of_things`` shows, painted ones on the left, others on the right."""


def choose(scene: Any, *objects: Any, collection: Any = None) -> None:
    """Choose what is painted: objects, a collection, or, without any, the whole picture."""
    matte = scene.paintover.matte
    matte.objects.clear()
    matte.source = "OBJECTS" if objects else "COLLECTION" if collection else "WHOLE"
    matte.collection = collection
    for obj in objects:
        matte.objects.add().object = obj


def material(name: str, colour: tuple[float, float, float], alpha: float = 1) -> Any:
    """A glossy material of a color."""
    made: Any = bpy.data.materials.new(name)
    if not IS_5:
        made.use_nodes = True
    shader = made.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Alpha"].default_value = alpha
    return made


def cube(scene: Any, name: str, location: Iterable[float], size: float, look: Any) -> Any:
    """Add a cube to a scene."""
    half = size / 2
    corners = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)]
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh: Any = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], sides)
    mesh.materials.append(look)
    made: Any = bpy.data.objects.new(name, mesh)
    made.location = location
    scene.collection.objects.link(made)
    return made


def hero_behind_a_post(scene: Any) -> Any:
    """Make the cube of ``scene`` stand behind a post on a floor, out of focus; return it."""
    hero: Any = bpy.data.objects["Cube"]
    hero.name = "Hero"
    hero.data.materials.append(material("hero", (0.8, 0.2, 0.1)))
    post = cube(scene, "Post", (1.6, -1.6, 0.6), 0.7, material("post", (0.1, 0.5, 0.2)))
    post.scale.z = 6
    cube(scene, "Floor", (0, 0, -11), 20, material("floor", (0.4, 0.4, 0.5)))
    camera: Any = scene.camera.data
    camera.dof.use_dof, camera.dof.aperture_fstop, camera.dof.focus_distance = True, 0.4, 5.5
    scene.render.resolution_x, scene.render.resolution_y = 480, 270
    scene.cycles.samples = 4
    scene.world = bpy.data.worlds.new("World")
    return hero


def reference(scene: Any, painted: Iterable[Any], path: Path) -> npt.NDArray[np.int64]:
    """Render what is painted with all else held out; return the codes of its alpha."""
    painted = list(painted)
    held = [obj for obj in scene.objects if obj not in painted and not obj.is_holdout]
    image = scene.render.image_settings
    image.file_format, image.color_mode = "PNG", "RGBA"
    scene.render.film_transparent, scene.render.filepath = True, str(path)
    for obj in held:
        obj.is_holdout = True
    bpy.ops.render.render(write_still=True)
    for obj in held:
        obj.is_holdout = False
    scene.render.film_transparent = False
    return read_codes(path)[..., 3]


def matte_codes(shot: Any, frame: int) -> npt.NDArray[np.int64]:
    """The codes of a frame's matte, which must be gray and opaque; bottom row first."""
    codes = read_codes(shot.matte_path(frame))
    assert (codes[..., :1] == codes[..., :3]).all() and (codes[..., 3] == 255).all()
    return codes[..., 0]


def row_of_things(scene: Any) -> tuple[list[Any], dict[str, slice]]:
    """Show two of each kind of thing in a row; return the painted ones, and the columns of all.

    Columns have names such as ``hair painted`` and ``hair other``.
    """
    for obj in list(bpy.data.objects):
        if obj.type == "MESH":
            bpy.data.objects.remove(obj)
    count = 2 * len(COLUMNS)
    width = 30
    scene.render.resolution_x, scene.render.resolution_y = count * width, 40
    camera: Any = scene.camera
    camera.location, camera.rotation_euler = (0, -20, 0), (np.pi / 2, 0, 0)
    camera.data.type, camera.data.ortho_scale = "ORTHO", count
    scene.cycles.samples = 8
    source = _Sources(scene)
    painted: list[Any] = []
    columns: dict[str, slice] = {}
    for place in ("painted", "other"):
        for kind in COLUMNS:
            number = len(columns)
            columns[f"{kind} {place}"] = slice(number * width, (number + 1) * width)
            made = source.make(kind, (number - count / 2 + 0.5, 0, 0))
            made.name = f"{kind} {place}"
            painted += [made] if place == "painted" else []
    return painted, columns


class _Sources:
    """Makes things of each kind."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._look = material("plain", (0.8, 0.3, 0.1))
        self._glass = material("see-through", (0.8, 0.3, 0.1), alpha=0.5)
        self._collection = bpy.data.collections.new("instanced")
        self._source = cube(scene, "source", (0, 0, 0), 0.6, self._look)
        scene.collection.objects.unlink(self._source)
        self._collection.objects.link(self._source)
        self._nodes = self._scatter()

    def make(self, kind: str, place: tuple[float, float, float]) -> Any:
        if kind in ("instance", "pencil", "text"):
            made: Any = bpy.data.objects.new(kind, getattr(self, f"_{kind}")())
            self._scene.collection.objects.link(made)
            made.location = place
            if kind == "instance":
                made.instance_type, made.instance_collection = "COLLECTION", self._collection
            elif kind == "text":
                made.rotation_euler.x = np.pi / 2
            return made
        look = {"glass": self._glass, "volume": self._fog()}.get(kind, self._look)
        made = cube(self._scene, kind, place, 0.6 if kind in ("cube", "glass") else 0.4, look)
        if kind == "hair":
            made.modifiers.new("hair", "PARTICLE_SYSTEM")
            hair = made.particle_systems[0].settings
            hair.type, hair.count, hair.hair_length = "HAIR", 200, 0.4
            made.show_instancer_for_render = False
        elif kind == "scattered":
            made.modifiers.new("scatter", "NODES").node_group = self._nodes
        return made

    def _instance(self) -> None:
        return None

    def _text(self) -> Any:
        text: Any = bpy.data.curves.new("text", "FONT")
        text.body, text.align_x, text.align_y = "O", "CENTER", "CENTER"
        return text

    def _pencil(self) -> Any:
        blocks: Any = bpy.data.grease_pencils if IS_5 else bpy.data.grease_pencils_v3
        drawn: Any = blocks.new("pencil")
        look: Any = bpy.data.materials.new("pencil")
        bpy.data.materials.create_gpencil_data(look)
        look.grease_pencil.show_fill = True
        drawn.materials.append(look)
        drawing = drawn.layers.new("lines").frames.new(1).drawing
        drawing.add_strokes([4])
        stroke = drawing.strokes[0]
        stroke.cyclic = True
        for number, (x, z) in enumerate(((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))):
            point = stroke.points[number]
            point.position, point.radius, point.opacity = (x, 0, z), 0.02, 1
        return drawn

    def _fog(self) -> Any:
        fog: Any = bpy.data.materials.new("fog")
        if not IS_5:
            fog.use_nodes = True
        nodes = fog.node_tree.nodes
        nodes.clear()
        volume = nodes.new("ShaderNodeVolumePrincipled")
        volume.inputs["Density"].default_value = 4
        output = nodes.new("ShaderNodeOutputMaterial")
        fog.node_tree.links.new(volume.outputs[0], output.inputs["Volume"])
        return fog

    def _scatter(self) -> Any:
        tree: Any = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
        for in_out in ("INPUT", "OUTPUT"):
            tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
        nodes, link = tree.nodes, tree.links.new
        points = nodes.new("GeometryNodeInstanceOnPoints")
        points.inputs["Scale"].default_value = (0.3, 0.3, 0.3)
        shown = nodes.new("GeometryNodeObjectInfo")
        shown.inputs["Object"].default_value = self._source
        shown.inputs["As Instance"].default_value = True
        link(nodes.new("NodeGroupInput").outputs[0], points.inputs["Points"])
        link(shown.outputs["Geometry"], points.inputs["Instance"])
        link(points.outputs[0], nodes.new("NodeGroupOutput").inputs[0])
        return tree
