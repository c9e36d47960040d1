# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene settings that the capture changes, and restores afterwards.

Their old values are stored in the scene itself, so they can be restored after an undo into the time
of the capture, and in a .blend that was recovered from a crash.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import bpy

from .. import saved_state
from ..engine.shared import passes
from ..engine.shared.checked import Length, Range
from ..engine.shared.frame_lists import LARGEST_FRAME
from .instances import particles_that_move

_BEFORE = "paintover_before_capture"
_AOVS = {passes.SURFACE_AOV: "COLOR", passes.OBJECT_AOV: "VALUE"}
_PASSES = ("combined", "z", "vector", "normal", "diffuse_color")
_SETTINGS: dict[str, Any] = {
    "render.use_compositing": False,
    "render.use_sequencer": False,
    "render.use_motion_blur": False,
    "render.use_border": False,
    "render.use_multiview": False,
    "render.metadata_input": "SCENE",
    "render.use_single_layer": False,
    "render.dither_intensity": 0.0,
}


@dataclasses.dataclass(frozen=True)
class _Before:
    """The settings before a capture, as the scene stores them."""

    settings: dict[str, Any]
    layer: str
    aovs: list[str]
    active_aov: Annotated[int, Range(-1, 1000)]
    frame: Annotated[list[Annotated[float, Range(-LARGEST_FRAME, LARGEST_FRAME)]], Length(2, 2)]


def is_changed(scene: Any) -> bool:
    """Return whether the scene has the settings of a capture."""
    return _BEFORE in scene


def writes_motion(scene: Any) -> bool:
    """Return whether the render engine can write motion without changing the picture."""
    return scene.render.engine != "CYCLES" or not particles_that_move(scene)


def change(scene: Any, view_layer: bpy.types.ViewLayer) -> None:
    """Let the scene render this view layer alone, with the needed passes and no post-processing."""
    settings = dict(_SETTINGS)
    # Stamps burn in or note the date, the time taken and the path of the .blend.
    for item in scene.render.bl_rna.properties:
        if item.identifier.startswith("use_stamp"):
            settings[f"render.{item.identifier}"] = False
    for layer in scene.view_layers:
        settings[f"{_layer_path(layer.name)}.use"] = layer == view_layer
    for name in _PASSES:
        settings[f"{_layer_path(view_layer.name)}.use_pass_{name}"] = True
    if not writes_motion(scene):
        settings[f"{_layer_path(view_layer.name)}.use_pass_vector"] = False
    missing = [name for name in _AOVS if name not in view_layer.aovs]
    scene[_BEFORE] = json.dumps(
        {
            "settings": values(scene, settings),
            "layer": view_layer.name,
            "aovs": missing,
            "active_aov": view_layer.active_aov_index,
            "frame": [scene.frame_current, scene.frame_subframe],
        }
    )
    apply(scene, settings)
    for name in missing:
        aov: Any = view_layer.aovs.add()
        aov.name, aov.type = name, _AOVS[name]


def restore(scene: Any) -> None:
    """Restore the settings that ``change`` changed, except on view layers that were removed."""
    if _BEFORE not in scene:
        return
    before = saved_state.read(scene[_BEFORE], _Before)
    if before is not None:
        _restore(scene, before)
    del scene[_BEFORE]


def _restore(scene: Any, before: _Before) -> None:
    if before.layer in scene.view_layers:
        layer = scene.view_layers[before.layer]
        for name in set(before.aovs) & _AOVS.keys():
            if name in layer.aovs:
                layer.aovs.remove(layer.aovs[name])
        layer.active_aov_index = before.active_aov
    apply(scene, before.settings)
    frame, subframe = before.frame
    if (scene.frame_current, scene.frame_subframe) != (frame, subframe):
        scene.frame_set(int(frame), subframe=subframe)


def values(scene: Any, paths: Iterable[str]) -> dict[str, Any]:
    """Return settings of a scene: path from the scene → value."""
    return {path: getattr(*_owner(scene, path)) for path in paths}


def apply(scene: Any, settings: Mapping[str, Any]) -> None:
    """Set settings of a scene, except on view layers that were removed."""
    for path, value in settings.items():
        with saved_state.put_back():
            setattr(*_owner(scene, path), value)


def _owner(scene: Any, path: str) -> tuple[Any, str]:
    owner, _, name = path.rpartition(".")
    return scene.path_resolve(owner), name


def _layer_path(name: str) -> str:
    return f'view_layers["{bpy.utils.escape_identifier(name)}"]'
