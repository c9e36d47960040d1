# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives a shot mattes, or takes them away; also shots that were captured from a scene."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..shared.corrections import Corrections
from ..shared.errors import PaintoverError
from ..shared.folders import remove_tree
from ..shared.frame_lists import format_frames
from ..shared.manifest import FrameRecord
from ..shared.pictures.frame_numbers import NamePattern
from ..shared.pictures.sequences import FileSequence
from ..shared.places import check_place
from ..shared.reporter import Reporter
from ..shared.shot import Shot, copy_folder
from .import_files import copy_all
from .import_note import MATTE_NAME, delete, forget_moves, note_moves, remove_strays
from .import_pictures import (
    STAGING,
    alone_in,
    check_outside,
    common_size,
    copies_of_masks,
)
from .import_sources import ImportSources


def set_mattes(folder: Path, place: Path, report: Reporter) -> int:
    """Copy mattes into a shot; they replace those that it has.

    Args:
        folder: the shot folder.
        place: a folder of pictures with frame numbers in their names, one for every frame of the
            shot, or a movie.
        report: gets the progress, and may cancel.

    Returns:
        The number of mattes.

    Raises:
        PaintoverError: the shot cannot be read or has no frames; a frame has no matte; or a
            picture fits no frame, cannot be read, or has another size than the shot.
        Cancelled: the job was told to stop; the shot is unchanged.
    """
    shot = Shot.open(folder)
    shot.check_frames()
    check_outside(folder, place)
    with alone_in(folder):
        staging = folder / STAGING
        try:
            return _set_mattes(shot, place, staging, report)
        finally:
            remove_tree(staging)


def _set_mattes(shot: Shot, place: Path, staging: Path, report: Reporter) -> int:
    sources = ImportSources(staging, report)
    frames = {frame: shot.image_path(frame) for frame in shot.frames}
    mattes = sources.matched(str(place), "matte", FileSequence(frames, NamePattern(), []))
    if missing := set(frames) - set(mattes):
        raise PaintoverError(
            f"{place} lacks mattes for frames {format_frames(missing)}; add them, black where "
            "nothing is painted."
        )
    common_size([next(iter(frames.values())), *mattes.values()], sources)
    before = Shot.open(shot.folder)
    shot.manifest.matte = MATTE_NAME
    copies = copies_of_masks(shot, mattes, sources)
    for copy in copies:
        shot.manifest.frames[copy.frame].copies[copy_folder(shot.folder, copy.target)] = "0" * 32
    shot.check_room((), FrameRecord(""))
    _, records = copy_all(shot, before, copies, staging, report, begin=sources.done)
    for frame, record in records.items():
        shot.manifest.frames[frame].copies.update(record.copies)
    remove_strays(shot)
    shot.save()
    forget_moves(shot.folder)
    return len(mattes)


def remove_mattes(folder: Path, report: Reporter) -> None:
    """Take the mattes of a shot away, so that all of each frame is painted.

    Args:
        folder: the shot folder.
        report: is told of mattes that were changed, which are kept as versions.

    Raises:
        PaintoverError: the shot cannot be read or written, or another process imports into it.
    """
    Shot.open(folder)
    with alone_in(folder):
        shot = Shot.open(folder)
        if shot.manifest.matte:
            _remove_mattes(shot, report)


def _remove_mattes(shot: Shot, report: Reporter) -> None:
    place, paths = shot.matte_path(0).parent, dict[int, Path]()
    with contextlib.suppress(PaintoverError):  # through a link nothing is deleted
        check_place(place / "0000.png")
        every = {frame: shot.matte_path(frame) for frame in shot.frames}
        paths = {frame: path for frame, path in every.items() if path.is_file()}
    corrections = Corrections(Shot.open(shot.folder), {})
    for frame, path in paths.items():
        corrections.keep(frame, path)
    if shot.manifest.matte == MATTE_NAME:  # Blender replaces its own mattes in any case
        note_moves(shot.folder, {path: path for path in paths.values()})
    shot.manifest.matte = ""
    shot.save()
    for path in paths.values():
        delete(path)
    with contextlib.suppress(OSError):
        place.rmdir()
    forget_moves(shot.folder)
    for sentence in corrections.told():
        report.warned(sentence)
