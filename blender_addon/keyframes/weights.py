# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: animated on the scene, sampled into the shot for the engine.

Animation finds a row of ``scene.paintover.keyframes`` by its place, so rows are only ever added,
also for keyframes that are removed later and may come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from .. import properties
from ..engine.shared.keyframe_weights import set_weights
from ..engine.shared.shot import Shot

_DECIMALS = 4


def row(scene: bpy.types.Scene, key: int) -> Any | None:
    """Return the settings of a keyframe, or None where the scene has none yet."""
    return properties.of(scene).keyframes.get(str(key))


def add_rows(scene: bpy.types.Scene, keys: Iterable[int]) -> None:
    """Make settings for keyframes that have none yet. A linked scene stays as it is."""
    if scene.is_editable:
        for key in keys:
            if row(scene, key) is None:
                properties.of(scene).keyframes.add().name = str(key)


def sampled(scene: bpy.types.Scene, frames: Iterable[int]) -> dict[int, dict[int, float]]:
    """Return the weights of the scene's keyframes: keyframe → frame → 0..1.

    Animation is read at each of the frames; drivers and NLA strips are not. A keyframe whose
    weight is not animated has one for all.
    """
    curves = _fcurves(scene)
    found = {}
    for settings in properties.of(scene).keyframes:
        key = int(settings.name)
        curve = curves.get(settings.path_from_id("weight"))
        if curve is None:
            found[key] = {key: _rounded(settings.weight)}
        else:
            found[key] = {frame: _rounded(curve.evaluate(frame)) for frame in frames}
    return found


def write(scene: bpy.types.Scene, shot: Shot) -> None:
    """Give the shot the scene's weights. Raises PaintoverError where it cannot be written."""
    set_weights(shot, sampled(scene, shot.frames))


def _rounded(weight: float) -> float:
    return round(min(max(weight, 0.0), 1.0), _DECIMALS)


def _fcurves(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return the scene's F-curves by the path of what they animate."""
    data: Any = scene.animation_data
    if data is None or data.action is None:
        return {}
    return {
        curve.data_path: curve
        for layer in data.action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        if bag.slot_handle == data.action_slot_handle
        for curve in bag.fcurves
        if not curve.mute
    }
