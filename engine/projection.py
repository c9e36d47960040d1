# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface projection: which pixel of a keyframe shows the same surface point as a pixel of a frame.

Nearest neighbours on (surface, object), then a local solve in the keyframe for the position
between pixels, so that paint is resampled once and stays sharp.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from .blending import Projected
from .frames import Frame
from .resampling import Located, Resampler

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

REACH = 0.9
"""How far from a keyframe pixel, in pixels, a surface point may lie to count as seen there."""
OFF_SURFACE = 0.5
"""How far off the keyframe's surface a point may lie, in footprints of its pixel."""
AT_ONCE = 1 << 20
"""Points that are looked up at once, to bound the memory."""
FAR = 1e4
"""Distance, in pixels, that counts as infinite."""
SEAM = 2.5
"""A step between neighbours this many times the step on the other side is an occlusion edge."""
LARGEST = 1e12
"""Surface coordinates beyond this are a renderer's fault, and their squares would overflow."""
OUTLINE = 0.006
"""How far from an occlusion edge outlines are painted, in widths of the picture."""
LEAST_OUTLINE = 2.0
"""The same in pixels, for small pictures."""
OUTLINE_SLIP = 0.75
"""An outline that lies this many pixels nearer to the edge, or farther, has not moved with it."""


def outline_reach(width: int) -> float:
    """Return how far from an occlusion edge, in pixels, a picture so wide has its outlines."""
    return max(LEAST_OUTLINE, OUTLINE * width)


def edge_distance(surface: Floats, objects: npt.NDArray[np.int32]) -> Floats:
    """Return each pixel's distance, in pixels, to the nearest occlusion edge.

    Edges are where the object changes, and where the surface jumps within one.

    Args:
        surface: (H, W, 3), NaN where not known.
        objects: (H, W) ids.
    """
    known = (objects > 0) & is_known(surface)
    clean = np.where(known[..., None], surface, 0)
    edge = mixed(clean, np.where(known, objects, 0))
    for axis in (0, 1):
        ahead = _lengths(clean, objects, axis)
        usual = _usual(np.minimum(ahead, _before(ahead, axis)))
        jump = (ahead > 2 * SEAM * usual) | np.isinf(ahead)
        jump[_last(axis)] = False
        edge |= jump
        edge[_but_first(axis)] |= jump[_but_last(axis)]
    if not edge.any():
        return np.full(objects.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 3))


def frame_edge_distance(frame: Frame) -> Floats:
    """Return ``edge_distance`` of a frame with ``surface`` and ``object``, computed once."""
    if frame.edge_distance is None:
        assert frame.surface is not None and frame.object is not None
        frame.edge_distance = edge_distance(frame.surface, frame.object)
    return frame.edge_distance


def is_known(surface: Floats) -> Bools:
    """Tell (H, W) where surface coordinates (H, W, 3) are numbers of a possible size."""
    known: Bools = np.abs(surface[..., 0]) <= LARGEST
    for component in (1, 2):
        known &= np.abs(surface[..., component]) <= LARGEST
    return known


def mixed(surface: Floats, objects: npt.NDArray[np.int32]) -> Bools:
    """Mark pixels whose surface coordinates an antialiased edge has mixed from two places.

    Such a pixel steps far to both of its neighbours, along a row or a column, beside pixels that
    do not.

    Args:
        surface: (H, W, 3), finite.
        objects: (H, W) ids, 0 where there is nothing to look at.
    """
    found = np.zeros(objects.shape, bool)
    for axis in (0, 1):
        ahead = _lengths(surface, objects, axis)
        nearest = np.minimum(ahead, _before(ahead, axis))
        found |= np.isfinite(nearest) & (nearest > SEAM * _usual(nearest))
    return found


def surface_steps(surface: Floats, objects: npt.NDArray[np.int32], axis: int) -> Floats:
    """Return how the surface changes from pixel to pixel, taken on the side without an edge.

    Args:
        surface: (H, W, 3), NaN where not known.
        objects: (H, W) ids.
        axis: 0 for down, 1 for across.

    Returns:
        (H, W, 3) in surface units a pixel, 0 where not known.
    """
    ahead = _lengths(surface, objects, axis)
    behind = _before(ahead, axis)
    forward = np.zeros(surface.shape, np.float32)
    np.subtract(surface[_but_first(axis)], surface[_but_last(axis)], out=forward[_but_last(axis)])
    forward[np.isinf(ahead)] = 0
    backward = np.zeros_like(forward)
    backward[_but_first(axis)] = forward[_but_last(axis)]
    smaller = np.minimum(ahead, behind)
    both = (np.maximum(ahead, behind) <= SEAM * smaller) & np.isfinite(smaller)
    one = np.where((ahead <= behind)[..., None], forward, backward)
    return np.where(both[..., None], (forward + backward) / 2, one)


def _lengths(surface: Floats, objects: npt.NDArray[np.int32], axis: int) -> Floats:
    """Return (H, W) how far the surface steps to the next pixel; infinite to another object."""
    result = np.full(objects.shape, np.inf, np.float32)
    after, before = surface[_but_first(axis)], surface[_but_last(axis)]
    square = np.zeros(after.shape[:2], np.float32)
    for component in range(3):
        step = after[..., component] - before[..., component]
        square += step * step
    unknown = np.isnan(square)
    unknown |= objects[_but_first(axis)] != objects[_but_last(axis)]
    np.sqrt(square, out=square)
    square[unknown] = np.inf
    result[_but_last(axis)] = square
    return result


def _before(lengths: Floats, axis: int) -> Floats:
    """Return (H, W) how far the surface steps from the last pixel."""
    result = np.full(lengths.shape, np.inf, np.float32)
    result[_but_first(axis)] = lengths[_but_last(axis)]
    return result


def _but_first(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(1, None),)


def _but_last(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(None, -1),)


def _last(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(-1, None),)


def _usual(lengths: Floats) -> Floats:
    """Return the smallest length among each pixel and its eight neighbours."""
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(lengths, square, borderType=cv2.BORDER_REPLICATE))


class _Solved(NamedTuple):
    """Offsets in pixels from a keyframe pixel, and how far the point is from being seen there."""

    dx: npt.NDArray[Any]
    dy: npt.NDArray[Any]
    miss: npt.NDArray[Any]
    """Up to 1 the point is seen."""


class SurfaceIndex:
    """The visible surface points of one keyframe, ready to be looked up.

    Args:
        surface: (H, W, 3) rest-position coordinates, NaN where not known.
        objects: (H, W) ids; 0 (background) and −1 (several) are not looked up.
    """

    def __init__(self, surface: Floats, objects: npt.NDArray[np.int32]) -> None:
        self.height, self.width = objects.shape
        known = (objects > 0) & is_known(surface)
        self._ids = np.unique(objects[known])
        clean = np.where(known[..., None], surface, 0).astype(np.float32)
        known &= ~mixed(clean, np.where(known, self._dense(objects), 0))
        self._surface = np.where(known[..., None], surface, 0).astype(np.float32)
        self._objects = np.where(known, self._dense(objects), 0)
        self._steps_x, self._steps_y = (
            surface_steps(self._surface, self._objects, axis) for axis in (1, 0)
        )
        self.footprint = np.sqrt(
            ((self._steps_x**2).sum(-1) + (self._steps_y**2).sum(-1)) / 2
        ).astype(np.float32)
        self._pixels = np.flatnonzero(known)
        points = self._surface.reshape(-1, 3)[self._pixels].astype(np.float64)
        self._apart = 4 * float(np.ptp(points, axis=0).max()) + 1 if len(points) else 1.0
        usual = np.quantile(self.footprint[known], 0.99) if len(points) else 0.0
        self._farthest = 2 * float(usual)
        flat_objects = self._objects.reshape(-1)[self._pixels]
        self._tree = cKDTree(self._features(points, flat_objects), balanced_tree=False)
        self.resampler = Resampler(self._objects)

    def locate(self, surface: Floats, objects: npt.NDArray[np.int32]) -> Located:
        """Find the surface points of a frame in this keyframe.

        Args:
            surface, objects: (H, W, 3) and (H, W) of the frame, any size, as in the constructor.

        Returns:
            Positions in the keyframe for every pixel of the frame; background, unknown surface,
            surface that the keyframe does not see and other objects are not valid.
        """
        shape = objects.shape
        wanted = np.isin(objects, self._ids) & is_known(surface)
        wanted &= ~mixed(np.where(wanted[..., None], surface, 0), np.where(wanted, objects, 0))
        found = Located(
            x=np.zeros(shape, np.float32),
            y=np.zeros(shape, np.float32),
            valid=np.zeros(shape, bool),
            stretch=np.zeros(shape, np.float32),
        )
        if not len(self._pixels):
            return found
        places = np.flatnonzero(wanted)
        all_points, all_objects = surface.reshape(-1, 3), objects.reshape(-1)
        for start in range(0, len(places), AT_ONCE):
            part = places[start : start + AT_ONCE]
            points = all_points[part].astype(np.float32)
            self._locate_points(points, self._dense(all_objects[part]), part, found)
        return found

    def _locate_points(
        self,
        points: Floats,
        ids: npt.NDArray[np.int32],
        places: npt.NDArray[np.intp],
        found: Located,
    ) -> None:
        """Write where N points (N, 3) of objects are seen into these places of ``found``."""
        _, nearest = self._tree.query(
            self._features(points, ids), distance_upper_bound=self._farthest, workers=-1
        )
        near = nearest < len(self._pixels)
        places, points, ids = places[near], points[near], ids[near]
        pixel = self._pixels[nearest[near]]
        solved = self._solve(pixel, points)
        for _ in range(2):
            moved = self._step_towards(pixel, solved, ids)
            again = self._solve(moved, points)
            better = again.miss < solved.miss
            pixel = np.where(better, moved, pixel)
            solved = _Solved(
                *(np.where(better, new, old) for new, old in zip(again, solved, strict=True))
            )
        rows, columns = np.divmod(pixel, self.width)
        found.x.reshape(-1)[places] = columns + solved.dx
        found.y.reshape(-1)[places] = rows + solved.dy
        found.valid.reshape(-1)[places] = solved.miss <= 1
        found.stretch.reshape(-1)[places] = self.footprint.reshape(-1)[pixel]

    def _features(self, points: npt.NDArray[Any], ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([points, ids[:, None] * self._apart], axis=1)

    def _dense(self, objects: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Number the objects of this keyframe 1, 2, 3 …"""
        return (np.searchsorted(self._ids, objects) + 1).astype(np.int32)

    def _solve(self, pixel: npt.NDArray[np.intp], points: Floats) -> _Solved:
        """Least squares for the offset in pixels from ``pixel`` to each surface point."""
        along_x = self._steps_x.reshape(-1, 3)[pixel]
        along_y = self._steps_y.reshape(-1, 3)[pixel]
        offset = points - self._surface.reshape(-1, 3)[pixel]
        xx, yy, xy = _dot(along_x, along_x), _dot(along_y, along_y), _dot(along_x, along_y)
        ox, oy = _dot(along_x, offset), _dot(along_y, offset)
        damping = 1e-4 * (xx + yy) + 1e-20
        xx, yy = xx + damping, yy + damping
        determinant = xx * yy - xy * xy
        dx, dy = (yy * ox - xy * oy) / determinant, (xx * oy - xy * ox) / determinant
        off = offset - along_x * dx[:, None] - along_y * dy[:, None]
        footprint = self.footprint.reshape(-1)[pixel] + 1e-10
        miss = np.maximum(
            np.maximum(np.abs(dx), np.abs(dy)) / REACH,
            np.sqrt(_dot(off, off)) / (OFF_SURFACE * footprint),
        )
        return _Solved(np.clip(dx, -1, 1), np.clip(dy, -1, 1), miss)

    def _step_towards(
        self, pixel: npt.NDArray[np.intp], solved: _Solved, ids: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.intp]:
        rows, columns = np.divmod(pixel, self.width)
        columns = np.clip(columns + np.rint(solved.dx).astype(np.intp), 0, self.width - 1)
        rows = np.clip(rows + np.rint(solved.dy).astype(np.intp), 0, self.height - 1)
        moved = rows * self.width + columns
        return np.where(self._objects.reshape(-1)[moved] == ids, moved, pixel)


class KeyProjector:
    """Carries the paint and the own picture of one keyframe to any frame.

    Args:
        surface, objects: as for ``SurfaceIndex``, of the keyframe.
        paint: (H, W, 3) the painting, 0..1, display-referred.
        image: (H, W, 3) the keyframe's own picture, 0..1, display-referred.
        mask: (H, W) the part of the painting that counts; nothing else is projected.

    Attributes:
        strokes: (H, W, 3) of the painting, to be carried too; None where there are none.
    """

    def __init__(
        self,
        surface: Floats,
        objects: npt.NDArray[np.int32],
        paint: Floats,
        image: Floats,
        mask: Bools,
    ) -> None:
        self._index = SurfaceIndex(surface, np.where(mask, objects, 0))
        self._paint, self._image = paint, image
        self.strokes: Floats | None = None
        self._edge = np.minimum(edge_distance(surface, objects), FAR)
        self._outline = outline_reach(objects.shape[1])

    def project(self, frame: Frame) -> Projected:
        """Carry the keyframe to a frame of its size, or a window of one, with its surface."""
        assert frame.surface is not None and frame.object is not None
        located = self._index.locate(frame.surface, frame.object)
        here = np.minimum(frame_edge_distance(frame), FAR)
        there = self._index.resampler.sample(self._edge[..., None], located)[..., 0]
        near, far = np.minimum(here, there), np.maximum(here, there)
        outline = near <= self._outline
        moved = outline & (far > near + OUTLINE_SLIP) & located.valid
        located = dataclasses.replace(located, valid=located.valid & ~moved)
        strokes = self.strokes
        if strokes is not None:
            strokes = self._index.resampler.sample(strokes, located)
        return Projected(
            paint=self._index.resampler.sample(self._paint, located),
            image=self._index.resampler.sample(self._image, located),
            valid=located.valid,
            stretch=located.stretch,
            outline=outline,
            moved=moved,
            strokes=strokes,
        )


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", a, b), np.float32)
