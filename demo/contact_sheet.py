# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet with captions in Blender's own typeface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import cv2
import numpy as np
import numpy.typing as npt

PAPER = (246, 240, 229)
TEXT = (62, 43, 66)
FAINT = (158, 144, 150)
GAP, MARGIN = 14, 40
_FINE = 4


def text_mask(words: str, size: float) -> npt.NDArray[Any]:
    """Render one line of text as coverage, (height, width) uint8.

    Args:
        words: the text.
        size: height of the line in pixels; capitals are about 0.7 of it.
    """
    data: Any = bpy.data.curves.new("Caption", "FONT")
    data.body = words
    holder: Any = bpy.data.objects.new("Caption", data)
    scene: Any = bpy.context.scene
    scene.collection.objects.link(holder)
    evaluated = holder.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)[:, :2]
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    evaluated.to_mesh_clear()
    bpy.data.objects.remove(holder)
    bpy.data.curves.remove(data)
    scale = size * _FINE
    width = int(points[:, 0].max() * scale / _FINE) + 2
    big = np.zeros((int(size * 1.3) * _FINE, width * _FINE), np.uint8)
    points = np.stack([points[:, 0], 1.0 - points[:, 1]], axis=1) * scale * 16
    for triangle in points[corners.reshape(-1, 3)]:
        cv2.fillConvexPoly(big, np.round(triangle).astype(np.int32), (255,), cv2.LINE_8, 4)
    return cv2.resize(big, (width, big.shape[0] // _FINE), interpolation=cv2.INTER_AREA)


def write_text(
    page: npt.NDArray[Any],
    words: str,
    at: tuple[int, int],
    size: float,
    colour: Sequence[int] = TEXT,
) -> None:
    """Draw a line of text onto a page (H, W, 3) uint8; its upper left corner is ``at`` (x, y)."""
    cover = text_mask(words, size)[..., None] / 255
    x, y = at
    place = page[y : y + cover.shape[0], x : x + cover.shape[1]]
    cover = cover[: place.shape[0], : place.shape[1]]
    place[:] = np.round(place * (1 - cover) + np.array(colour) * cover)


def over_paper(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a picture, RGB or straight RGBA uint8, over the paper colour, as RGB uint8."""
    if picture.shape[2] == 3:
        return picture
    alpha = picture[..., 3:] / 255
    return np.round(picture[..., :3] * alpha + np.array(PAPER) * (1 - alpha)).astype(np.uint8)


def contact_sheet(
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[npt.NDArray[Any] | None]]],
) -> npt.NDArray[Any]:
    """Lay out pictures of one size in a grid.

    Args:
        title: text above the sheet.
        columns: caption of each column.
        rows: per row a caption and a picture per column, RGB or RGBA uint8; None leaves a gap.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    sample = next(p for _, pictures in rows for p in pictures if p is not None)
    high, wide = sample.shape[:2]
    small = max(14, wide // 20)
    left = MARGIN + max(text_mask(name, small).shape[1] for name, _ in rows) + small
    top = MARGIN + int(small * 4.4)
    size = (
        top + len(rows) * (high + GAP) - GAP + MARGIN,
        left + len(columns) * (wide + GAP) - GAP + MARGIN,
    )
    page = np.empty((*size, 3), np.uint8)
    page[:] = PAPER
    write_text(page, title, (MARGIN, MARGIN // 2), small * 1.7)
    for c, caption in enumerate(columns):
        write_text(page, caption, (left + c * (wide + GAP), top - int(small * 1.45)), small)
    for r, (name, pictures) in enumerate(rows):
        y = top + r * (high + GAP)
        write_text(page, name, (MARGIN, y + (high - small) // 2), small)
        for c, picture in enumerate(pictures):
            x = left + c * (wide + GAP)
            if picture is None:
                cv2.rectangle(page, (x, y), (x + wide - 1, y + high - 1), (226, 217, 206), 2)
                dash = text_mask("not painted", small)
                at = (x + (wide - dash.shape[1]) // 2, y + (high - small) // 2)
                write_text(page, "not painted", at, small, FAINT)
            else:
                page[y : y + high, x : x + wide] = over_paper(picture)
    return page
