# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws pictures, text and bars into a region, in pixels of the region."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

_FONT = 0
_TEXT_SIZE = 11.0


class Box(NamedTuple):
    """A box in pixels of a region."""

    left: float
    bottom: float
    right: float
    top: float


def _corners(box: Box) -> tuple[tuple[float, float], ...]:
    return (
        (box.left, box.bottom),
        (box.right, box.bottom),
        (box.left, box.top),
        (box.right, box.top),
    )


def picture(texture: Any, box: Box, opacity: float = 1.0) -> None:
    """Draw a display-referred texture with straight alpha."""
    shader = gpu.shader.from_builtin("IMAGE_COLOR")
    unit = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    batch: Any = batch_for_shader(shader, "TRI_STRIP", {"pos": _corners(box), "texCoord": unit})
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_sampler("image", texture)
    shader.uniform_float("color", (1.0, 1.0, 1.0, opacity))
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def image(texture: Any, box: Box, opacity: float) -> None:
    """Draw the texture of one of Blender's images, which is scene-linear, into an Image Editor.

    What is drawn there has a buffer of its own: the picture takes the opacity of white paint that
    it is multiplied with.
    """
    rectangles([box], (1.0, 1.0, 1.0, opacity))
    shader = gpu.shader.from_builtin("IMAGE_SCENE_LINEAR_TO_REC709_SRGB")
    unit = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    batch: Any = batch_for_shader(shader, "TRI_STRIP", {"pos": _corners(box), "texCoord": unit})
    gpu.state.blend_set("MULTIPLY")
    shader.bind()
    shader.uniform_sampler("image", texture)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def rectangles(boxes: Iterable[Box], colour: tuple[float, float, float, float]) -> None:
    """Fill boxes with one colour."""
    corners: list[tuple[float, float]] = []
    indices: list[tuple[int, int, int]] = []
    for box in boxes:
        first = len(corners)
        corners += _corners(box)
        indices += [(first, first + 1, first + 2), (first + 1, first + 2, first + 3)]
    if not indices:
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch: Any = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=indices)
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def text(line: str, left: float, bottom: float, most: float, *, centred: bool = False) -> None:
    """Write a line on a dark ground; what is too long is cut off.

    Args:
        line: what to write.
        left: where the ground begins, or its middle if ``centred``.
        bottom: where the ground begins.
        most: largest width of the ground.
        centred: whether ``left`` is the middle.
    """
    scale = ui_scale()
    blf.size(_FONT, _TEXT_SIZE * scale)
    pad = 4 * scale
    width, height = blf.dimensions(_FONT, line)
    if width + 2 * pad > most:
        fitting = max(0, int(len(line) * (most - 2 * pad) / width) - 1)
        line = f"{line[:fitting].rstrip()}…"
        width, height = blf.dimensions(_FONT, line)
    if centred:
        left -= width / 2 + pad
    rectangles(
        [Box(left, bottom, left + width + 2 * pad, bottom + height + 2 * pad)], (0, 0, 0, 0.55)
    )
    blf.color(_FONT, 1, 1, 1, 0.95)
    blf.position(_FONT, left + pad, bottom + pad, 0)
    blf.draw(_FONT, line)


def ui_scale() -> float:
    """Return how many pixels of a region a point of the interface has."""
    preferences: Any = bpy.context.preferences
    return float(preferences.system.ui_scale)
