# SPDX-License-Identifier: GPL-3.0-or-later
"""Stroke residuals: the details of paintings that the network cannot predict.

Without projected paint, a network paints the general look of a painting but leaves out single
strokes and grain. The residual of a keyframe is its painting minus what the network paints there
without projected paint. It is added wherever the network's own paint shows:

- Where a keyframe shows the surface, its residual is projected along, so strokes stay in place even
  where the light has changed.
- Elsewhere residuals are borrowed from the same object by texture synthesis. Space is divided into
  cells in rest coordinates, so the texture sticks to the surface. Patches are mapped through the
  tangent plane, so strokes keep their size and their direction on the object (see
  ``stroke_kernels``). The overlapping patches are those of Praun, Finkelstein, Hoppe, "Lapped
  Textures" (SIGGRAPH 2000), with keyframes in screen space as the source.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.types import BoolArray, FloatArray
from ..images.window import LARGE, Window
from .resampling import Ranged
from .stroke_kernels import (
    CELL,
    Residuals,
    SourcePixels,
    blend_strokes,
    borrow_strokes,
    flatten_surface,
    normalize,
    surface_normals,
)
from .surface_edges import SurfaceEdges, edge_distance, is_known, surface_steps

MARGIN = 4.0
"""Distance in pixels to an occlusion edge below which nothing is borrowed or added."""
COARSEST = 6.0
"""Gaussian radius in pixels of the low-pass part, which is removed from residuals."""
STRONGEST = 2.5
"""Residuals are clipped to this many times their mean strength nearby."""
REACH = 4
"""Pixels around a pixel that its smoothed normal depends on, rounded up."""
LEAST_PLACES = 64
"""Objects with fewer usable keyframe pixels than this are not borrowed from."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A keyframe and its residual.

    Attributes:
        surface: (H, W, 3) float32 rest positions, NaN where unknown.
        objects: (H, W) int32 ids.
        mask: (H, W) bool, the part of the painting that counts.
        residual: (H, W, 3) float32, painting minus predicted paint, both 0..1.
    """

    surface: FloatArray
    objects: npt.NDArray[np.int32]
    mask: BoolArray
    residual: FloatArray


class StrokeResiduals:
    """The residuals of keyframes, and synthesis of strokes from them.

    What a surface point gets depends only on the point and the keyframes, so it does not move or
    change from frame to frame.

    Args:
        sources: the keyframes; their sizes may differ.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        shapes = np.array([source.mask.shape for source in sources], np.int64)
        sizes = shapes.prod(axis=1)
        first = np.cumsum(sizes) - sizes
        values = np.ones((int(sizes.sum()), 4), np.float32)
        self._residuals = Residuals(values, np.column_stack([first, shapes]))
        pixels: list[SourcePixels] = []
        for number, source in enumerate(sources):
            usable = _usable(source)
            strokes = _strokes(source.residual, usable)
            own = self._residual(number)
            own[..., :3] = strokes
            own[~usable] = 0
            pixels.append(_source_pixels(number, source, strokes, usable))
        self._pixels = SourcePixels(*(np.concatenate(parts) for parts in zip(*pixels, strict=True)))
        self._cells: dict[int, float] = {}
        self._of_object: dict[int, npt.NDArray[np.intp]] = {}
        for identity in np.unique(self._pixels.objects):
            mine = np.flatnonzero(self._pixels.objects == identity)
            if len(mine) >= LEAST_PLACES:
                strength = self._pixels.strength[mine]
                self._of_object[int(identity)] = mine[strength <= np.median(strength)]
                self._cells[int(identity)] = CELL * float(np.median(self._pixels.footprint[mine]))

    @property
    def carried(self) -> list[Ranged]:
        """For each keyframe (H, W, 4) float32: residual, −1..1 (3), and 1 where usable, else 0."""
        residuals = [self._residual(number) for number in range(len(self._residuals.shapes))]
        spans = [(float(r[..., :3].min()), float(r[..., :3].max())) for r in residuals]
        return [Ranged(r, *span) for r, span in zip(residuals, spans, strict=True)]

    def _residual(self, number: int) -> FloatArray:
        """Return a view of a keyframe's residual, (H, W, 4)."""
        first, height, width = self._residuals.shapes[number]
        part = self._residuals.values[first : first + height * width]
        return part.reshape(height, width, 4)

    def complete(
        self,
        strokes: FloatArray,
        frame: Frame,
        seen: FloatArray,
        edges: SurfaceEdges | None = None,
    ) -> None:
        """Fill in projected strokes with borrowed ones, in place.

        Args:
            strokes: (H, W, 3) float32, the projected ones, differences of paint 0..1.
            frame: the frame, with ``surface`` and ``object``.
            seen: (H, W) float32, 0..1, share of the projected strokes in each pixel.
            edges: the frame's, where they have been computed already.
        """
        blend_strokes(strokes, self.strokes(frame, seen < 1, edges), seen)

    def strokes(
        self, frame: Frame, wanted: BoolArray, edges: SurfaceEdges | None = None
    ) -> FloatArray:
        """Return borrowed strokes to add to the network's paint.

        Args:
            frame: the frame (H, W), with ``surface`` and ``object``.
            wanted: (H, W) bool, the pixels that should get strokes.
            edges: the frame's, where they have been computed already.

        Returns:
            (H, W, 3) float32, differences of paint 0..1; 0 where not wanted or not available.
        """
        assert frame.surface is not None and frame.object is not None
        edge = (edges or SurfaceEdges.of(frame)).distance
        result = np.zeros((*edge.shape, 3), np.float32)
        part = wanted & (frame.object > 0) & (edge > MARGIN) & is_known(frame.surface)
        inside = _around(part)
        objects, surface = (
            np.ascontiguousarray(values[inside]) for values in (frame.object, frame.surface)
        )
        across, down = (surface_steps(surface, objects, axis) for axis in (1, 0))
        normals = _smooth_normals(across, down)
        strength = np.clip((edge[inside] - MARGIN) / MARGIN, 0, 1) * part[inside]
        strokes = np.zeros(surface.shape, np.float32)
        for identity, mine in self._of_object.items():
            drawn: FloatArray = strength * (objects == identity)
            if drawn.any():
                cell = self._cells[identity]
                known = self._pixels, self._residuals
                borrow_strokes(drawn, surface, normals, cell, identity, mine, *known, strokes)
        result[inside] = strokes
        return result


def _usable(source: Source) -> BoolArray:
    """Return (H, W) bool, True for painted pixels of known surface away from occlusion edges."""
    edge = edge_distance(source.surface, source.objects)
    return source.mask & is_known(source.surface) & (source.objects > 0) & (edge > MARGIN)


def _source_pixels(
    number: int, source: Source, strokes: FloatArray, usable: BoolArray
) -> SourcePixels:
    """Describe the usable pixels of a keyframe, or an even sample of those of a large one."""
    room = cv2.distanceTransform(np.pad(usable, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    strength = cv2.GaussianBlur(np.abs(strokes).mean(-1), (0, 0), CELL / 3)
    apart = math.ceil(math.sqrt(usable.size / LARGE))
    taken = np.zeros_like(usable)
    taken[::apart, ::apart] = usable[::apart, ::apart]
    parts = []
    for core, band in Window.whole(*usable.shape).parts(REACH):
        surface, objects = source.surface[band.inside], source.objects[band.inside]
        across, down = (surface_steps(surface, objects, axis) for axis in (1, 0))
        normals = _smooth_normals(across, down)
        wanted = np.zeros(band.shape, bool)
        wanted[core.within(band)] = taken[core.inside]
        size = np.zeros(band.shape, np.float32)
        facing, to_pixels = np.zeros(band.shape, np.int16), np.zeros((*band.shape, 4), np.float32)
        flatten_surface(wanted, normals, across, down, size, facing, to_pixels)
        here = np.nonzero(size)
        there = here[0] + band.top, here[1] + band.left
        parts.append(
            SourcePixels(
                source=np.full(len(there[0]), number, np.int16),
                x=there[1].astype(np.float32),
                y=there[0].astype(np.float32),
                objects=source.objects[there],
                footprint=size[here],
                facing=facing[here],
                room=np.minimum(room[there], CELL).astype(np.float32),
                strength=strength[there],
                to_pixels=to_pixels[here],
            )
        )
    return SourcePixels(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def _strokes(residual: FloatArray, usable: BoolArray) -> FloatArray:
    """Return the high-pass part of a residual (H, W, 3), clipped to ``STRONGEST``."""
    weight = usable.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), COARSEST), 1e-3)
    fine = residual * weight[..., None]
    for channel in range(fine.shape[2]):
        smooth = cv2.GaussianBlur(fine[..., channel], (0, 0), COARSEST)
        fine[..., channel] = (residual[..., channel] - smooth / share) * weight
    strength = np.abs(fine).max(axis=-1)
    usual = cv2.GaussianBlur(strength, (0, 0), 2 * COARSEST)
    usual /= np.maximum(cv2.GaussianBlur(weight, (0, 0), 2 * COARSEST), 1e-3)
    fine *= np.minimum(1, STRONGEST * usual / np.maximum(strength, 1e-6))[..., None]
    return fine


def _smooth_normals(across: FloatArray, down: FloatArray) -> FloatArray:
    """Return unit normals (H, W, 3), averaged over 5×5 pixels."""
    normals = np.empty_like(across)
    surface_normals(across, down, normals)
    normals = np.asarray(cv2.blur(normals, (5, 5)), np.float32)
    normalize(normals)
    return normals


def _around(part: BoolArray) -> tuple[slice, slice]:
    """Return the bounding rectangle of a part (H, W), grown by ``REACH`` pixels."""
    left, top, width, height = cv2.boundingRect(part.astype(np.uint8))
    return (
        slice(max(0, top - REACH), top + height + REACH),
        slice(max(0, left - REACH), left + width + REACH),
    )
