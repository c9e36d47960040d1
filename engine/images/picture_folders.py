# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of pictures whose names carry frame numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.files import is_text
from ..shared.pictures.frame_numbers import NamePattern
from ..shared.pictures.kinds import OTHER_SUFFIXES, PICTURE_SUFFIXES
from ..shared.pictures.sequences import FileSequence, find_sequence, match_files
from ..shared.reporter import Reporter


def pictures_in(folder: Path) -> list[Path]:
    """Return the paths of the pictures in a folder, sorted by name, without hidden files.

    Without any picture that Paintover reads, these are pictures of other kinds, if there are some,
    so that reading one says what to do.
    """
    return _visible(folder, PICTURE_SUFFIXES) or _visible(folder, OTHER_SUFFIXES)


def _visible(folder: Path, suffixes: Collection[str]) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )


def numbered_pictures(folder: Path, report: Reporter) -> FileSequence:
    """Find the sequence of pictures in a folder, by the frame numbers in their names.

    Pictures that do not belong to it are left out, with a warning.

    Raises:
        PaintoverError: it is not a folder, has no such pictures, or ``find_sequence`` rejects
            their names.
    """
    sequence = find_sequence(_pictures_of(folder, report))
    if sequence is None:
        raise PaintoverError(
            f"The names of the pictures in {folder} carry no frame numbers; name them like "
            "0001.png."
        )
    example = next(iter(sequence.files.values())).name
    _warn_of(sequence.strays, f"because its name is not like {example}", report)
    return sequence


def matched_pictures(
    folder: Path, frames: Collection[int], pattern: NamePattern, what: str, report: Reporter
) -> dict[int, Path]:
    """Find the pictures in a folder that belong to frames of a sequence; see ``match_files``.

    Pictures without a number are left out, with a warning.

    Raises:
        PaintoverError: it is not a folder, has no pictures, or ``match_files`` rejects a name.
    """
    paths = _pictures_of(folder, report)
    found, strays = match_files(paths, frames, pattern, what)
    if not found:
        raise PaintoverError(
            f"{strays[0]} carries no frame number; rename the {what}, for frame {min(frames)} to "
            f"{pattern.name(min(frames))}{strays[0].suffix}."
        )
    _warn_of(strays, "because its name has no frame number", report)
    return found


def _pictures_of(folder: Path, report: Reporter) -> list[Path]:
    """Return the pictures in a folder; warn of those of other kinds without one beside them.

    Raises:
        PaintoverError: it is no folder, or has no pictures.
    """
    if folder.is_file():
        raise PaintoverError(f"{folder} is a file; choose the folder that it is in, or a movie.")
    if not folder.exists():
        raise PaintoverError(
            f"There is no {folder}; choose the folder that has the pictures, or a movie."
        )
    if not folder.is_dir():
        raise PaintoverError(f"{folder} is not a folder; choose the folder that has the pictures.")
    found = pictures_in(folder)
    if not found:
        kinds = ", ".join(suffix[1:].upper() for suffix in PICTURE_SUFFIXES)
        raise PaintoverError(f"{folder} has no pictures ({kinds}); choose the folder that has.")
    for path in found:
        if not is_text(path.name):
            raise PaintoverError(
                f"{path} has a name that is not valid text (UTF-8); rename it, such as to "
                f"0001{path.suffix}."
            )
    stems = {path.stem for path in found}
    other = [path for path in _visible(folder, OTHER_SUFFIXES) if path.stem not in stems]
    _warn_of(other, "because Paintover does not read its kind; save it as PNG", report)
    return found


def _warn_of(strays: Sequence[Path], reason: str, report: Reporter) -> None:
    """Warn of files that are left out."""
    if strays:
        names = ", ".join(path.name for path in strays[1:3])
        more = f" (also {names}{' and others' if len(strays) > 3 else ''})" if names else ""
        report.warned(f"{strays[0]} is left out, {reason}{more}.")
