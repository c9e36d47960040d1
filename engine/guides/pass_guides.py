# SPDX-License-Identifier: GPL-3.0-or-later
"""Guides that show one pass, the picture, or an extra guide picture of the frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..frames.frame import EXTRA_GUIDE, Frame
from ..images.hashing import hash_one
from ..images.jit import compiled
from ..images.pictures import has_alpha, picture_size, read_picture
from ..images.types import FloatArray
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from .base import Guide


def shot_is_transparent(shot: Shot) -> bool:
    """Return whether the first, middle or last picture of a shot has a pixel with alpha below 1.

    A missing or damaged picture counts as opaque; reading the frame itself will report it.
    """
    frames = shot.frames
    chosen = {frames[0], frames[len(frames) // 2], frames[-1]} if frames else set()
    size = shot.manifest.width, shot.manifest.height
    return any(_is_transparent(shot.image_path(frame), size) for frame in sorted(chosen))


def _is_transparent(path: Path, size: tuple[int, int]) -> bool:
    try:
        is_possible = picture_size(path) == size and has_alpha(path)
        alpha = read_picture(path).alpha if is_possible else None
    except PaintoverError:
        return False
    return alpha is not None and bool((alpha < 1).any())


def _signed(values: FloatArray, result: FloatArray) -> None:
    """Convert (H, W, C), 0..1, to (C, H, W), −1..1."""
    np.multiply(np.moveaxis(values, 2, 0), 2, out=result)
    result -= 1


def _lacking(name: str, frame: Frame) -> PaintoverError:
    return PaintoverError(
        f'Frame {frame.number} lacks what the guide "{name}" needs; capture it again.'
    )


class Colour(Guide):
    """The picture; colours are grey where alpha is 0."""

    name = "colour"
    needs = ("image",)
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the picture's display-referred colours, mapped from 0..1 to −1..1."""
        _spread(frame.image, frame.alpha, result)


@compiled
def _spread(image: FloatArray, alpha: FloatArray, result: FloatArray) -> None:
    """Convert the picture (H, W, 3), 0..1, to (3, H, W), −1..1; 0 where alpha is 0."""
    height, width = alpha.shape
    for row in range(height):
        for column in range(width):
            for channel in range(3):
                value = 2 * image[row, column, channel] - 1 if alpha[row, column] > 0 else 0
                result[channel, row, column] = value


class Alpha(Guide):
    """The frame's alpha."""

    name = "alpha"
    needs = ("alpha",)
    channels = 1

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write alpha, mapped from 0..1 to −1..1."""
        _signed(frame.alpha[..., None], result)


class Normal(Guide):
    """World-space normals."""

    name = "normal"
    needs = ("normal",)
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the normals, −1..1, unchanged."""
        if frame.normal is None:
            raise _lacking(self.name, frame)
        result[:] = np.moveaxis(frame.normal, 2, 0)


class Albedo(Guide):
    """The albedo pass: surface colours without light."""

    name = "albedo"
    needs = ("albedo",)
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the display-referred albedo, mapped from 0..1 to −1..1."""
        if frame.albedo is None:
            raise _lacking(self.name, frame)
        _signed(frame.albedo, result)


class ObjectColour(Guide):
    """A random colour for each object, the same in every shot and frame."""

    name = "object"
    needs = ("object",)
    channels = 3

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write three hashes of the object's id, −1..1; 0 for ids below 1."""
        if frame.object is None:
            raise _lacking(self.name, frame)
        _hash_ids(frame.object, result)


@compiled
def _hash_ids(objects: npt.NDArray[np.int32], result: FloatArray) -> None:
    height, width = objects.shape
    for row in range(height):
        for column in range(width):
            identity = int(objects[row, column])
            for channel in range(3):
                unit = hash_one(np.uint32(3 * identity + channel))
                result[channel, row, column] = 2 * unit - 1 if identity > 0 else 0


class Extra(Guide):
    """The pictures of an extra guide folder; ``name`` is ``guide:NAME``."""

    channels = 3

    def __init__(self, name: str) -> None:
        self.name = name
        self.needs = (name,)

    def fill(self, frame: Frame, result: FloatArray) -> None:
        """Write the guide picture's colours, mapped from 0..1 to −1..1."""
        picture = frame.guides.get(self.name.removeprefix(EXTRA_GUIDE))
        if picture is None:
            raise _lacking(self.name, frame)
        _signed(picture, result)
