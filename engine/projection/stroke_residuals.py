# SPDX-License-Identifier: GPL-3.0-or-later
"""Strokes where the network paints itself: the keyframe's own, carried along or borrowed.

What a network cannot foretell of a painting without seeing the paint, single strokes and grain, it
leaves out. That residue is known on the keyframes: the painting less what the network paints there
without the projection. Where a keyframe sees the surface the residue is carried along with it, so
that strokes stay where the light has changed. Unseen surface is divided into cells that stick to
it; each takes the residue of a place of the same object, laid flat and turned alike, so that
strokes keep their size and their direction on the object. Lattice cells and overlapping patches are
those of "Lapped Textures" (Praun, Finkelstein, Hoppe, SIGGRAPH 2000), carried over to screen-space
keyframes.
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
from .stroke_kernels import CELL, Places, Residues, borrow, lay_flat, mix, normals_of, smooth
from .surface_edges import SurfaceEdges, edge_distance, is_known, surface_steps

MARGIN = 4.0
"""Nearer than this to an outline, in pixels, nothing is borrowed or added."""
COARSEST = 6.0
"""Gaussian radius in pixels; of the residue, what is smoother than this is no stroke."""
STRONGEST = 2.5
"""Residue stronger than this many times its usual strength is not texture but a mistake."""
REACH = 4
"""How many pixels around a pixel are looked at to tell its normal, and some to spare."""
LEAST_PLACES = 64
"""Objects that keyframes show in fewer good pixels lend nothing."""


@dataclasses.dataclass(frozen=True)
class Source:
    """One keyframe: surface (H, W, 3), objects (H, W), mask (H, W), residue (H, W, 3)."""

    surface: FloatArray
    objects: npt.NDArray[np.int32]
    mask: BoolArray
    residue: FloatArray


class Continuation:
    """Borrows the residue of keyframes for surface that they do not show.

    What a surface point gets depends on the point and the keyframes alone, so it does not move or
    change from frame to frame.

    Args:
        sources: the keyframes, all of one size.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        shapes = np.array([source.mask.shape for source in sources], np.int64)
        sizes = shapes.prod(axis=1)
        first = np.cumsum(sizes) - sizes
        values = np.ones((int(sizes.sum()), 4), np.float32)
        self._residues = Residues(values, np.column_stack([first, shapes]))
        places: list[Places] = []
        for number, source in enumerate(sources):
            lends = _lends(source)
            residue = _strokes(source.residue, lends)
            own = self._residue(number)
            own[..., :3] = residue
            own[~lends] = 0
            places.append(_places(number, source, residue, lends))
        self._places = Places(*(np.concatenate(parts) for parts in zip(*places, strict=True)))
        self._cells: dict[int, float] = {}
        self._of_object: dict[int, npt.NDArray[np.intp]] = {}
        for identity in np.unique(self._places.objects):
            mine = np.flatnonzero(self._places.objects == identity)
            if len(mine) >= LEAST_PLACES:
                strength = self._places.strength[mine]
                self._of_object[int(identity)] = mine[strength <= np.median(strength)]
                self._cells[int(identity)] = CELL * float(np.median(self._places.footprint[mine]))

    @property
    def carried(self) -> list[Ranged]:
        """The strokes of each keyframe itself, 0 where it lends none; a fourth channel tells."""
        residues = [self._residue(number) for number in range(len(self._residues.shapes))]
        spans = ((float(r[..., :3].min()), float(r[..., :3].max())) for r in residues)
        return [Ranged(r, *span) for r, span in zip(residues, spans, strict=True)]

    def _residue(self, number: int) -> FloatArray:
        """Return the residue (H, W, 4) of a keyframe."""
        first, height, width = self._residues.shapes[number]
        part = self._residues.values[first : first + height * width]
        return part.reshape(height, width, 4)

    def complete(
        self,
        strokes: FloatArray,
        frame: Frame,
        seen: FloatArray,
        edges: SurfaceEdges | None = None,
    ) -> None:
        """Complete strokes that are carried along with the keyframes by borrowed ones, in place.

        Args:
            strokes: (H, W, 3), differences of paint 0..1.
            frame: with ``surface`` and ``object``.
            seen: (H, W) 0..1, how far keyframes see each pixel.
            edges: the frame's, where they have been computed already.
        """
        mix(strokes, self.strokes(frame, seen < 1, edges), seen)

    def strokes(
        self, frame: Frame, wanted: BoolArray, edges: SurfaceEdges | None = None
    ) -> FloatArray:
        """Return strokes to add to the network's paint.

        Args:
            frame: with ``surface`` and ``object``, (H, W).
            wanted: (H, W), the part that is to get strokes.
            edges: the frame's, where they have been computed already.

        Returns:
            (H, W, 3), differences of paint 0..1, 0 where not wanted or nothing can be borrowed.
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
                known = self._places, self._residues
                borrow(drawn, surface, normals, cell, identity, mine, *known, strokes)
        result[inside] = strokes
        return result


def _lends(source: Source) -> BoolArray:
    edge = edge_distance(source.surface, source.objects)
    return source.mask & is_known(source.surface) & (source.objects > 0) & (edge > MARGIN)


def _places(number: int, source: Source, residue: FloatArray, lends: BoolArray) -> Places:
    room = cv2.distanceTransform(np.pad(lends, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    strength = cv2.GaussianBlur(np.abs(residue).mean(-1), (0, 0), CELL / 3)
    apart = math.ceil(math.sqrt(lends.size / LARGE))
    taken = np.zeros_like(lends)
    taken[::apart, ::apart] = lends[::apart, ::apart]
    parts = []
    for core, band in Window.whole(*lends.shape).parts(REACH):
        surface, objects = source.surface[band.inside], source.objects[band.inside]
        across, down = (surface_steps(surface, objects, axis) for axis in (1, 0))
        normals = _smooth_normals(across, down)
        wanted = np.zeros(band.shape, bool)
        wanted[core.within(band)] = taken[core.inside]
        size = np.zeros(band.shape, np.float32)
        facing, to_pixels = np.zeros(band.shape, np.int16), np.zeros((*band.shape, 4), np.float32)
        lay_flat(wanted, normals, across, down, size, facing, to_pixels)
        here = np.nonzero(size)
        there = here[0] + band.top, here[1] + band.left
        parts.append(
            Places(
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
    return Places(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def _strokes(residue: FloatArray, lends: BoolArray) -> FloatArray:
    """Leave of a residue what is finer than ``COARSEST``, and cut what is too strong."""
    weight = lends.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), COARSEST), 1e-3)
    fine = residue * weight[..., None]
    for channel in range(fine.shape[2]):
        smooth = cv2.GaussianBlur(fine[..., channel], (0, 0), COARSEST)
        fine[..., channel] = (residue[..., channel] - smooth / share) * weight
    strength = np.abs(fine).max(axis=-1)
    usual = cv2.GaussianBlur(strength, (0, 0), 2 * COARSEST)
    usual /= np.maximum(cv2.GaussianBlur(weight, (0, 0), 2 * COARSEST), 1e-3)
    fine *= np.minimum(1, STRONGEST * usual / np.maximum(strength, 1e-6))[..., None]
    return fine


def _smooth_normals(across: FloatArray, down: FloatArray) -> FloatArray:
    normals = np.empty_like(across)
    normals_of(across, down, normals)
    normals = np.asarray(cv2.blur(normals, (5, 5)), np.float32)
    smooth(normals)
    return normals


def _around(part: BoolArray) -> tuple[slice, slice]:
    """Return the rectangle of a part and ``REACH`` pixels around it."""
    left, top, width, height = cv2.boundingRect(part.astype(np.uint8))
    return (
        slice(max(0, top - REACH), top + height + REACH),
        slice(max(0, left - REACH), left + width + REACH),
    )
