# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a shot folder may be written: in itself, and through links that its owner made.

Someone else's shot folder may hold links that lead anywhere. A folder right inside a shot folder,
such as ``frames``, may be a link to another disk: it then leads to an empty folder, or to one that
holds only what a shot has there, and out of every shot. Links deeper down are not followed. Files
that are links are replaced, never written through.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .errors import PaintoverError
from .manifest import MANIFEST_NAME
from .pictures.kinds import MOVIE_SUFFIXES, OTHER_SUFFIXES, PICTURE_SUFFIXES

LOCK_NAME = ".importing.lock"
"""File in a folder that pictures are imported into, which has no manifest yet."""
_STAGE = "capture"
_HIDDEN = re.compile(r"\..*\.(tmp.*|claim)|\.DS_Store|\._.*|lost\+found|Thumbs\.db|desktop\.ini")
_SUFFIXES = {
    "frames": (".png", ".exr"),
    "keys": (*PICTURE_SUFFIXES, *OTHER_SUFFIXES, *MOVIE_SUFFIXES),
    "styles": (".safetensors",),
}
"""Suffixes of the files in each folder of a shot; in the others there are only folders."""
_FOLDERS = {"frames": (), "keys": ("versions",)}
"""Names of the folders in them; in the others any."""
_MAY_BE_LINKS = ("frames", "guides", "keys", "mattes", "styles", "out", "cache")

_known: set[tuple[Path, Path]] = set()


def real_path(path: Path) -> Path:
    """Return the absolute path of a file or folder with links followed, as far as they lead.

    Unlike ``Path.resolve``, it returns a path also where links lead in a circle or nowhere.
    """
    try:
        return Path(os.path.realpath(path))
    except OSError:  # on Windows, such as for a drive that is away
        return path.absolute()


def check_place(path: Path) -> None:
    """Refuse to write a file where a link would lead out of its shot folder.

    Args:
        path: of the file. Outside of shot folders any place may be written.

    Raises:
        PaintoverError: a folder on the way is a link that is not followed.
    """
    folder = path.parent
    root = _shot_of(folder)
    if root is None:
        return
    here = root
    for depth, part in enumerate(folder.relative_to(root).parts):
        here = here / part
        if not here.is_symlink():
            continue
        if depth > 0 or part not in _MAY_BE_LINKS:
            raise PaintoverError(
                f"{here} is a link, through which nothing is written; replace it by a folder."
            )
        _check_link(here)


def _shot_of(folder: Path) -> Path | None:
    """Return the shot folder that a folder is in, None if it is in none."""
    for place in (folder, *folder.parents):
        if (place / MANIFEST_NAME).exists() or (place / LOCK_NAME).exists():
            is_stage = place.name == _STAGE and (place.parent / MANIFEST_NAME).exists()
            return place.parent if is_stage else place
    return None


def _check_link(link: Path) -> None:
    """Check a link right inside a shot folder, once in the life of the process."""
    target = real_path(link)
    if (link, target) in _known:
        return
    if not target.is_dir():
        raise PaintoverError(f"{link} is a link that leads to no folder; replace it by a folder.")
    if _shot_of(target) is not None:
        raise PaintoverError(
            f"{link} is a link into a shot folder, {target}; replace it by a folder, or let it "
            "lead to a folder elsewhere."
        )
    stray = next((one for one in target.iterdir() if not _belongs(link.name, one)), None)
    if stray is not None:
        raise PaintoverError(
            f"{link} is a link to {target}, which holds other files, such as {stray.name}; replace "
            "the link by a folder, or let it lead to an empty one."
        )
    _known.add((link, target))


def _belongs(name: str, path: Path) -> bool:
    """Return whether a file or folder is what a shot has in its folder of this name."""
    if _HIDDEN.fullmatch(path.name):
        return True
    if path.is_symlink() or path.name.startswith("."):
        return False
    if path.is_dir():
        return path.name in _FOLDERS.get(name, (path.name,))
    return path.suffix.lower() in _SUFFIXES.get(name, ())
