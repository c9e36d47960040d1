# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera matrices of rendered frames."""

from __future__ import annotations

from typing import Any

import bpy

from .. import properties
from ..engine.shared.manifest import Camera


def camera_now(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> Camera | None:
    """Return the camera of the current frame, including shift, sensor fit and pixel aspect.

    Returns:
        None for a camera without a projection matrix (panoramic, custom), for another object that
        serves as camera, or without any.
    """
    view_layer.update()
    depsgraph: Any = view_layer.depsgraph
    original = scene.camera
    if original is None or original.type != "CAMERA":
        return None
    camera: Any = original.evaluated_get(depsgraph)
    data: Any = camera.data
    if data.type not in {"PERSP", "ORTHO"}:
        return None
    render = scene.render
    width, height = properties.render_size(scene)
    projection = camera.calc_matrix_camera(
        depsgraph,
        x=width,
        y=height,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    # Renderers ignore the scale of the camera object.
    matrix = projection @ camera.matrix_world.normalized().inverted()
    return Camera(
        world_to_clip=[value for row in matrix for value in row],
        orthographic=data.type == "ORTHO",
        name=original.name_full,
    )


def orthographic_camera_moves(cameras: list[Camera]) -> bool:
    """Return whether one of the cameras is orthographic and moves."""
    first: dict[str, Camera] = {}
    for camera in cameras:
        if not camera.orthographic:
            continue
        before = first.setdefault(camera.name, camera)
        pairs = zip(camera.world_to_clip, before.world_to_clip, strict=True)
        if any(abs(a - b) > 1e-6 for a, b in pairs):
            return True
    return False
