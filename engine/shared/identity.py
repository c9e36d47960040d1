# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shot a folder holds and which scene it belongs to, read cheaply and often."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .manifest import MANIFEST_NAME


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
        data = json.loads(path.read_text(encoding="utf-8"))
        owner = data.get("owner", {})
        values = data.get("id", ""), owner.get("blend", ""), owner.get("scene", "")
    except (ValueError, AttributeError):
        return Identity()
    return Identity(*map(str, values))
