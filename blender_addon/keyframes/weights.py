# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: animated on the scene, sampled into the shot for the engine.

F-curves refer to a row of ``scene.paintover.keyframes`` by its index. So rows are only added, never
removed, even if their keyframes are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import bpy

from .. import properties
from ..engine.shared.keyframes.weights import set_weights
from ..engine.shared.shot import Shot

_DECIMALS = 4
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,6}")


def row(scene: bpy.types.Scene, key: int) -> Any | None:
    """Return the settings of a keyframe, or None if the scene has none yet."""
    return properties.of(scene).keyframes.get(str(key))


def add_rows(scene: bpy.types.Scene, keys: Iterable[int]) -> None:
    """Add settings for keyframes that have none yet; a linked scene stays unchanged."""
    if scene.is_editable:
        for key in keys:
            if row(scene, key) is None:
                properties.of(scene).keyframes.add().name = str(key)


def sampled(scene: bpy.types.Scene, frames: Iterable[int]) -> dict[int, dict[int, float]]:
    """Return the weights of the scene's keyframes: keyframe → frame → 0..1.

    Animated weights are sampled at each frame of ``frames``; a constant weight has one entry.
    Drivers and NLA strips are ignored.
    """
    curves = fcurves(scene)
    weights = {}
    for settings in properties.of(scene).keyframes:
        if not _NUMBER.fullmatch(settings.name):
            continue  # not a row of ours
        key = int(settings.name)
        curve = curves.get(settings.path_from_id("weight"))
        if curve is None:
            weights[key] = {key: _rounded(settings.weight)}
        else:
            weights[key] = {frame: _rounded(curve.evaluate(frame)) for frame in frames}
    return weights


def write(scene: bpy.types.Scene, shot: Shot) -> None:
    """Write the scene's weights to the shot. Raises PaintoverError if it cannot be written."""
    set_weights(shot, sampled(scene, shot.frames))


def _rounded(weight: float) -> float:
    return round(min(max(weight, 0.0), 1.0), _DECIMALS)


def fcurves(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return the scene's F-curves by data path; muted ones are left out."""
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
