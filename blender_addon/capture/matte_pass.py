# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders mattes: a second render of the frame, in which all that is not painted is a holdout.

Its alpha says how much of each pixel the painted objects cover, with the edges, the depth of field
and the transparent materials of the picture. The other objects get into a collection that is a
holdout, because instances take that from the object that makes them, and no object is changed.

All additions can be found again by their names. So they can be removed in any state: after an
exception, an undo or a crash.
"""

from __future__ import annotations

import array
import errno
import json
import math
from pathlib import Path
from typing import Any

import bpy

from .. import mattes, messages, saved_state, versions
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import written_beside
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.temporary import temporary_file
from . import frames, scene_state

_NAME = "paintover_matte"
_BEFORE = "paintover_before_matte"
_HIDDEN = "paintover_hidden"
_HELD = "paintover_held_out"
_COLOUR = "paintover_colour"
_BLOCKS = ("world", "background_set")
_MOST_SAMPLES = 128
_WORKBENCH = "BLENDER_WORKBENCH"
_FLAT_ERROR = 0.012
"""So much are Workbench's black and white away from 0 and 1, by its half floats and in hair."""
_FLAT = {
    "light": "FLAT",
    "color_type": "OBJECT",
    "show_cavity": False,
    "show_object_outline": False,
    "show_shadows": False,
    "show_specular_highlight": False,
    "show_xray": False,
}


def check(scene: Any, layer: bpy.types.ViewLayer, chosen: mattes.Choice) -> None:
    """Raise PaintoverError if the scene's mattes cannot be rendered."""
    engine = scene.render.engine
    if engine not in ("CYCLES", versions.EEVEE, _WORKBENCH):
        raise PaintoverError(
            f"Mattes of objects are rendered by Cycles, EEVEE and Workbench, not by {engine}; "
            "choose Whole Picture under Matte, and bring the mattes as files if you have some."
        )
    mattes.divide(chosen, layer)


def hold_out(scene: Any, layer: bpy.types.ViewLayer, name: str) -> None:
    """Let the scene render only the chosen objects, cut where others are in front of them.

    Args:
        scene: the scene.
        layer: the view layer that is rendered.
        name: of the choice that the capture began with.

    Raises:
        PaintoverError: there is another choice by now, or none of its objects is rendered.
    """
    chosen = mattes.choice(scene)
    if chosen is None or chosen.name != name:
        raise PaintoverError("What is painted was changed during the capture; capture again.")
    painted, others = mattes.divide(chosen, layer)
    settings = _settings(scene)
    scene[_BEFORE] = json.dumps(scene_state.values(scene, settings))
    scene_state.apply(scene, settings)
    for part in _BLOCKS:
        block = getattr(scene, part)
        if block is not None:
            scene[f"{_NAME}_{part}"] = block
            setattr(scene, part, None)
    hidden = {obj for obj in others if _ignores_holdouts(obj)}
    if scene.render.engine == _WORKBENCH:
        hidden |= _colour(layer, painted)
    for obj in hidden:
        if not obj.hide_render:
            obj[_HIDDEN], obj.hide_render = True, True
    _make_holdouts(scene, layer, others)


def _make_holdouts(scene: Any, layer: bpy.types.ViewLayer, objects: list[Any]) -> None:
    if scene.is_editable:
        collection = bpy.data.collections.new(_NAME)
        for obj in objects:
            collection.objects.link(obj)
        scene.collection.children.link(collection)
        layer.layer_collection.children[collection.name].holdout = True
        return
    for obj in objects:  # as a linked scene takes no collection
        if not obj.is_holdout:
            obj[_HELD], obj.is_holdout = True, True


def is_held_out(scene: Any) -> bool:
    """Return whether the scene is set to render a matte."""
    return _BEFORE in scene


def release(scene: Any) -> None:
    """Undo what ``hold_out`` changed."""
    if not is_held_out(scene):
        return
    for collection in [each for each in bpy.data.collections if each.name.startswith(_NAME)]:
        bpy.data.collections.remove(collection)
    all_objects: Any = bpy.data.objects
    for obj in all_objects:
        if _HELD in obj:
            obj.is_holdout = False
            del obj[_HELD]
        if _HIDDEN in obj:
            obj.hide_render = False
            del obj[_HIDDEN]
        if _COLOUR in obj:
            with saved_state.put_back():
                obj.color = obj[_COLOUR]
            del obj[_COLOUR]
    for part in _BLOCKS:
        if f"{_NAME}_{part}" in scene:
            with saved_state.put_back():
                setattr(scene, part, scene[f"{_NAME}_{part}"])
            del scene[f"{_NAME}_{part}"]
    scene_state.apply(scene, saved_state.read(scene[_BEFORE], dict[str, Any]) or {})
    del scene[_BEFORE]


def save(scene: Any, path: Path) -> None:
    """Save the matte that was rendered last as a gray 8-bit PNG, atomically.

    Raises:
        PaintoverError: the file cannot be written.
    """
    is_colour = scene.render.engine == _WORKBENCH
    with written_beside(path) as temporary:
        with temporary_file(path.with_suffix(".exr")) as linear:
            with frames.image_format(
                scene, "OPEN_EXR", color_mode="RGBA", color_depth="32", exr_codec="ZIP"
            ):
                frames.save_result(scene, linear)
            image = _gray(linear, is_colour=is_colour)
        try:
            image.filepath_raw, image.file_format = str(temporary), "PNG"
            image.save()
        except RuntimeError as error:
            reason = messages.reported(error).splitlines()[0]
            raise OSError(errno.EIO, reason) from error
        finally:
            bpy.data.images.remove(image)


def _gray(path: Path, *, is_colour: bool) -> Any:
    """Return an 8-bit image of the matte in an EXR file: its alpha, or its color if flat."""
    check_before_loading(path)
    source: Any = bpy.data.images.load(str(path), check_existing=False)
    try:
        width, height = source.size
        pixels = array.array("f", [0.0]) * (4 * width * height)
        if not pixels:
            raise OSError(errno.EIO, "the file is incomplete")
        source.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(source)
    values = pixels[::4] if is_colour else pixels[3::4]
    if is_colour:
        values = array.array("f", map(_coverage, values))
    pixels = array.array("f", [1.0]) * len(pixels)
    for number in range(3):
        pixels[number::4] = values
    image: Any = bpy.data.images.new(_NAME, width, height, alpha=False)
    image.pixels.foreach_set(pixels)
    return image


def _coverage(colour: float) -> float:
    """Return how much of a pixel is white, which Workbench smooths as log2(1 + color)."""
    scaled = (math.log2(1 + max(colour, 0)) - _FLAT_ERROR) / (1 - 2 * _FLAT_ERROR)
    return min(max(scaled, 0), 1)


def _settings(scene: Any) -> dict[str, Any]:
    """Return the settings of a matte: only the coverage counts, so light is left out."""
    settings: dict[str, Any] = {"render.film_transparent": True, "render.use_freestyle": False}
    engine = scene.render.engine
    if engine == "CYCLES":
        settings |= {
            # Cycles ends paths through transparent surfaces by chance, which holdouts do not heed.
            "cycles.min_transparent_bounces": scene.cycles.transparent_max_bounces,
            "cycles.film_transparent_glass": False,
            "cycles.use_adaptive_sampling": False,
            "cycles.samples": min(scene.cycles.samples, _MOST_SAMPLES),
            "cycles.time_limit": 0.0,
            "cycles.use_denoising": False,
            "cycles.max_bounces": 0,
        }
    elif engine == _WORKBENCH:
        settings |= {f"display.shading.{name}": value for name, value in _FLAT.items()}
    else:
        settings |= {"eevee.use_shadows": False, "eevee.use_raytracing": False}
    return settings


def _colour(layer: bpy.types.ViewLayer, painted: list[Any]) -> set[Any]:
    """Give painted objects white and others black, since Workbench knows no holdouts.

    Returns:
        Objects to hide: they are not painted, but make instances of objects that are white.
        Instances have the color of the object that they show, whatever makes them.
    """
    makers = set(painted)
    layer.update()
    depsgraph: Any = layer.depsgraph
    instances = [
        (instance.parent.original, instance.object.original)
        for instance in depsgraph.object_instances
        if instance.is_instance
    ]
    white = makers | {shown for maker, shown in instances if maker in makers}
    all_objects: Any = bpy.data.objects
    for obj in all_objects:
        obj[_COLOUR] = list(obj.color)
        obj.color = (1, 1, 1, 1) if obj in white else (0, 0, 0, 1)
    return {maker for maker, shown in instances if maker not in makers and shown in white}


def _ignores_holdouts(obj: Any) -> bool:
    """Return whether an object shows something that cannot be a holdout: volumes, grease pencil."""
    if obj.type in ("VOLUME", "GREASEPENCIL"):
        return True
    materials = [slot.material for slot in obj.material_slots]
    if materials and all(map(_is_volume, materials)):
        return True
    return any(map(_ignores_holdouts, mattes.shown_by_instance(obj)))


def _is_volume(material: Any) -> bool:
    """Return whether a material has a volume, and no surface."""
    if material is None or not versions.has_shader_nodes(material):
        return False
    output = material.node_tree.get_output_node("ALL")
    if output is None:
        return False
    return bool(output.inputs["Volume"].links) and not output.inputs["Surface"].links
