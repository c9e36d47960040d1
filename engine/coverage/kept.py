# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what frames see in the shot folder's cache, so that new paintings cost little."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..images.array_files import Arrays, checked_array, read_arrays, write_arrays
from ..images.types import BoolArray
from ..shared.checked import WrongDataError
from ..shared.shot import Shot
from .cells import Grid, Views

_SEEN, _CUTS, _VIEWS = "seen.", "cuts", "views."
_CELL_BYTES, _MORE_BYTES = 256, 1 << 20
"""Most bytes for each cell of a frame, and besides."""


@dataclasses.dataclass
class Kept:
    """What was found in the frames of a shot, whichever of them are painted.

    Attributes:
        views: the cells.
        seen: frame → (N,) bool, the cells that it sees where all of it is painted.
        cuts: first frames after the cuts.
    """

    views: Views
    seen: dict[int, BoolArray]
    cuts: list[int]


def keep(shot: Shot, digest: str, found: Kept) -> None:
    """Write what was found from frames of a digest. Raises PaintoverError if that fails."""
    arrays = {_VIEWS + name: one for name, one in found.views.arrays().items()}
    arrays |= {f"{_SEEN}{key}": np.packbits(one) for key, one in found.seen.items()}
    arrays[_CUTS] = np.array(found.cuts, np.int32)
    write_arrays(_path(shot), arrays, digest)


def kept(shot: Shot, digest: str, views_of: Callable[[Shot, Arrays], Views]) -> Kept | None:
    """Return what was kept for frames of a digest; None if there is none, or it is damaged.

    Args:
        shot: the shot.
        digest: of the frames.
        views_of: returns the views of the shot from their arrays. Raises ValueError.
    """
    frames = shot.frames
    rows, columns = Grid.of(shot, len(frames)).cells
    most = _CELL_BYTES * rows * columns * len(frames) + _MORE_BYTES
    arrays = read_arrays(_path(shot), digest, most)
    if arrays is None:
        return None
    parts = {n.removeprefix(_VIEWS): one for n, one in arrays.items() if n.startswith(_VIEWS)}
    try:
        views = views_of(shot, parts)
        count = len(views.frame)
        seen = {
            frame: np.unpackbits(
                checked_array(arrays, f"{_SEEN}{frame}", np.uint8, -(-count // 8)), count=count
            ).astype(bool)
            for frame in frames
            if f"{_SEEN}{frame}" in arrays
        }
        cuts = checked_array(arrays, _CUTS, np.int32, None).tolist()
        if not set(cuts) <= set(frames):
            raise WrongDataError("a cut is at no frame")
    except ValueError:
        return None
    return Kept(views, seen, cuts)


def _path(shot: Shot) -> Path:
    return shot.cache_folder("coverage") / "seen.safetensors"
