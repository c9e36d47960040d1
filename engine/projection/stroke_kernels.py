# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiled loops of ``stroke_residuals``: texture synthesis from keyframe pixels.

Space is divided into cubic cells. Each corner of the lattice picks one keyframe pixel as its
anchor, by a hash of the corner's coordinates, the object and the direction that the surface faces.
A surface point blends the residuals around the anchors of the eight corners of its cell, at the
offsets that it has from the corners in its tangent plane.
"""

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
"""Side of a cell, in pixels of the keyframe."""
SHARPNESS_DOUBLINGS = 2
"""How often trilinear weights are squared; more makes the transition between corners narrower."""
LEAST_WEIGHT = 1e-6
"""Corners of a smaller weight are skipped."""
LEAST_SIZE = 0.1
"""Surface foreshortened more than this (minor to major axis) is no source."""
TRIES = 12
"""How many random pixels a corner chooses its anchor from."""
SLOTS = 1024
"""Size of the hash table that keeps anchors from row to row; a power of 2."""
GOLDEN = np.uint32(0x9E3779B1)
"""2³² divided by the golden ratio, which spreads consecutive numbers."""


class SourcePixels(NamedTuple):
    """Pixels of keyframes that may become anchors; each array has N elements.

    Attributes:
        source: number of the keyframe.
        x, y: position in pixels.
        objects: id of the object.
        footprint: side of the pixel in surface units.
        facing: which of six directions the surface faces most, 0..5.
        room: distance in pixels to the border of the usable area, at most ``CELL``.
        strength: mean magnitude of the residual around the pixel.
        to_pixels: (N, 4), 2×2 matrix from lengths along the tangent plane's axes to x, y in pixels.
    """

    source: npt.NDArray[np.int16]
    x: FloatArray
    y: FloatArray
    objects: npt.NDArray[np.int32]
    footprint: FloatArray
    facing: npt.NDArray[np.int16]
    room: FloatArray
    strength: FloatArray
    to_pixels: FloatArray


class Residuals(NamedTuple):
    """Residuals of all keyframes in one array.

    Attributes:
        values: (N, 4) float32, the pixels of all keyframes: residual (3), and 1 where it is usable.
        shapes: (K, 3), for each keyframe the index of its first pixel, its height and its width.
    """

    values: FloatArray
    shapes: npt.NDArray[np.int64]


@compiled
def normalize(normals: FloatArray) -> None:
    """Normalize vectors (H, W, 3) in place; zero vectors become (0, 0, 1)."""
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
def surface_normals(across: FloatArray, down: FloatArray, result: FloatArray) -> None:
    """Compute normals (H, W, 3) from the surface's derivatives; 0 where these are 0."""
    height, width = across.shape[:2]
    for row in range(height):
        for column in range(width):
            x, y, z = _cross(_vector(across, row, column), _vector(down, row, column))
            length = max(np.float32(np.sqrt(x * x + y * y + z * z)), np.float32(1e-20))
            result[row, column, 0] = x / length
            result[row, column, 1] = y / length
            result[row, column, 2] = z / length


@compiled
def flatten_surface(
    taken: BoolArray,
    normals: FloatArray,
    across: FloatArray,
    down: FloatArray,
    size: FloatArray,
    facing: npt.NDArray[np.int16],
    to_pixels: FloatArray,
) -> None:
    """Compute the map between pixels and the surface's tangent plane.

    Args:
        taken: (H, W), pixels to compute.
        normals, across, down: (H, W, 3), normals and derivatives of the surface.
        size: (H, W), receives the side of the pixel in surface units; stays 0 where the surface is
            foreshortened too much.
        facing: (H, W), receives which of six directions the surface faces most.
        to_pixels: (H, W, 4), receives ``SourcePixels.to_pixels``.
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
def borrow_strokes(
    wanted: FloatArray,
    surface: FloatArray,
    normals: FloatArray,
    cell: float,
    identity: int,
    mine: npt.NDArray[np.intp],
    pixels: SourcePixels,
    residuals: Residuals,
    result: FloatArray,
) -> None:
    """Synthesize strokes for the surface of one object.

    Args:
        wanted: (H, W), strength of the strokes, 0..1; pixels of 0 are skipped.
        surface, normals: (H, W, 3).
        cell: side of a cell in surface units.
        identity: id of the object.
        mine: (M), indices of the object's pixels in ``pixels``.
        pixels, residuals: of all keyframes.
        result: (H, W, 3), receives the strokes, differences of paint 0..1.
    """
    height, width = wanted.shape
    anchors, keys, table = np.zeros(8, np.intp), np.full(SLOTS, -1), np.zeros(SLOTS, np.intp)
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
                        table[slot] = _anchor(pixels, mine, seed, facing)
                    anchors[corner] = table[slot]
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
                    pixels, residuals, anchors[corner], _dot(offset, u), _dot(offset, v)
                )
                weight = closeness * share
                red, green, blue = red + r * weight, green + g * weight, blue + b * weight
                square += weight * weight
            strength = wanted[row, column] / np.float32(np.sqrt(max(square, np.float32(1e-12))))
            result[row, column, 0] = red * strength
            result[row, column, 1] = green * strength
            result[row, column, 2] = blue * strength


@compiled
def blend_strokes(strokes: FloatArray, others: FloatArray, share: FloatArray) -> None:
    """Blend strokes (H, W, 3) with others in place; ``share`` (H, W), 0..1, is the strokes' own."""
    height, width = share.shape
    for row in range(height):
        for column in range(width):
            own = share[row, column]
            if own < 1:
                for channel in range(3):
                    rest = (1 - own) * others[row, column, channel]
                    strokes[row, column, channel] = strokes[row, column, channel] * own + rest


@inlined
def _anchor(pixels: SourcePixels, mine: npt.NDArray[np.intp], seed: np.uint32, facing: int) -> int:
    """Choose an anchor: among a few random pixels, one with room that faces alike."""
    best, room = mine[0], -np.inf
    for attempt in range(TRIES):
        chance = hash_one(np.uint32(seed + np.uint32(attempt) * GOLDEN))
        number = int(np.float32(chance * np.float32(len(mine))))
        there = mine[min(number, len(mine) - 1)]
        found = pixels.room[there] + 2 * CELL * (pixels.facing[there] == facing)
        if found > room:
            best, room = there, found
    return int(best)


@inlined
def _sample(
    pixels: SourcePixels, residuals: Residuals, anchor: int, u: float, v: float
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Sample the residual at an offset (u, v) in an anchor's tangent plane.

    Returns:
        Red, green and blue, and a weight: 1 where usable, else nearly 0.
    """
    most = np.float32(2 * CELL)
    right = pixels.to_pixels[anchor, 0] * u + pixels.to_pixels[anchor, 1] * v
    down = pixels.to_pixels[anchor, 2] * u + pixels.to_pixels[anchor, 3] * v
    x = pixels.x[anchor] + min(max(right, -most), most)
    y = pixels.y[anchor] + min(max(down, -most), most)
    first, height, width = residuals.shapes[pixels.source[anchor]]
    left, top = int(np.floor(x)), int(np.floor(y))
    across, down = x - np.float32(left), y - np.float32(top)
    one, zero = np.float32(1), np.float32(0)
    # Pixels outside the keyframe have weight 0; their indices are clamped so that they are valid.
    before = one - across if 0 <= left < width else zero
    after = across if -1 <= left < width - 1 else zero
    above = one - down if 0 <= top < height else zero
    below = down if -1 <= top < height - 1 else zero
    near, far = _clamped(left, width), _clamped(left + 1, width)
    upper = first + _clamped(top, height) * width
    lower = first + _clamped(top + 1, height) * width
    weights = above * before, above * after, below * before, below * after
    at = upper + near, upper + far, lower + near, lower + far
    red, green = _bilinear(residuals, at, weights, 0), _bilinear(residuals, at, weights, 1)
    blue, share = _bilinear(residuals, at, weights, 2), _bilinear(residuals, at, weights, 3)
    there = max(share, np.float32(1e-6))
    return red / there, green / there, blue / there, one if share > 0.5 else np.float32(1e-3)


# ``_clamped`` and ``_vector`` have twins in ``surface_lookup``: compiled functions call only those
# of their own file, since Numba's cache on disk does not notice changes in other files.
@inlined
def _clamped(place: int, size: int) -> int:
    return min(max(place, 0), size - 1)


@inlined
def _bilinear(residuals: Residuals, at: Four, weights: Four, channel: int) -> np.float32:
    values = residuals.values
    above = weights[0] * values[at[0], channel] + weights[1] * values[at[1], channel]
    below = weights[2] * values[at[2], channel] + weights[3] * values[at[3], channel]
    mixed: np.float32 = above + below
    return mixed


@compiled
def _seed(cell: Vector, facing: int, identity: int) -> np.uint32:
    """Hash integer coordinates of a lattice corner (Teschner et al. 2003), facing and object."""
    mixed = cell[0] * 73856093 ^ cell[1] * 19349663 ^ cell[2] * 83492791
    mixed ^= facing * 2654435761 ^ identity * 40503
    return np.uint32(mixed & 0xFFFFFFFF)


@compiled
def _facing(normal: Vector) -> int:
    """Return which of the six directions ±x, ±y, ±z a normal faces most, 0..5."""
    x, y, z = normal
    axis, most = 0, x
    if abs(y) > abs(most):
        axis, most = 1, y
    if abs(z) > abs(most):
        axis, most = 2, z
    return axis * 2 + (1 if most > 0 else 0)


@compiled
def _axes(normal: Vector) -> tuple[Vector, Vector]:
    """Return two orthonormal axes of the tangent plane, which depend on the normal alone."""
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
