# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: animated on the scene, sampled into the shot for the engine.

F-curves refer to a row of ``scene.paintover.keyframes`` by its index. So rows are only added, never
removed, even if their keyframes are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import bpy

from .. import properties
from ..engine.shared.keyframes.weights import set_weights
from ..engine.shared.shot import Shot

_DECIMALS = 4
_POINT = (
    *("co", "handle_left_type", "handle_right_type", "handle_left", "handle_right"),
    *("interpolation", "easing", "amplitude", "back", "period"),
)
"""What makes a point of an F-curve."""
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


def copy(scene: bpy.types.Scene, key: int, onto: int) -> None:
    """Give a keyframe the weight of another, with its animation; a linked scene stays unchanged."""
    if not scene.is_editable:
        return
    add_rows(scene, (key, onto))
    source, target = row(scene, key), row(scene, onto)
    assert source and target
    _remove_curve(scene, target)
    target.weight = source.weight
    found = _find_curve(scene, source)
    if found is not None:
        bag, curve = found
        copied = bag.fcurves.new(target.path_from_id("weight"))
        copied.extrapolation, copied.mute = curve.extrapolation, curve.mute
        copied.keyframe_points.add(len(curve.keyframe_points))
        for point, other in zip(copied.keyframe_points, curve.keyframe_points, strict=True):
            for name in _POINT:
                setattr(point, name, getattr(other, name))
        copied.update()


def move(scene: bpy.types.Scene, key: int, onto: int) -> None:
    """Give a keyframe the weight of another, which has the weight 1 from then on; see ``copy``."""
    if not scene.is_editable:
        return
    copy(scene, key, onto)
    left = row(scene, key)
    assert left
    _remove_curve(scene, left)
    left.weight = 1.0


def _remove_curve(scene: bpy.types.Scene, settings: Any) -> None:
    found = _find_curve(scene, settings)
    if found is not None:
        bag, curve = found
        bag.fcurves.remove(curve)


def _find_curve(scene: bpy.types.Scene, settings: Any) -> tuple[Any, Any] | None:
    """Return the channel bag and the F-curve of a weight, muted or not."""
    path = settings.path_from_id("weight")
    curves = [(bag, curve) for bag in _bags(scene) for curve in bag.fcurves]
    return next((found for found in curves if found[1].data_path == path), None)


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
    if math.isnan(weight):  # as a stranger's curve may be
        return 1.0
    return round(min(max(weight, 0.0), 1.0), _DECIMALS)


def fcurves(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return the scene's F-curves by data path; muted ones are left out."""
    return {
        curve.data_path: curve for bag in _bags(scene) for curve in bag.fcurves if not curve.mute
    }


def _bags(scene: bpy.types.Scene) -> list[Any]:
    """Return the channel bags with the scene's F-curves."""
    data: Any = scene.animation_data
    if data is None or data.action is None:
        return []
    return [
        bag
        for layer in data.action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        if bag.slot_handle == data.action_slot_handle
    ]
