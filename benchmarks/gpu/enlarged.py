# SPDX-License-Identifier: GPL-3.0-or-later
"""A large shot made of a small one, because captured 1080p frames would make the kit too large."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np

from benchmarks.speed.extents import FileJob
from engine.images.pictures import read_picture, write_picture
from engine.images.types import FloatArray
from engine.shared.errors import PaintoverError
from engine.shared.manifest import FrameRecord
from engine.shared.passes import SURFACE_AOV
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot

from .exr import rewrite

APART = 16.0
"""Offset between tiles in surface coordinates, so that no two tiles show the same surface."""


def enlarge(shot: Shot, job: FileJob, folder: Path) -> Path:
    """Make a shot of large frames, each tiled with a part of one of the small shot's frames.

    Args:
        shot: captured, with surface coordinates.
        job: size and number of frames; the frames of the small shot are repeated if needed.
        folder: the shot folder to make.

    Returns:
        The folder.

    Raises:
        PaintoverError: the size is not a multiple of that of equal tiles.
    """
    small, size = shot.manifest, job.size
    times = max(-(-size.height // small.height), -(-size.width // small.width))
    high, wide = size.height // times, size.width // times
    if (high * times, wide * times) != (size.height, size.width):
        raise PaintoverError(f"{size} cannot be made of {times}×{times} tiles.")
    tiles = (times, times, 1)
    rows, columns = np.divmod(np.arange(times * times), times)

    def tiled(values: FloatArray, name: str) -> FloatArray:
        result: FloatArray = np.tile(values[:high, :wide], tiles)
        if name == SURFACE_AOV:  # its colours are weighted by coverage, which is its alpha
            for row, column in zip(rows, columns, strict=True):
                part = result[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
                part[..., 0] += APART * column * part[..., 3]
                part[..., 1] += APART * row * part[..., 3]
        return result

    manifest = dataclasses.replace(small, width=size.width, height=size.height, frames={})
    large = Shot(folder, dataclasses.replace(manifest, frame_start=1, frame_end=job.frames))
    for index in range(job.frames):
        source, target = shot.frames[index % len(shot.frames)], index + 1
        first = 1 + index % len(shot.frames)
        picture, passes = large.image_path(target), large.passes_path(target)
        if first < target:
            os.link(large.image_path(first), picture)
            os.link(large.passes_path(first), passes)
        else:
            pixels = read_picture(shot.image_path(source)).pixels
            write_picture(picture, np.tile(pixels[:high, :wide], tiles))
            rewrite(shot.passes_path(source), passes, change=tiled)
        record = FrameRecord(digest_picture(picture), digest_picture(passes))
        camera = small.frames[source].camera
        large.manifest.frames[target] = dataclasses.replace(record, camera=camera)
    large.save()
    return folder
