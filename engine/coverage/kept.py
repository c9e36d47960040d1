# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what frames see in the shot folder's cache, so that new paintings cost little."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..images.types import BoolArray
from ..shared.files import digest_bytes, digest_json, write_bytes
from ..shared.reading import open_file
from ..shared.shot import Shot

_DIGEST, _SEEN, _CUTS, _VIEWS, _CELLS = "digest", "seen.", "cuts", "views.", "cells"
_MOST_BYTES = 1 << 31


@dataclasses.dataclass
class Kept:
    """What was found in the frames of a shot, whichever of them are painted.

    Attributes:
        views: the arrays of ``Views``.
        seen: frame → (N,) bool, the cells that it sees where all of it is painted.
        cuts: first frames after the cuts.
    """

    views: dict[str, npt.NDArray[Any]]
    seen: dict[int, BoolArray]
    cuts: list[int]


def keep(shot: Shot, digest: str, found: Kept) -> None:
    """Write what was found from frames of a digest. Raises PaintoverError if that fails."""
    arrays = {_VIEWS + name: one for name, one in found.views.items()}
    arrays |= {f"{_SEEN}{key}": np.packbits(one) for key, one in found.seen.items()}
    arrays[_CUTS] = np.array(found.cuts, np.int32)
    arrays[_CELLS] = np.array([len(one) for one in found.seen.values()][:1], np.int64)
    whole = {name: np.ascontiguousarray(one) for name, one in arrays.items()}
    write_bytes(_path(shot), save(whole, {_DIGEST: digest + _digest_of(whole)}))


def kept(shot: Shot, digest: str) -> Kept | None:
    """Return what was kept for frames of a digest; None if there is none, or it is damaged."""
    try:
        with open_file(_path(shot)) as file:
            if file.seek(0, 2) > _MOST_BYTES:
                return None
        with safe_open(_path(shot), "np") as opened:
            stored = (opened.metadata() or {}).get(_DIGEST, "")
            if not stored.startswith(digest):
                return None
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if stored != digest + _digest_of(arrays):
            return None
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
    views = {n.removeprefix(_VIEWS): one for n, one in arrays.items() if n.startswith(_VIEWS)}
    seen = {
        int(name.removeprefix(_SEEN)): np.unpackbits(one, count=int(arrays[_CELLS][0])).astype(bool)
        for name, one in arrays.items()
        if name.startswith(_SEEN)
    }
    return Kept(views, seen, [int(frame) for frame in arrays[_CUTS]])


def _path(shot: Shot) -> Path:
    return shot.cache_folder("coverage") / "seen.safetensors"


def _digest_of(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    names = sorted(arrays)
    shapes = digest_json([[name, list(arrays[name].shape)] for name in names])
    return digest_bytes(shapes.encode(), *(arrays[name].tobytes() for name in names))
