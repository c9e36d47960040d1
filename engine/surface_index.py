# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixel of a keyframe shows the same surface point as a pixel of a frame.

Nearest neighbours on (surface, object), then a local solve in the keyframe for the position
between pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from .resampling import Located, Resampler
from .surface_edges import is_known, mixed, surface_steps
from .window import LARGE

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

REACH = 0.9
"""How far from a keyframe pixel, in pixels, a surface point may lie to count as seen there."""
OFF_SURFACE = 0.5
"""How far off the keyframe's surface a point may lie, in footprints of its pixel."""
AT_ONCE = 1 << 20
"""Points that are looked up at once, to bound the memory."""
STRIDE = 4
"""Of so many pixels in each direction one is searched for; the others begin near it."""
ALL_SEEN = 0.999
"""Share of the searched pixels around one that must be seen, for rounding."""


class _Solved(NamedTuple):
    """Offsets in pixels from a keyframe pixel, and how far the point is from being seen there."""

    dx: npt.NDArray[Any]
    dy: npt.NDArray[Any]
    miss: npt.NDArray[Any]
    """Up to 1 the point is seen."""


class _Asked(NamedTuple):
    """Surface (N, 3) and objects (N) of all pixels of a frame, and where they are found."""

    points: Floats
    objects: npt.NDArray[np.int32]
    found: Located


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
        dense = np.where(known, self._dense(objects), 0)
        known &= ~mixed(np.where(known[..., None], surface, 0), dense)
        self._surface = np.where(known[..., None], surface, 0).astype(np.float32, copy=False)
        # Ids come from 2¹⁵ steps or an index of 16 bits, so no keyframe shows more objects.
        self._objects = np.where(known, dense, 0).astype(np.uint16)
        self._steps_x, self._steps_y = (
            surface_steps(self._surface, self._objects, axis) for axis in (1, 0)
        )
        square = np.einsum("ijk,ijk->ij", self._steps_x, self._steps_x)
        square += np.einsum("ijk,ijk->ij", self._steps_y, self._steps_y)
        self.footprint: Floats = np.sqrt(square / 2)
        self.resampler = Resampler(self._objects)
        self._pixels = np.flatnonzero(self._searched(known))
        points = self._surface.reshape(-1, 3)[self._pixels].astype(np.float64)
        self._apart = 4 * float(np.ptp(points, axis=0).max()) + 1 if len(points) else 1.0
        usual = np.quantile(self.footprint[known], 0.99) if len(points) else 0.0
        self._farthest = 2 * float(usual)
        flat_objects = self._objects.reshape(-1)[self._pixels]
        self._tree = cKDTree(self._features(points, flat_objects), balanced_tree=False)

    def _searched(self, known: Bools) -> Bools:
        """Return which pixels are searched; of large pictures not all, but all thin parts."""
        if known.size <= LARGE:
            return known
        some = ~self.resampler.inside
        some[::2, ::2] = True
        return known & some

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
        asked = _Asked(surface.reshape(-1, 3), objects.reshape(-1), found)
        coarse = np.zeros(shape, bool)
        coarse[::STRIDE, ::STRIDE] = wanted[::STRIDE, ::STRIDE]
        self._look_up(asked, np.flatnonzero(coarse))
        rest = np.flatnonzero(wanted & ~coarse)
        self._look_up(asked, rest[~self._follow_neighbours(asked, rest)])
        return found

    def _follow_neighbours(self, asked: _Asked, places: npt.NDArray[np.intp]) -> Bools:
        """Look where the places of the coarse grid around each place lead to; tell which are seen.

        Neighbours on a surface are neighbours in the keyframe, so most need no search.
        """
        found = asked.found
        x, y, valid = (
            _spread(values[::STRIDE, ::STRIDE], found.valid.shape)
            for values in (found.x, found.y, found.valid)
        )
        columns = np.rint(x.reshape(-1)[places]).astype(np.intp).clip(0, self.width - 1)
        rows = np.rint(y.reshape(-1)[places]).astype(np.intp).clip(0, self.height - 1)
        pixel = rows * self.width + columns
        ids = self._dense(asked.objects[places])
        seen = valid.reshape(-1)[places] > ALL_SEEN
        seen &= self._objects.reshape(-1)[pixel] == ids
        near = np.flatnonzero(seen)
        for part in _parts(near):
            seen[part] = self._locate_from(asked, places[part], pixel[part], ids[part])
        return seen

    def _look_up(self, asked: _Asked, places: npt.NDArray[np.intp]) -> None:
        """Search the whole keyframe for these places."""
        for part in _parts(places):
            ids = self._dense(asked.objects[part])
            features = self._features(asked.points[part].astype(np.float64), ids)
            _, nearest = self._tree.query(features, distance_upper_bound=self._farthest, workers=-1)
            near = nearest < len(self._pixels)
            self._locate_from(asked, part[near], self._pixels[nearest[near]], ids[near])

    def _locate_from(
        self,
        asked: _Asked,
        places: npt.NDArray[np.intp],
        pixel: npt.NDArray[np.intp],
        ids: npt.NDArray[np.int32],
    ) -> Bools:
        """Note where N places are seen near a pixel of the keyframe each; tell which are."""
        points = asked.points[places].astype(np.float32)
        solved = self._solve(pixel, points)
        moving = np.arange(len(pixel))
        for _ in range(2):
            moved = self._step_towards(
                pixel[moving], _Solved(*(part[moving] for part in solved)), ids[moving]
            )
            moves = moved != pixel[moving]
            moving, moved = moving[moves], moved[moves]
            again = self._solve(moved, points[moving])
            better = again.miss < solved.miss[moving]
            moving, moved = moving[better], moved[better]
            pixel[moving] = moved
            for part, new in zip(solved, again, strict=True):
                part[moving] = new[better]
        rows, columns = np.divmod(pixel, self.width)
        seen: Bools = solved.miss <= 1
        found = asked.found
        found.x.reshape(-1)[places] = columns + solved.dx
        found.y.reshape(-1)[places] = rows + solved.dy
        found.valid.reshape(-1)[places] = seen
        found.stretch.reshape(-1)[places] = self.footprint.reshape(-1)[pixel]
        return seen

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


def _spread(values: npt.NDArray[Any], shape: tuple[int, ...]) -> Floats:
    """Interpolate values of every ``STRIDE``-th pixel over (H, W); the last ones go on."""
    columns, rows = (np.arange(size, dtype=np.float32) / STRIDE for size in shape[::-1])
    x = np.broadcast_to(columns, shape)
    y = np.broadcast_to(rows[:, None], shape)
    return np.asarray(
        cv2.remap(
            values.astype(np.float32),
            np.ascontiguousarray(x),
            np.ascontiguousarray(y),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def _parts(places: npt.NDArray[np.intp]) -> Iterator[npt.NDArray[np.intp]]:
    for start in range(0, len(places), AT_ONCE):
        yield places[start : start + AT_ONCE]


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", a, b), np.float32)
