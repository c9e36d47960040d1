# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files in a shot folder are ours, so that no capture replaces or deletes those of others.

A capture writes ``shot.json`` before the first picture, so pictures without one are of others.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .. import mattes
from ..engine.shared.errors import PaintoverError
from ..engine.shared.journal import JOURNAL_NAME
from ..engine.shared.links import is_link
from ..engine.shared.manifest import MANIFEST_NAME
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import is_temporary

STAGE = "capture"
"""Folder right inside a shot folder where frames wait until all of them are rendered."""
_PICTURE = re.compile(r"-?[0-9]{4,}\.(png|exr)", re.IGNORECASE)
_UNIMPORTANT = re.compile(r"\.shot\.json\.lock|\.DS_Store|\._.*|Thumbs\.db|desktop\.ini")
"""Files that nobody misses: locks, and what systems leave in folders."""
_OUTSIDE = "frames", "live"
_ONE_DEEPER = "mattes", "out", "composed"


def check_room(folder: Path) -> None:
    """Refuse a folder that has no shot, but files where a shot would replace or delete them.

    Raises:
        PaintoverError: a file is in the way.
    """
    if Shot.exists(folder):
        return
    found = next(_pictures(folder), None) or in_stage_of_others(folder, None)
    if found is not None:
        raise _in_the_way(found, folder / found.relative_to(folder).parts[0])


def _in_the_way(path: Path, folder: Path) -> PaintoverError:
    return PaintoverError(
        f"{path} is in the way, and no capture made it; move {folder} elsewhere, or choose another "
        "shot folder."
    )


def _pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures that have the name of one that a shot would write."""
    places = [folder / name for name in _OUTSIDE]
    for name in _ONE_DEEPER:
        inside = _listed(folder / name)
        places += [path for path in inside if name != "mattes" or mattes.is_captured(path.name)]
    for place in places:
        yield from (path for path in _listed(place) if _PICTURE.fullmatch(path.name))


def _listed(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted; nothing where there is none."""
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208
    except OSError:
        return []


def check_stage(shot: Shot) -> None:
    """Refuse to stage frames in a folder ``capture`` that holds other files.

    Raises:
        PaintoverError: a file is in the way.
    """
    found = in_stage_of_others(shot.folder, shot.manifest.id)
    if found is not None:
        raise _in_the_way(found, shot.folder / STAGE)


def in_stage_of_others(folder: Path, shot_id: str | None) -> Path | None:
    """Return a file in ``capture/`` of a shot folder that no capture of the shot made.

    Args:
        folder: the shot folder.
        shot_id: the shot's id; "" if it has none yet, None if there is no shot.
    """
    stage = folder / STAGE
    files, _, strays = _look(stage)
    known = [path for path in files if not _UNIMPORTANT.fullmatch(path.name)]
    if strays or not known:
        return next(iter(strays), None)
    try:
        is_ours = shot_id is not None and shot_id in ("", Shot.open(stage).manifest.id)
    except PaintoverError:
        is_ours = False
    return None if is_ours else known[0]


def remove_stage(folder: Path, shot_id: str) -> None:
    """Delete ``capture/`` of a shot folder, unless others have put anything into it.

    Args:
        folder: the shot folder.
        shot_id: the shot's id; "" if it has none yet.
    """
    if in_stage_of_others(folder, shot_id) is None:
        files, folders, _ = _look(folder / STAGE)
        # The manifest goes last: without it, what is left would be of others.
        for path in sorted(files, key=lambda path: path.name == MANIFEST_NAME):
            _delete(path)
        for path in reversed(folders):
            with contextlib.suppress(OSError):
                path.rmdir()


def remove_matte(folder: Path) -> None:
    """Delete the mattes in a folder, and the folder if it is empty then."""
    for path in _listed(folder):
        if _PICTURE.fullmatch(path.name) or _UNIMPORTANT.fullmatch(path.name):
            _delete(path)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _look(stage: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the files and the folders that a staged capture has, and what else is there."""
    files: list[Path] = []
    folders: list[Path] = []
    strays: list[Path] = []
    waiting = [stage]
    while waiting:
        folder = waiting.pop()
        if is_link(folder) or folder.is_file():
            strays.append(folder)
            continue
        if folder.is_dir():
            folders.append(folder)
        for path in _listed(folder):
            parts = path.relative_to(stage).parts
            if _is_folder_of_stage(parts):
                waiting.append(path)
            elif _is_file_of_stage(parts) and path.is_file() and not is_link(path):
                files.append(path)
            elif not is_temporary(path.name):
                strays.append(path)
    return files, folders, strays


def _is_folder_of_stage(parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return parts[0] in ("frames", "mattes")
    return parts[:-1] == ("mattes",) and mattes.is_captured(parts[-1])


def _is_file_of_stage(parts: tuple[str, ...]) -> bool:
    name = parts[-1]
    if _UNIMPORTANT.fullmatch(name):
        return True
    if len(parts) == 1:
        return name in (MANIFEST_NAME, JOURNAL_NAME)
    return len(parts) == (2 if parts[0] == "frames" else 3) and bool(_PICTURE.fullmatch(name))
