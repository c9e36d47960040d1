# SPDX-License-Identifier: GPL-3.0-or-later
"""A note of the files that an import moves into a shot folder, written before the first is moved.

No manifest lists the files of an import that was killed. The next one knows them by this note: it
may replace them, and removes those that its shot lacks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from ..shared.checked import Digest, Pattern, from_data
from ..shared.errors import PaintoverError
from ..shared.files import write_bytes
from ..shared.names import NAME
from ..shared.pictures.digests import digest_picture
from ..shared.places import check_place
from ..shared.reading import read_json
from ..shared.shot import Shot

MATTE_NAME = "matte"
"""Name of the mattes' folder in ``mattes/``."""
NOTE_NAME = ".importing.json"
_File = Annotated[str, Pattern(rf"(frames|guides/{NAME}|mattes/{MATTE_NAME})/-?[0-9]{{4,}}\.png")]


@dataclasses.dataclass(frozen=True)
class _Note:
    files: dict[_File, list[Digest]]
    """Name in the shot folder → digests of what imports have moved there."""


def noted(folder: Path) -> dict[Path, list[str]]:
    """Return the files of imports that were killed, with their digests; anyone may have made them.

    Files that have changed since are not among them.
    """
    try:
        note = from_data(_Note, read_json(folder / NOTE_NAME))
    except (OSError, ValueError):
        return {}
    files = {folder / name: digests for name, digests in note.files.items()}
    return {path: known for path, known in files.items() if digest_picture(path) in known}


def note_moves(folder: Path, moves: Mapping[Path, Path]) -> None:
    """Note files before they are moved, beside those that are noted.

    Args:
        folder: the shot folder.
        moves: file in it → what is moved there.

    Raises:
        PaintoverError: the note cannot be written.
    """
    files = noted(folder)
    for target, place in moves.items():
        files[target] = sorted({*files.get(target, []), digest_picture(place)})
    data = {path.relative_to(folder).as_posix(): digests for path, digests in files.items()}
    write_bytes(folder / NOTE_NAME, json.dumps({"files": data}, ensure_ascii=False).encode())


def remove_strays(shot: Shot) -> None:
    """Remove the noted files that a shot, as it will be saved, lacks."""
    files = noted(shot.folder)
    for frame in shot.frames if files else ():
        files.pop(shot.image_path(frame), None)
        files.pop(shot.matte_path(frame), None)
        for name in shot.manifest.guides:
            files.pop(shot.guide_path(name, frame), None)
    for path in files:
        delete(path)


def forget_moves(folder: Path) -> None:
    """Remove the note, once a manifest lists the files."""
    with contextlib.suppress(OSError):
        (folder / NOTE_NAME).unlink(missing_ok=True)


def delete(path: Path) -> None:
    """Delete a file, and its folder if that is then empty; what cannot be deleted stays."""
    with contextlib.suppress(OSError, PaintoverError):
        check_place(path)
        path.unlink(missing_ok=True)
        path.parent.rmdir()
