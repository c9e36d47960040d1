# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an import: converted aside, then moved into the shot folder."""

from __future__ import annotations

import contextlib
import dataclasses
import filecmp
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from ..images.given_pictures import given_size, read_given, read_given_mask, told_once
from ..images.pictures import write_picture
from ..shared.corrections import Corrections
from ..shared.errors import Cancelled, PaintoverError
from ..shared.files import cannot_write, move, written_beside
from ..shared.frame_lists import name_frames
from ..shared.keyframes.blank import is_blank
from ..shared.manifest import FrameRecord
from ..shared.pictures.digests import digest_picture
from ..shared.pictures.kinds import EXR, PNG, readable_kind
from ..shared.places import check_place
from ..shared.reporter import Reporter
from ..shared.shot import Shot, copy_folder
from ..shared.shot_paths import KEY_SUFFIXES
from .import_note import delete, note_moves, noted

MASK_NOISE = 16 / 255
"""Up to so much beside black and white is noise in mattes that were compressed with loss."""


@dataclasses.dataclass(frozen=True)
class Copy:
    """One picture to import.

    Attributes:
        frame: its frame number.
        source: the file to read.
        target: the file in the shot folder.
        keeps_version: whether a file that it replaces is kept as a version (paintings and masks).
        is_mask: whether it is a mask or matte, of which only light and dark count.
        is_lossy: whether its black and white are noisy, as in a JPEG or the frame of a movie.
    """

    frame: int
    source: Path
    target: Path
    keeps_version: bool = False
    is_mask: bool = False
    is_lossy: bool = False


def copy_all(
    shot: Shot,
    previous: Shot | None,
    copies: Sequence[Copy],
    staging: Path,
    report: Reporter,
    begin: float = 0.0,
) -> tuple[bool, dict[int, FrameRecord]]:
    """Convert all pictures in a folder aside, then move them into the shot.

    Args:
        shot: the shot.
        previous: the shot of an earlier import into the same folder, if there is one.
        copies: the pictures.
        staging: the folder aside. Pictures that lie there already are moved, not copied.
        report: gets the progress, and may cancel.
        begin: the share of the import that is done already, 0..1.

    Returns:
        Whether any frame has transparent pixels, and the records of the copied frames, guides and
        mattes by their frames.

    Raises:
        PaintoverError: a picture cannot be read or written, or would replace a file that no import
            made.
        Cancelled: the job was told to stop; the shot is unchanged.
    """
    transparent = is_seen = False
    first: Path | None = None
    places: list[Path] = []
    told: list[tuple[Path, tuple[str, ...]]] = []
    started = time.monotonic()
    for done, copy in enumerate(copies):
        if report.cancelled():
            raise Cancelled
        left = (time.monotonic() - started) / done * (len(copies) - done) if done else -1.0
        share = begin + (1 - begin) * done / len(copies)
        report.progress("import", share, left, f"Picture {done + 1} of {len(copies)}")
        place = staging / copy.target.relative_to(shot.folder)
        least, most, notes = _convert(copy, place, staging)
        told.append((copy.source, notes))
        if copy.target.parent == shot.folder / "frames":
            transparent |= least < 1
            first, is_seen = first or copy.source, is_seen or most > 0
        places.append(place)
    killed = noted(shot.folder)
    for copy, place in zip(copies, places, strict=True):
        _check_ours(copy, place, previous, killed)
    moves = zip(copies, places, strict=True)
    note_moves(shot.folder, {one.target: to for one, to in moves if not one.keeps_version})
    records = _records(shot, copies, places)
    corrections = Corrections(previous or shot, killed)
    try:
        for copy, place in zip(copies, places, strict=True):
            _move_in(shot, copy, place, corrections)
    finally:
        _tell(corrections, report)
    for sentence in told_once(told):
        report.warned(sentence)
    if first and not is_seen:
        report.warned(
            f"{first} is transparent everywhere, and so are all frames: nothing of them shows. "
            "If their alpha means nothing, export them without it."
        )
    report.progress("import", 1.0, 0.0, f"{len(copies)} pictures")
    return transparent, records


def _records(shot: Shot, copies: Sequence[Copy], places: Sequence[Path]) -> dict[int, FrameRecord]:
    """Return what the manifest is to note of the copies that are no paintings or masks."""
    records: dict[int, FrameRecord] = {}
    for copy, place in zip(copies, places, strict=True):
        record = records.setdefault(copy.frame, FrameRecord(""))
        if copy.target == shot.image_path(copy.frame):
            record.image = digest_picture(place)
        elif not copy.keeps_version:
            record.copies[copy_folder(shot.folder, copy.target)] = digest_picture(place)
    return records


def _convert(copy: Copy, target: Path, staging: Path) -> tuple[float, float, tuple[str, ...]]:
    """Copy or convert a picture, reading it whole.

    Returns the least and the most alpha of its pixels, and ``GivenPicture.notes``.
    """
    if copy.is_mask:
        mask = read_given_mask(copy.source)
        if copy.is_lossy:
            mask = np.clip((mask - MASK_NOISE) / (1 - 2 * MASK_NOISE), 0, 1)
        if readable_kind(copy.source) == PNG and not copy.is_lossy:
            _take_file(copy.source, target, staging)
        else:
            write_picture(target, np.repeat(mask[..., None], 3, axis=2))
        return 1.0, 1.0, ()
    given = read_given(copy.source)
    is_kept = given.is_as_stored or copy.keeps_version
    if is_kept and given.kind == (EXR if target.suffix == ".exr" else PNG):
        _take_file(copy.source, target, staging)
    else:
        write_picture(target, given.picture.pixels, given.picture.bits)
    alpha = given.picture.alpha
    least, most = (1.0, 1.0) if alpha is None else (float(alpha.min()), float(alpha.max()))
    return least, most, given.notes


def _take_file(source: Path, target: Path, staging: Path) -> None:
    """Copy a file, or move it if the import itself made it."""
    if source.is_relative_to(staging):
        target.parent.mkdir(parents=True, exist_ok=True)
        move(source, target)
        return
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)


def _check_ours(copy: Copy, place: Path, previous: Shot | None, killed: Collection[Path]) -> None:
    """Raise PaintoverError if a frame, guide or matte would replace a file that no import made."""
    target = copy.target
    check_place(target)
    if copy.keeps_version or not target.is_file() or target in killed:
        return
    if previous and copy.frame in previous.manifest.frames:
        known = [previous.image_path(copy.frame)]
        known += [previous.guide_path(name, copy.frame) for name in previous.manifest.guides]
        known += [previous.matte_path(copy.frame)] if previous.manifest.matte else []
        if target in known:
            return
    if not filecmp.cmp(target, place, shallow=False):
        raise PaintoverError(
            f"{target} is in the way, and no earlier import made it; move the folder "
            f"{target.parent} elsewhere, or import into an empty folder."
        )


def _move_in(shot: Shot, copy: Copy, place: Path, corrections: Corrections) -> None:
    """Move a converted picture to its target, keeping what it replaces as a version if needed."""
    target = copy.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replaced: set[Path] = set()
        if copy.keeps_version:
            replaced = {target} if copy.is_mask else {target.with_suffix(s) for s in KEY_SUFFIXES}
            if digest_picture(target) == digest_picture(place):
                replaced.remove(target)
            for path in replaced:
                corrections.keep_painting(copy.frame, path)
        else:
            corrections.keep(copy.frame, target, place)
        move(place, target)
        for path in replaced - {target}:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(target, error) from error


def remove_left_over(previous: Shot, shot: Shot, report: Reporter) -> None:
    """Remove what an earlier import made and the new shot lacks.

    Frames, guides, mattes and blank keyframes are deleted, since they are copies; paintings stay.
    Masks of frames that are gone, and copies that were changed since, become versions.

    Args:
        previous: the earlier shot, in the same folder.
        shot: the new one.
        report: is told of what stays without a use.
    """
    corrections = Corrections(previous, {})
    _remove_guides_and_mattes(previous, shot, corrections)
    painted = []
    for frame in sorted(set(previous.frames) - set(shot.frames)):
        image = previous.image_path(frame)
        if is_blank(previous, frame):
            delete(previous.key_path(frame))
        corrections.keep(frame, image)
        delete(image)
        shot.keep_version(shot.key_mask_path(frame))
        if shot.key_path(frame).is_file():
            painted.append(frame)
    _tell(corrections, report)
    if painted:
        report.warned(
            f"The shot has no frames {name_frames(painted)} any more; their paintings stay in "
            f"{shot.folder / 'keys'}, but are not used."
        )
    _warn_of_sizes(shot, report)


def _tell(corrections: Corrections, report: Reporter) -> None:
    for sentence in corrections.told():
        report.warned(sentence)


def _remove_guides_and_mattes(previous: Shot, shot: Shot, corrections: Corrections) -> None:
    for name in previous.manifest.guides:
        here = shot.frames if name in shot.manifest.guides else ()
        for frame in set(previous.frames) - set(here):
            path = previous.guide_path(name, frame)
            corrections.keep(frame, path)
            delete(path)
    if previous.manifest.matte:
        here = shot.frames if previous.manifest.matte == shot.manifest.matte else ()
        for frame in set(previous.frames) - set(here):
            path = previous.matte_path(frame)
            corrections.keep(frame, path)
            delete(path)


def _warn_of_sizes(shot: Shot, report: Reporter) -> None:
    """Warn of paintings that do not have the size of the frames any more."""
    size = (shot.manifest.width, shot.manifest.height)
    for frame in shot.key_frames():
        path = shot.key_path(frame)
        with contextlib.suppress(PaintoverError):
            if given_size(path) != size:
                report.warned(
                    f"{path} does not have the size of the frames any more, "
                    f"{size[0]}×{size[1]}; paint it anew, or remove it, before you train."
                )
                return
