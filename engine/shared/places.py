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
from collections.abc import Iterator
from pathlib import Path

from .errors import PaintoverError
from .links import is_link
from .manifest import MANIFEST_NAME
from .pictures.kinds import MOVIE_SUFFIXES, OTHER_SUFFIXES, PICTURE_SUFFIXES

LOCK_NAME = ".importing.lock"
"""File in a folder that pictures are imported into, which has no manifest yet."""
_HIDDEN = re.compile(r"\..*\.(tmp.*|claim)|\.DS_Store|\._.*|lost\+found|Thumbs\.db|desktop\.ini")
_MAY_BE_LINKS = ("frames", "guides", "keys", "mattes", "styles", "out", "cache")
FOLDERS_OF_A_SHOT = (*_MAY_BE_LINKS, ".importing", "capture", "composed", "live", "sweeps")
"""Folders right inside a shot folder; a shot in one of them is none of its own."""
_MADE = "made"
"""Folder of records that each folder of stylized frames has."""

_FRAME = r"-?[0-9]{4,}\.(png|exr)"
_PAINTING = "|".join(
    rf".+{re.escape(suffix)}" for suffix in (*PICTURE_SUFFIXES, *OTHER_SUFFIXES, *MOVIE_SUFFIXES)
)
_CACHES = "chains|compositor|compositor-frames|coverage|digests|filter|gaussians|tracks"
_FILES = {
    "frames": _FRAME,
    "keys": _PAINTING,
    "keys/": _PAINTING,
    "guides/": _FRAME,
    "mattes/": _FRAME,
    "styles": r".+\.safetensors",
    "styles/": r".+\.(safetensors|log|csv)",
    "out/": r".+",
    "cache/": r".+\.(safetensors|json|png|exr)",
}
"""Names of the files in each folder of a shot, and, with a slash, of those in its folders."""
_FOLDERS = {
    "keys": "versions",
    "guides": ".+",
    "mattes": "matte|(objects|collection)-.+",
    "styles": ".+",
    "styles/": "live|trainings",
    "out": ".+",
    "out/": ".+",
    "cache": _CACHES,
    "cache/": ".+",
}
"""Names of the folders in them."""

_known: set[tuple[Path, Path]] = set()


def real_path(path: Path) -> Path:
    """Return the absolute path of a file or folder with links followed, as far as they lead.

    Unlike ``Path.resolve``, it returns a path also where links lead in a circle or nowhere.
    """
    try:
        return Path(os.path.realpath(path))
    except OSError:  # on Windows, such as for a drive that is away
        return path.absolute()


def real_place(path: Path) -> Path:
    """Return the absolute path of a file in its real folder; a file that is a link stays one.

    A picture may be a link to one elsewhere: it is the file of this place all the same, and the
    link is what a new one replaces.
    """
    return real_path(path.parent) / path.name


def is_there(path: Path) -> bool:
    """Return whether there is a file or folder.

    Unlike ``Path.exists`` and its kin, this and the next two are False, and do not fail, where the
    disk cannot tell: for a name that is too long, or in a folder that must not be read.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Return whether there is a file; see ``is_there``."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; see ``is_there``."""
    return os.path.isdir(path)  # noqa: PTH112


def check_place(path: Path) -> None:
    """Refuse to write or delete a file where a link would lead out of its shot folder.

    Args:
        path: of the file. Outside of shot folders any place may be written.

    Raises:
        PaintoverError: a folder on the way is a link that is not followed.
    """
    folder = path.absolute().parent
    root = _shot_of(folder)
    if root is None:
        return
    here = root
    for depth, part in enumerate(folder.relative_to(root).parts):
        here = here / part
        if not is_link(here):
            continue
        if depth > 0 or part not in _MAY_BE_LINKS:
            raise PaintoverError(
                f"{here} is a link, through which nothing is written; replace it by a folder."
            )
        _check_link(here)


def is_among_files(path: Path) -> bool:
    """Return whether a file is in a folder of a shot that has no files of others."""
    root = _shot_of(path.absolute().parent)
    parts = path.absolute().relative_to(root).parts if root else ("",)
    return parts[0] in FOLDERS_OF_A_SHOT and parts[0] != "live"


def linked_folders(folder: Path) -> Iterator[Path]:
    """Yield the folders right inside a shot folder that are links, and may be written."""
    folder = folder.absolute()
    if _shot_of(folder) != folder:
        return
    for link in filter(is_link, (folder / name for name in _MAY_BE_LINKS)):
        try:
            _check_link(link)
        except PaintoverError:
            continue
        yield link


def _shot_of(folder: Path) -> Path | None:
    """Return the shot folder that a folder is in, None if it is in none.

    Of shots in shots the outermost counts, as what lies in its folders may be a stranger's too. One
    beside its folders, reached without links, is of its own.
    """
    root: Path | None = None
    for place in (*reversed(folder.parents), folder):
        if _is_shot(place) and (root is None or _is_of_its_own(place, root)):
            root = place
    return root


def _is_shot(place: Path) -> bool:
    names = [os.path.join(place, name) for name in (MANIFEST_NAME, LOCK_NAME)]  # noqa: PTH118
    return any(map(os.path.exists, names))  # unlike pathlib, it raises nothing


def _is_of_its_own(place: Path, root: Path) -> bool:
    """Return whether a shot folder in another one is no part of it."""
    parts = place.relative_to(root).parts
    ways = [root.joinpath(*parts[: end + 1]) for end in range(len(parts))]
    return parts[0] not in FOLDERS_OF_A_SHOT and not any(map(is_link, ways))


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
    stray = next(_strays(link.name, target), None)
    if stray is not None:
        raise PaintoverError(
            f"{link} is a link to {target}, which holds other files, such as "
            f"{stray.relative_to(target)}; replace the link by a folder, or let it lead to an "
            "empty one."
        )
    _known.add((link, target))


def _strays(name: str, target: Path) -> Iterator[Path]:
    """Yield what a shot does not have in its folder of this name, nor in the folders in it."""
    for path in target.iterdir():
        if not _belongs(name, path):
            yield path
        elif path.is_dir() and not _HIDDEN.fullmatch(path.name):
            inside = [one for one in path.iterdir() if not _HIDDEN.fullmatch(one.name)]
            if name == "out" and inside and not (path / _MADE).is_dir():
                yield path
            yield from (one for one in inside if not _belongs(f"{name}/", one))


def _belongs(name: str, path: Path) -> bool:
    """Return whether a file or folder is what a shot has in its folder of this name."""
    if _HIDDEN.fullmatch(path.name):
        return True
    if path.name.startswith(".") or (is_link(path) and (name != "cache/" or path.is_dir())):
        return False
    names = (_FOLDERS if path.is_dir() else _FILES).get(name, "")
    return re.fullmatch(names, path.name, re.IGNORECASE) is not None
