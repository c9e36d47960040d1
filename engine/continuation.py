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

from .frames import Frame
from .guides.hashing import hash_unit
from .resampling import Ranged, fetch
from .surface_edges import edge_distance, frame_edge_distance, is_known, surface_steps
from .window import LARGE, Window

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

CELL = 24.0
"""Side of a cell in pixels of the keyframe."""
MARGIN = 4.0
"""Nearer than this to an outline, in pixels, nothing is borrowed or added."""
COARSEST = 6.0
"""Gaussian radius in pixels; of the residue, what is smoother than this is no stroke."""
STRONGEST = 2.5
"""Residue stronger than this many times its usual strength is not texture but a mistake."""
SHARPNESS_DOUBLINGS = 2
"""The cells' weights are squared so many times: the more often, the narrower they overlap."""
REACH = 4
"""How many pixels around a pixel are looked at to tell its normal, and some to spare."""
LEAST_SIZE = 0.1
"""Surface seen at a steeper slant than this lends nothing."""
TRIES = 12
"""Places that a cell chooses from."""
FACINGS = 6
LEAST_PLACES = 64
"""Objects that keyframes show in fewer good pixels lend nothing."""


@dataclasses.dataclass(frozen=True)
class Source:
    """One keyframe: surface (H, W, 3), objects (H, W), mask (H, W), residue (H, W, 3)."""

    surface: Floats
    objects: npt.NDArray[np.int32]
    mask: Bools
    residue: Floats


class Continuation:
    """Borrows the residue of keyframes for surface that they do not show.

    What a surface point gets depends on the point and the keyframes alone, so it does not move or
    change from frame to frame.

    Args:
        sources: the keyframes, all of one size.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._residue: list[Floats] = []
        places: list[_Places] = []
        for number, source in enumerate(sources):
            lends = _lends(source)
            residue = _strokes(source.residue, lends)
            self._residue.append(np.dstack([residue, np.ones_like(residue[..., 0])]))
            self._residue[-1][~lends] = 0
            places.append(_places(number, source, residue, lends))
        self._places = _Places.joined(places)
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
        spans = ((float(r[..., :3].min()), float(r[..., :3].max())) for r in self._residue)
        return [Ranged(r, *span) for r, span in zip(self._residue, spans, strict=True)]

    def complete(self, strokes: Floats, frame: Frame, seen: Floats) -> None:
        """Complete strokes that are carried along with the keyframes by borrowed ones, in place.

        Args:
            strokes: (H, W, 3), differences of paint 0..1.
            frame: with ``surface`` and ``object``.
            seen: (H, W) 0..1, how far keyframes see each pixel.
        """
        borrowed = self.strokes(frame, seen < 1)
        borrowed *= 1 - seen[..., None]
        strokes *= seen[..., None]
        strokes += borrowed

    def strokes(self, frame: Frame, wanted: Bools) -> Floats:
        """Return strokes to add to the network's paint.

        Args:
            frame: with ``surface`` and ``object``, (H, W).
            wanted: (H, W), the part that is to get strokes.

        Returns:
            (H, W, 3), differences of paint 0..1, 0 where not wanted or nothing can be borrowed.
        """
        assert frame.surface is not None and frame.object is not None
        edge = frame_edge_distance(frame)
        result = np.zeros((*edge.shape, 3), np.float32)
        part = wanted & (frame.object > 0) & (edge > MARGIN) & is_known(frame.surface)
        inside = _around(part)
        part, edge, objects = part[inside], edge[inside], frame.object[inside]
        surface, strokes = frame.surface[inside], result[inside]
        across, down = (surface_steps(surface, objects, axis) for axis in (1, 0))
        normals = _smooth_normals(across, down)
        for identity, mine in self._of_object.items():
            places = np.nonzero(part & (objects == identity))
            if len(places[0]):
                strokes[places] = self._borrow(identity, mine, surface[places], normals[places])
        strokes *= np.clip((edge - MARGIN) / MARGIN, 0, 1)[..., None]
        return result

    def _borrow(
        self, identity: int, mine: npt.NDArray[np.intp], points: Floats, normals: Floats
    ) -> Floats:
        """Return strokes (N, 3) at points of one object, mixed of the cells around each."""
        cell = self._cells[identity]
        facing = _facing(normals)
        axes = _frame_of(normals)
        lattice = points / cell
        floor = np.floor(lattice)
        part = lattice.astype(np.float64) - floor
        cells, facing, back = _cells(floor.astype(np.int64), facing)
        corners = np.array(list(np.ndindex(2, 2, 2)))
        around = (cells + corners[:, None]).reshape(-1, 3)
        once, faced, again = _cells(around, np.tile(facing, len(corners)))
        anchors_of = self._anchors(mine, _seed(once, faced, identity), faced)[again]
        total = np.zeros((len(points), 3), np.float32)
        square = np.zeros(len(points), np.float32)
        for corner, anchors in zip(corners, anchors_of.reshape(len(corners), -1), strict=True):
            at = cells + corner
            offset = points - (at * cell).astype(np.float32)[back]
            u, v = (_dot(offset, axis) for axis in axes)
            found, share = self._sample(anchors, back, u, v)
            near = np.clip(1 - np.abs(part - corner), 0, 1)
            closeness = np.square(near[:, 0] * near[:, 1] * near[:, 2])
            for _ in range(SHARPNESS_DOUBLINGS - 1):
                closeness *= closeness
            weight = closeness * share
            total += found * weight[:, None]
            square += weight**2
        return np.asarray(total / np.sqrt(np.maximum(square, 1e-12))[:, None], np.float32)

    def _anchors(
        self,
        mine: npt.NDArray[np.intp],
        seeds: npt.NDArray[np.uint32],
        facing: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.intp]:
        """Choose for each cell the roomiest of a few random places that face alike."""
        best, room = mine[np.zeros(len(seeds), np.intp)], np.full(len(seeds), -np.inf)
        for attempt in range(TRIES):
            chance = hash_unit(seeds + np.uint32(attempt * 0x9E3779B1 & 0xFFFFFFFF))
            there = mine[np.minimum((chance * len(mine)).astype(np.intp), len(mine) - 1)]
            found = self._places.room[there] + 2 * CELL * (self._places.facing[there] == facing)
            best, room = np.where(found > room, there, best), np.maximum(found, room)
        return best

    def _sample(
        self, anchors: npt.NDArray[np.intp], back: npt.NDArray[np.intp], u: Floats, v: Floats
    ) -> tuple[Floats, npt.NDArray[np.float64]]:
        """Fetch residue at N offsets (u, v) in the tangent plane of places; and if there is any.

        Args:
            anchors: (M), places.
            back: (N), which of them each offset belongs to.
        """
        places = self._places
        to_pixels = places.to_pixels[anchors][back]
        x, y = (
            start[anchors][back] + np.clip(row[:, 0] * u + row[:, 1] * v, -2 * CELL, 2 * CELL)
            for start, row in ((places.x, to_pixels[:, 0]), (places.y, to_pixels[:, 1]))
        )
        found = np.zeros((len(back), 4), np.float32)
        source = places.source[anchors][back]
        for number, residue in enumerate(self._residue):
            here = np.flatnonzero(source == number)
            found[here] = fetch(residue, x[here], y[here], cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
        share = found[:, 3]
        return found[:, :3] / np.maximum(share, 1e-6)[:, None], np.where(share > 0.5, 1.0, 1e-3)


@dataclasses.dataclass(frozen=True)
class _Places:
    """Pixels of keyframes that lend: where they are, how they face, how roomy they are."""

    source: npt.NDArray[np.int16]
    x: Floats
    y: Floats
    objects: npt.NDArray[np.int32]
    footprint: Floats
    facing: npt.NDArray[np.int16]
    room: Floats
    strength: Floats
    to_pixels: Floats
    """(N, 2, 2): from lengths along the tangent plane's axes to pixels."""

    @staticmethod
    def joined(parts: Sequence[_Places]) -> _Places:
        names = [field.name for field in dataclasses.fields(_Places)]
        return _Places(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def _lends(source: Source) -> Bools:
    edge = edge_distance(source.surface, source.objects)
    return source.mask & is_known(source.surface) & (source.objects > 0) & (edge > MARGIN)


def _places(number: int, source: Source, residue: Floats, lends: Bools) -> _Places:
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
        rows, columns = np.nonzero(taken[core.inside])
        here = rows + (core.top - band.top), columns
        there = rows + core.top, columns
        normals, across, down = normals[here], across[here], down[here]
        u, v = _frame_of(normals)
        a, b, c, d = (_dot(step, axis) for axis in (u, v) for step in (across, down))
        area = a * d - b * c
        size = np.sqrt(np.abs(area))
        usable = size > LEAST_SIZE * np.hypot(np.hypot(a, b), np.hypot(c, d))
        inverse = np.stack([d, -b, -c, a], -1)[usable] / area[usable][:, None]
        parts.append(
            _Places(
                source=np.full(len(inverse), number, np.int16),
                x=columns[usable].astype(np.float32),
                y=there[0][usable].astype(np.float32),
                objects=source.objects[there][usable],
                footprint=size[usable],
                facing=_facing(normals[usable]).astype(np.int16),
                room=np.minimum(room[there][usable], CELL).astype(np.float32),
                strength=strength[there][usable],
                to_pixels=inverse.reshape(-1, 2, 2).astype(np.float32),
            )
        )
    return _Places.joined(parts)


def _facing(normals: Floats) -> npt.NDArray[np.intp]:
    """Return which of six directions (N, 3) normals face most."""
    axis = np.argmax(np.abs(normals), axis=1)
    forward = np.take_along_axis(normals, axis[:, None], 1)[:, 0] > 0
    return np.asarray(axis * 2 + forward, np.intp)


def _strokes(residue: Floats, lends: Bools) -> Floats:
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


def _smooth_normals(across: Floats, down: Floats) -> Floats:
    normals = _cross(across, down)
    normals /= np.maximum(_length(normals), 1e-20)[..., None]
    normals = np.asarray(cv2.blur(normals, (5, 5)), np.float32)
    length = _length(normals)
    normals /= np.maximum(length, 1e-6)[..., None]
    normals[length <= 1e-6] = 0, 0, 1
    return normals


def _frame_of(normals: Floats) -> tuple[Floats, Floats]:
    """Return two axes of the tangent planes (N, 3), alike wherever the surface faces alike."""
    up = np.zeros_like(normals)
    steep = np.abs(normals[..., 2]) > 0.9
    up[..., 2][~steep] = 1
    up[..., 1][steep] = 1
    u = _cross(up, normals)
    u /= np.maximum(_length(u), 1e-6)[..., None]
    return u, _cross(normals, u)


def _cross(a: Floats, b: Floats) -> Floats:
    result = np.empty_like(a)
    for axis in range(3):
        j, k = (axis + 1) % 3, (axis + 2) % 3
        np.subtract(a[..., j] * b[..., k], a[..., k] * b[..., j], out=result[..., axis])
    return result


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2])


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(_dot(vectors, vectors)), np.float32)


def _around(part: Bools) -> tuple[slice, slice]:
    """Return the rectangle of a part and ``REACH`` pixels around it."""
    left, top, width, height = cv2.boundingRect(part.astype(np.uint8))
    return (
        slice(max(0, top - REACH), top + height + REACH),
        slice(max(0, left - REACH), left + width + REACH),
    )


def _cells(
    floor: npt.NDArray[np.int64], facing: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return cells (M, 3) and facings (M), each pair once, and which of them N points are in."""
    low = floor.min(axis=0)
    _, rows, layers = floor.max(axis=0) - low + 1
    x, y, z = (floor - low).T
    code = ((x * rows + y) * layers + z) * FACINGS + facing
    _, first, back = np.unique(code, return_index=True, return_inverse=True)
    return floor[first], facing[first], back


def _seed(
    cells: npt.NDArray[np.int64], facing: npt.NDArray[np.intp], identity: int
) -> npt.NDArray[np.uint32]:
    mixed = cells[:, 0] * 73856093 ^ cells[:, 1] * 19349663 ^ cells[:, 2] * 83492791
    mixed ^= facing * 2654435761 ^ identity * 40503
    return (mixed & 0xFFFFFFFF).astype(np.uint32)
