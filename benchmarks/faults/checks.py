# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold in a shot folder, whatever happened to it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from engine.images.oiio_files import opened
from engine.images.pictures import read_picture
from engine.shared.errors import PaintoverError
from engine.shared.temporary import is_temporary

_WORK = (".importing", ".importing.lock", ".importing.json", ".shot.json.lock")
"""Names of files, folders and locks that jobs delete when they end."""


def torn_files(folder: Path) -> list[Path]:
    """Return the files under their final names that cannot be read to their end."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _is_work(path, folder) and not _is_whole(path)
    ]


def leftovers(folder: Path) -> list[Path]:
    """Return temporary files, staging folders, locks and claims below a folder."""
    return [path for path in sorted(folder.rglob("*")) if _is_left_over(path.name)]


def _is_left_over(name: str) -> bool:
    return is_temporary(name) or name in _WORK or name.endswith(".claim")


def _is_work(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(is_temporary(part) or part in _WORK for part in parts)


def _is_whole(path: Path) -> bool:
    try:
        if path.suffix == ".png":
            read_picture(path)
        elif path.suffix == ".exr":
            with opened(path) as file:
                return file.read_image() is not None
        elif path.suffix == ".safetensors":
            load_file(path)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix == ".npz":
            with zipfile.ZipFile(path) as file:
                return file.testzip() is None
    except (PaintoverError, SafetensorError, OSError, ValueError, zipfile.BadZipFile):
        return False
    return True
