# SPDX-License-Identifier: GPL-3.0-or-later
"""Loops of ``stroke_residuals``: which place of a keyframe lends its strokes to a surface point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..images.hashing import hash_one
from ..images.jit import compiled, inlined
from ..images.types import BoolArray, FloatArray

Vector = tuple[Any, Any, Any]
Four = tuple[Any, Any, Any, Any]

CELL = 24.0
"""Side of a cell in pixels of the keyframe."""
SHARPNESS_DOUBLINGS = 2
"""The cells' weights are squared so many times: the more often, the narrower they overlap."""
LEAST_WEIGHT = 1e-6
"""Cells that count less than this beside others are left out."""
LEAST_SIZE = 0.1
"""Surface seen at a steeper slant than this lends nothing."""
TRIES = 12
"""Places that a cell chooses from."""
SLOTS = 1024
"""Places chosen by cells that are kept for the next row, which meets the same; a power of 2."""
GOLDEN = np.uint32(0x9E3779B1)


class Places(NamedTuple):
    """Pixels of keyframes that lend: where they are, how they face, how roomy they are, (N)."""

    source: npt.NDArray[np.int16]
    x: FloatArray
    y: FloatArray
    objects: npt.NDArray[np.int32]
    footprint: FloatArray
    facing: npt.NDArray[np.int16]
    room: FloatArray
    strength: FloatArray
    to_pixels: FloatArray
    """(N, 4): from lengths along the tangent plane's axes to x and to y in pixels."""


class Residues(NamedTuple):
    """Pictures of any sizes in one array: (N, 4), pixel by pixel, and which is where.

    The fourth channel tells where there is any residue. ``shapes`` are (first, height, width).
    """

    values: FloatArray
    shapes: npt.NDArray[np.int64]


@compiled
def smooth(normals: FloatArray) -> None:
    """Give vectors (H, W, 3), means of normals, unit length; those of none become 0, 0, 1."""
    height, width = normals.shape[:2]
    for row in range(height):
        for column in range(width):
            x, y, z = _vector(normals, row, column)
            length = np.float32(np.sqrt(x * x + y * y + z * z))
            if length <= np.float32(1e-6):
                x, y, z, length = np.float32(0), np.float32(0), np.float32(1), np.float32(1)
            normals[row, column, 0] = x / length
            normals[row, column, 1] = y / length
            normals[row, column, 2] = z / length


@compiled
def normals_of(across: FloatArray, down: FloatArray, result: FloatArray) -> None:
    """Find the normals (H, W, 3) of a surface from its steps; 0 where it has none."""
    height, width = across.shape[:2]
    for row in range(height):
        for column in range(width):
            x, y, z = _cross(_vector(across, row, column), _vector(down, row, column))
            length = max(np.float32(np.sqrt(x * x + y * y + z * z)), np.float32(1e-20))
            result[row, column, 0] = x / length
            result[row, column, 1] = y / length
            result[row, column, 2] = z / length


@compiled
def lay_flat(
    taken: BoolArray,
    normals: FloatArray,
    across: FloatArray,
    down: FloatArray,
    size: FloatArray,
    facing: npt.NDArray[np.int16],
    to_pixels: FloatArray,
) -> None:
    """Find how surface lies in its tangent plane, where it is taken (H, W).

    Args:
        taken: which pixels, (H, W).
        normals, across, down: of the surface, (H, W, 3).
        size: takes the side of a pixel, (H, W); 0 where the surface is too slanted to lend.
        facing: takes which of six directions the surface faces most, (H, W).
        to_pixels: takes ``Places.to_pixels``, (H, W, 4).
    """
    height, width = taken.shape
    for row in range(height):
        for column in range(width):
            if not taken[row, column]:
                continue
            normal = _vector(normals, row, column)
            u, v = _axes(normal)
            one, other = _vector(across, row, column), _vector(down, row, column)
            a, b, c, d = _dot(u, one), _dot(u, other), _dot(v, one), _dot(v, other)
            area = a * d - b * c
            side = np.float32(np.sqrt(abs(area)))
            if not side > np.float32(LEAST_SIZE) * np.hypot(np.hypot(a, b), np.hypot(c, d)):
                continue
            size[row, column], facing[row, column] = side, _facing(normal)
            to_pixels[row, column, 0], to_pixels[row, column, 1] = d / area, -b / area
            to_pixels[row, column, 2], to_pixels[row, column, 3] = -c / area, a / area


@compiled
def borrow(
    wanted: FloatArray,
    surface: FloatArray,
    normals: FloatArray,
    cell: float,
    identity: int,
    mine: npt.NDArray[np.intp],
    places: Places,
    residues: Residues,
    result: FloatArray,
) -> None:
    """Mix strokes of the cells around each wanted point of one object.

    Args:
        wanted: (H, W), how strong the strokes are to be.
        surface, normals: (H, W, 3).
        cell: side of a cell in surface units.
        identity: the object.
        mine: places of it that lend, (N).
        places, residues: of all keyframes.
        result: takes the strokes, (H, W, 3), differences of paint.
    """
    height, width = wanted.shape
    anchors, keys, kept = np.zeros(8, np.intp), np.full(SLOTS, -1), np.zeros(SLOTS, np.intp)
    last_x = last_y = last_z = last_facing = -1
    known, one = False, np.float32(1)
    for row in range(height):
        for column in range(width):
            if wanted[row, column] == 0:
                continue
            normal = _vector(normals, row, column)
            facing = _facing(normal)
            u, v = _axes(normal)
            px, py, pz = _vector(surface, row, column)
            lx, ly, lz = px / np.float32(cell), py / np.float32(cell), pz / np.float32(cell)
            x, y, z = int(np.floor(lx)), int(np.floor(ly)), int(np.floor(lz))
            is_last = x == last_x and y == last_y and z == last_z and facing == last_facing
            if not (known and is_last):
                for corner in range(8):
                    at = x + (corner >> 2), y + (corner >> 1 & 1), z + (corner & 1)
                    seed = _seed(at, facing, identity)
                    slot = int(seed) & (SLOTS - 1)
                    if keys[slot] != 8 * int(seed) + facing:
                        keys[slot] = 8 * int(seed) + facing
                        kept[slot] = _anchor(places, mine, seed, facing)
                    anchors[corner] = kept[slot]
                known, last_x, last_y, last_z, last_facing = True, x, y, z, facing
            red = green = blue = square = np.float32(0)
            across, down, deep = lx - np.float32(x), ly - np.float32(y), lz - np.float32(z)
            for corner in range(8):
                right, below, behind = corner >> 2, corner >> 1 & 1, corner & 1
                closeness = across if right else one - across
                closeness *= down if below else one - down
                closeness *= deep if behind else one - deep
                for _ in range(SHARPNESS_DOUBLINGS):
                    closeness *= closeness
                if closeness < np.float32(LEAST_WEIGHT):
                    continue
                at_x, at_y, at_z = x + right, y + below, z + behind
                offset = (
                    px - np.float32(at_x * cell),
                    py - np.float32(at_y * cell),
                    pz - np.float32(at_z * cell),
                )
                r, g, b, share = _sample(
                    places, residues, anchors[corner], _dot(offset, u), _dot(offset, v)
                )
                weight = closeness * share
                red, green, blue = red + r * weight, green + g * weight, blue + b * weight
                square += weight * weight
            strength = wanted[row, column] / np.float32(np.sqrt(max(square, np.float32(1e-12))))
            result[row, column, 0] = red * strength
            result[row, column, 1] = green * strength
            result[row, column, 2] = blue * strength


@compiled
def mix(strokes: FloatArray, others: FloatArray, share: FloatArray) -> None:
    """Take a share (H, W), 0..1, of strokes (H, W, 3), in place, and the rest of others."""
    height, width = share.shape
    for row in range(height):
        for column in range(width):
            own = share[row, column]
            if own < 1:
                for channel in range(3):
                    rest = (1 - own) * others[row, column, channel]
                    strokes[row, column, channel] = strokes[row, column, channel] * own + rest


@inlined
def _anchor(places: Places, mine: npt.NDArray[np.intp], seed: np.uint32, facing: int) -> int:
    """Choose for a cell the roomiest of a few random places that face alike."""
    best, room = mine[0], -np.inf
    for attempt in range(TRIES):
        chance = hash_one(np.uint32(seed + np.uint32(attempt) * GOLDEN))
        number = int(np.float32(chance * np.float32(len(mine))))
        there = mine[min(number, len(mine) - 1)]
        found = places.room[there] + 2 * CELL * (places.facing[there] == facing)
        if found > room:
            best, room = there, found
    return int(best)


@inlined
def _sample(
    places: Places, residues: Residues, anchor: int, u: float, v: float
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Fetch residue at an offset in the tangent plane of a place, and how much it counts."""
    most = np.float32(2 * CELL)
    right = places.to_pixels[anchor, 0] * u + places.to_pixels[anchor, 1] * v
    down = places.to_pixels[anchor, 2] * u + places.to_pixels[anchor, 3] * v
    x = places.x[anchor] + min(max(right, -most), most)
    y = places.y[anchor] + min(max(down, -most), most)
    first, height, width = residues.shapes[places.source[anchor]]
    left, top = int(np.floor(x)), int(np.floor(y))
    across, down = x - np.float32(left), y - np.float32(top)
    one, zero = np.float32(1), np.float32(0)
    # What lies outside counts nothing; its place is clamped, so that it can be read.
    before = one - across if 0 <= left < width else zero
    after = across if -1 <= left < width - 1 else zero
    above = one - down if 0 <= top < height else zero
    below = down if -1 <= top < height - 1 else zero
    near, far = _clamped(left, width), _clamped(left + 1, width)
    upper = first + _clamped(top, height) * width
    lower = first + _clamped(top + 1, height) * width
    weights = above * before, above * after, below * before, below * after
    at = upper + near, upper + far, lower + near, lower + far
    red, green = _mixed(residues, at, weights, 0), _mixed(residues, at, weights, 1)
    blue, share = _mixed(residues, at, weights, 2), _mixed(residues, at, weights, 3)
    there = max(share, np.float32(1e-6))
    return red / there, green / there, blue / there, one if share > 0.5 else np.float32(1e-3)


# ``_clamped`` and ``_vector`` have twins in ``surface_lookup``: compiled functions call only those
# of their own file, since Numba's cache on disk does not notice changes in other files.
@inlined
def _clamped(place: int, size: int) -> int:
    return min(max(place, 0), size - 1)


@inlined
def _mixed(residues: Residues, at: Four, weights: Four, channel: int) -> np.float32:
    values = residues.values
    above = weights[0] * values[at[0], channel] + weights[1] * values[at[1], channel]
    below = weights[2] * values[at[2], channel] + weights[3] * values[at[3], channel]
    mixed: np.float32 = above + below
    return mixed


@compiled
def _seed(cell: Vector, facing: int, identity: int) -> np.uint32:
    mixed = cell[0] * 73856093 ^ cell[1] * 19349663 ^ cell[2] * 83492791
    mixed ^= facing * 2654435761 ^ identity * 40503
    return np.uint32(mixed & 0xFFFFFFFF)


@compiled
def _facing(normal: Vector) -> int:
    """Return which of six directions a normal faces most."""
    x, y, z = normal
    axis, most = 0, x
    if abs(y) > abs(most):
        axis, most = 1, y
    if abs(z) > abs(most):
        axis, most = 2, z
    return axis * 2 + (1 if most > 0 else 0)


@compiled
def _axes(normal: Vector) -> tuple[Vector, Vector]:
    """Return two axes of the tangent plane, alike wherever the surface faces alike."""
    zero, one = np.float32(0), np.float32(1)
    steep = abs(normal[2]) > np.float32(0.9)
    x, y, z = _cross((zero, one if steep else zero, zero if steep else one), normal)
    length = max(np.float32(np.sqrt(x * x + y * y + z * z)), np.float32(1e-6))
    u = (x / length, y / length, z / length)
    return u, _cross(normal, u)


@compiled
def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@compiled
def _dot(a: Vector, b: Vector) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def _vector(values: FloatArray, row: int, column: int) -> Vector:
    return values[row, column, 0], values[row, column, 1], values[row, column, 2]
