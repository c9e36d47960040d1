# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of pictures whose names carry frame numbers."""

from __future__ import annotations

import re
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.picture_kinds import OTHER_SUFFIXES, PICTURE_SUFFIXES
from ..shared.reporter import Reporter


def pictures_in(folder: Path) -> list[Path]:
    """Return the paths of the pictures in a folder, sorted by name, without hidden files.

    Without any picture that Paintover reads, these are pictures of other kinds, if there are some,
    so that reading one says what to do.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for suffixes in (PICTURE_SUFFIXES, OTHER_SUFFIXES):
        if pictures := [path for path in found if path.suffix.lower() in suffixes]:
            return pictures
    return []


def numbered_pictures(folder: Path, report: Reporter) -> dict[int, Path]:
    """Find the pictures in a folder by the last number in their names.

    Pictures without a number are left out, with a warning.

    Returns:
        Frame number → picture, in frame order.

    Raises:
        PaintoverError: it is not a folder, has no such pictures, or two have the same number.
    """
    if not folder.is_dir():
        raise PaintoverError(f"{folder} is not a folder; choose the folder that has the pictures.")
    found: dict[int, Path] = {}
    nameless = []
    for path in pictures_in(folder):
        numbers = re.findall(r"[0-9]+", path.stem)
        if not numbers:
            nameless.append(path)
            continue
        frame = int(numbers[-1])
        if frame in found:
            raise PaintoverError(
                f"{found[frame]} and {path.name} both carry the frame number {frame} (the last "
                "number in the name); rename one, or move it elsewhere."
            )
        found[frame] = path
    if not found:
        kinds = ", ".join(suffix[1:].upper() for suffix in PICTURE_SUFFIXES)
        raise PaintoverError(
            f"{folder} has no pictures ({kinds}) whose names carry frame numbers; name them like "
            "0001.png."
        )
    if nameless:
        report.warned(f"{nameless[0]} carries no frame number and is left out.")
    return dict(sorted(found.items()))
