# SPDX-License-Identifier: GPL-3.0-or-later
"""Render settings that determine how a captured frame looks, and their digest."""

from __future__ import annotations

import math
from typing import Any

import bpy

from .. import properties, versions
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import digest_json
from ..engine.shared.manifest import Colour, Manifest
from ..keyframes import weights as keyframe_weights
from . import copies

CAPTURE_VERSION = 3
_PLAIN = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
# Derived from temperature and tint; setting it would round them.
_DERIVED = {"white_balance_whitepoint"}
_RENDER = (
    "engine",
    "resolution_x",
    "resolution_y",
    "resolution_percentage",
    "pixel_aspect_x",
    "pixel_aspect_y",
    "film_transparent",
    "filter_size",
    "use_freestyle",
    "use_simplify",
    "simplify_subdivision_render",
)
OF_SCENE = "scene"
"""Key of the .blend and the scene of settings that are stored; it is not part of their digest."""
_TIMES = "times"
# Prefixes of settings that do not change the pictures, such as the device and the viewport.
_IGNORED = ("preview_", "debug_", "device", "tile_", "use_auto_tile", "name", "use_pass_", "aov")


def layer_to_render(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """Return the view layer to capture: the chosen one, else the first used for rendering.

    Raises:
        PaintoverError: there is none of the chosen name.
    """
    name = properties.of(scene).view_layer
    if name:
        if name not in scene.view_layers:
            raise PaintoverError(
                f'There is no view layer "{name}"; choose another under Source ▸ Shot ▸ View Layer.'
            )
        chosen: bpy.types.ViewLayer = scene.view_layers[name]
        return chosen
    return next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])


def plain_values(owner: Any) -> dict[str, Any]:
    """Return the writable properties of a Blender struct that are plain values: name → value."""
    values = {}
    for item in owner.bl_rna.properties:
        if item.type in _PLAIN and not item.is_readonly and item.identifier not in _DERIVED:
            value = getattr(owner, item.identifier)
            if isinstance(value, set):
                value = sorted(value)
            elif hasattr(value, "__len__") and not isinstance(value, str):
                value = list(value)
            values[item.identifier] = value
    return values


def settings_now(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> dict[str, Any]:
    """Return all render settings that a captured frame depends on, as JSON data.

    The scene's content (models, materials, animation) is not part of it, and neither is the value
    of an animated setting, which is another one at each frame.
    """
    engine: str = scene.render.engine
    holder = {"CYCLES": "cycles", versions.EEVEE: "eevee"}.get(engine)
    of_engine = plain_values(getattr(scene, holder)) if holder else {}
    layer = plain_values(view_layer)
    if holder == "cycles":
        layer |= plain_values(getattr(view_layer, holder))
    layer.pop("use", None)
    render = {name: getattr(scene.render, name) for name in _RENDER}
    render |= _time_remapping(scene.render)
    view = plain_values(scene.view_settings)
    parts = {"render": render, holder: of_engine, "view_settings": view}
    for path in animated_paths(scene):
        part, _, name = path.partition(".")
        parts.get(part, {}).pop(name, None)
    markers = [marker for marker in scene.timeline_markers if marker.camera]
    cameras = [[m.frame, m.camera.name] for m in markers if m.camera] or _name(scene.camera)
    return {
        "capture": CAPTURE_VERSION,
        "blender": list(bpy.app.version[:2]),
        "render": render,
        "engine": _relevant(of_engine),
        "view layer": [view_layer.name, _relevant(layer)],
        "view": view,
        "display": colour_now(scene).display,
        "names": [cameras, _name(scene.world), _name(view_layer.material_override)],
    }


def _name(block: Any) -> str:
    return str(block.name) if block else ""


def animated_paths(scene: bpy.types.Scene) -> list[str]:
    """Return the data paths of the scene that have F-curves or drivers."""
    data: Any = scene.animation_data
    drivers = [curve.data_path for curve in data.drivers] if data else []
    return [*drivers, *keyframe_weights.fcurves(scene)]


def current_digests(now: dict[str, Any], manifest: Manifest | None, scene: Any) -> set[str]:
    """Return the digests of settings that frames of a shot may have to be up to date.

    Another version of Blender has more or fewer settings: frames that it rendered stay up to date
    if all settings that both know are the same. A copy of a scene has copies of the camera and the
    world, with other names.

    Args:
        now: as ``settings_now``.
        manifest: of the shot.
        scene: the scene.
    """
    source = manifest.source if manifest else {}
    known = source.get("settings")
    digests = {digest_json(now)}
    for digest, earlier in known.items() if isinstance(known, dict) else ():
        if not isinstance(earlier, dict):
            continue
        of_scene = earlier.get(OF_SCENE) or [source.get("blend"), source.get("scene")]
        names, of_now = earlier.get("names"), now["names"]
        if names == of_now or copies.are_copies(names, of_now, scene, of_scene):
            fitted = {**earlier, "names": of_now, "blender": now["blender"]}
            fitted.pop(OF_SCENE, None)
            is_same = _alike if earlier.get("blender") != now["blender"] else _are_equal
            if is_same(fitted, now):
                digests.add(digest)
    return digests


def _are_equal(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return digest_json(first) == digest_json(second)


def _alike(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        if first.get(_TIMES) != second.get(_TIMES):
            return False
        return all(_alike(first[name], second[name]) for name in first.keys() & second.keys())
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_alike, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-5, abs_tol=1e-9)
    if isinstance(first, str) and isinstance(second, str):
        return first == second or {first, second} == versions.EEVEE_NAMES
    return bool(first == second)


def _time_remapping(render: Any) -> dict[str, list[int]]:
    """Return the time remapping, nothing where it is off, so that older digests hold."""
    times = [render.frame_map_old, render.frame_map_new]
    return {_TIMES: times} if times[0] != times[1] else {}


def _relevant(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not name.startswith(_IGNORED)}


def colour_now(scene: bpy.types.Scene) -> Colour:
    """Return the view settings that make the scene's pictures display-referred."""
    display: Any = scene.display_settings
    view: Any = scene.view_settings
    return Colour(
        display=display.display_device,
        view=view.view_transform,
        look=view.look,
        exposure=view.exposure,
        gamma=view.gamma,
    )
