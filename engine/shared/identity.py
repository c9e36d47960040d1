# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shot a folder holds and which scene it belongs to, read cheaply and often."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from .checked import from_data
from .manifest import MANIFEST_NAME
from .reading import read_json


@dataclasses.dataclass(frozen=True)
class Identity:
    """Which shot it is; all "" where the manifest is damaged or of an earlier version."""

    id: str = ""
    blend: str = ""
    """Path of the .blend that it belongs to, from the shot folder."""
    scene: str = ""
    """Name of the scene that it belongs to."""


_known: dict[Path, tuple[tuple[int, int], Identity]] = {}


def identity(folder: Path) -> Identity | None:
    """Return which shot is in a folder, None if there is no manifest.

    The manifest is read again only after it has changed.
    """
    path = folder / MANIFEST_NAME
    try:
        stat = path.stat()
        state = stat.st_size, stat.st_mtime_ns
        if path not in _known or _known[path][0] != state:
            _known[path] = state, _read(path)
    except OSError:
        return None
    return _known[path][1]


def _read(path: Path) -> Identity:
    try:
        data = read_json(path)
        if not isinstance(data, dict):
            return Identity()
        owner = from_data(dict[str, str], data.get("owner", {}))
        shot_id = from_data(str, data.get("id", ""))
    except ValueError:
        return Identity()
    return Identity(shot_id, owner.get("blend", ""), owner.get("scene", ""))
