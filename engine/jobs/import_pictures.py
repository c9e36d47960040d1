# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: makes a shot of pictures or a movie, such as footage, EbSynth and few-shot sets."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..images.given_pictures import check_size, given_size
from ..images.movies import movies_in
from ..images.picture_folders import pictures_in
from ..shared.errors import NoShotError, PaintoverError
from ..shared.files import cannot_write
from ..shared.folders import remove_tree
from ..shared.frame_lists import format_frames, frame_name, gaps_between
from ..shared.keyframes.blank import blank_digest, copy_frame
from ..shared.locks import held_alone
from ..shared.manifest import FrameRecord, Manifest
from ..shared.names import check_name
from ..shared.pictures.kinds import EXR, readable_kind
from ..shared.places import check_place, real_path
from ..shared.protocol import ImportPictures
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.temporary import remove_leftovers
from .import_files import Copy, copy_all, remove_left_over
from .import_note import MATTE_NAME, forget_moves, remove_strays
from .import_sources import ImportSources

STAGING = ".importing"
"""Folder inside the shot that holds the converted pictures until all are ready."""
_OWN = ("frames", "guides", "mattes", STAGING)
SET_FOLDERS = (
    {"input": "input", "painted": "output", "mask": "mask"},
    {"input": "video", "painted": "keys", "mask": "mask"},
)
"""Names of the folders in a few-shot set and in an EbSynth project, whether capital or not."""
_MOST_NAMED = 4
"""Most folders that a sentence names."""


def import_pictures(request: ImportPictures, report: Reporter) -> dict[str, Any]:
    """Make or update a shot from folders of pictures, or from a movie.

    The number that differs from name to name is the frame number. PNG files are copied byte for
    byte, unless they are to be turned upright or are in other colours than sRGB; so are paintings
    and masks in any case, and paintings in EXR. The others are converted to PNG in sRGB, with 16
    bits if they have more than 8. The shot changes only after every picture has been read and
    converted, so an error or a cancel leaves it as it was. Replaced paintings and masks are kept
    as versions; frames, guides and mattes of an earlier import that the new one lacks are removed.
    Masks for every frame are mattes, which also replace the masks of the paintings.

    Args:
        request: the shot and the folders. If ``input`` has no pictures but the folders of a set
            (see ``SET_FOLDERS``), these are used.
        report: gets the progress, and warnings about gaps, conversions and files that are left out.

    Returns:
        ``frames``, ``paintings``, ``masks`` and ``mattes`` (counts), ``guides`` (names), ``width``
        and ``height`` (pixels), ``fps``.

    Raises:
        PaintoverError: a folder or picture is missing, damaged, too large or of another size; two
            pictures have the same frame number; a painting, mask or guide has no picture, or a
            picture has no guide; or the folder holds a shot that was captured from a scene, that
            cannot be read, or files of other programs where the pictures would go.
        Cancelled: the job was told to stop.
    """
    folder = Path(request.shot)
    request = _resolve_set(request, report)
    for place in (request.input, request.mask, *request.guides.values()):
        if place:
            check_outside(folder, Path(place))
    if request.painted:
        check_outside(folder, Path(request.painted), (STAGING,))
    with alone_in(folder):
        staging = folder / STAGING
        remove_tree(staging)
        try:
            return _import(request, _previous_shot(folder), staging, report)
        finally:
            remove_tree(staging)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the shot folder, and import into it alone; remove it if it stays empty.

    Raises:
        PaintoverError: it cannot be written, or another process imports into it.
    """
    if folder.is_file():
        raise PaintoverError(f"{folder} is a file; choose another folder for the shot.")
    is_new = not folder.is_dir()
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if is_new:
                stack.callback(_remove_if_empty, folder)
            is_alone = stack.enter_context(held_alone(folder / f"{STAGING}.lock"))
        except OSError as error:
            raise cannot_write(folder, error) from error
        if not is_alone:
            raise PaintoverError(
                f"Another import into {folder} is running; wait until it has ended, or choose "
                "another shot folder."
            )
        check_place(folder / STAGING / "0001.png")
        remove_leftovers(folder)
        yield


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _import(
    request: ImportPictures, previous: Shot | None, staging: Path, report: Reporter
) -> dict[str, Any]:
    sources = ImportSources(staging, report)
    sequence, rate = sources.frames(Path(request.input))
    pictures = sequence.files
    if gaps := gaps_between(pictures):
        report.warned(f"{request.input} has no frames {gaps}; the shot leaves them out.")
    painted = sources.paintings(request.painted, sequence)
    masks = sources.matched(request.mask, "mask", sequence)
    guides = {}
    for name, place in request.guides.items():
        guides[check_name(name, "guide")] = sources.matched(place, "guide", sequence)
        if missing := set(pictures) - set(guides[name]):
            raise PaintoverError(
                f'The guide "{name}" in {place} lacks frames {format_frames(missing)}; add them, '
                "or import without this guide."
            )
    width, height = common_size(
        [*pictures.values(), *painted.values(), *masks.values()]
        + [path for files in guides.values() for path in files.values()],
        sources,
    )
    fps = request.fps or rate or request.fps_of_pictures
    manifest = Manifest(width, height, min(pictures), max(pictures), fps)
    manifest.source = {"kind": "pictures", "input": request.input}
    if rate:
        manifest.source["rate"] = "movie"
    manifest.guides = list(guides)
    manifest.matte = MATTE_NAME if masks and set(masks) == set(pictures) else ""
    shot = Shot(Path(request.shot), manifest)
    shot.goes_on_from(previous)
    blank = _taken_over(previous, shot, set(pictures), set(painted)) if previous else {}
    copied = [f"guides/{name}" for name in guides]
    copied += [f"mattes/{manifest.matte}"] if manifest.matte else []
    shot.check_room(pictures, FrameRecord("0" * 32, copies=dict.fromkeys(copied, "0" * 32)))
    copies = [Copy(frame, path, shot.image_path(frame)) for frame, path in pictures.items()]
    for name, files in guides.items():
        copies += [Copy(frame, path, shot.guide_path(name, frame)) for frame, path in files.items()]
    copies += copies_of_masks(shot, masks, sources)
    copies += [
        Copy(frame, path, _key_target(shot, frame, path), True) for frame, path in painted.items()
    ]
    has_alpha, records = copy_all(shot, previous, copies, staging, report, begin=sources.done)
    manifest.passes = {"image": "pictures", **({"alpha": "pictures"} if has_alpha else {})}
    manifest.frames = {frame: records[frame] for frame in sorted(pictures)}
    for frame, digest in blank.items():
        copy_frame(shot, frame, digest)
    for frame in shot.frames if manifest.matte else ():
        shot.keep_version(shot.key_mask_path(frame))
    remove_strays(shot)
    if previous:  # first, as the old manifest is what tells of these files
        remove_left_over(previous, shot, report)
    shot.save()
    forget_moves(shot.folder)
    counts = {"frames": len(pictures), "paintings": len(painted)}
    counts |= {"masks": 0 if manifest.matte else len(masks)}
    counts |= {"mattes": len(masks) if manifest.matte else 0}
    return {**counts, "guides": list(guides), "width": width, "height": height, "fps": fps}


def _taken_over(previous: Shot, shot: Shot, frames: set[int], painted: set[int]) -> dict[int, str]:
    """Let a shot keep what an import does not replace of an earlier one in the same folder.

    Returns:
        Frame → digest of the files of keyframes that nobody has painted on.
    """
    manifest, old = shot.manifest, previous.manifest
    manifest.removed_keys = sorted(set(old.removed_keys) - painted)
    manifest.weights, manifest.blank_keys = old.weights, old.blank_keys
    manifest.id, manifest.owner = old.id, old.owner
    digests = {frame: blank_digest(shot, frame) for frame in frames - painted}
    return {frame: digest for frame, digest in digests.items() if digest}


def copies_of_masks(shot: Shot, masks: dict[int, Path], sources: ImportSources) -> list[Copy]:
    """Return what to copy of masks: to mattes if the shot has them, else beside the paintings."""
    if not shot.manifest.matte:
        return [
            Copy(frame, path, shot.key_mask_path(frame), keeps_version=True, is_mask=True)
            for frame, path in masks.items()
        ]
    return [
        Copy(frame, path, shot.matte_path(frame), is_mask=True, is_lossy=sources.is_lossy(path))
        for frame, path in masks.items()
    ]


def _resolve_set(request: ImportPictures, report: Reporter) -> ImportPictures:
    """Return the request with the folders of a set filled in, if its input is one.

    Pictures beside the folders of frames and paintings are left out, with a warning; beside other
    folders they are the frames.
    """
    folder = Path(request.input)
    if not folder.is_dir():
        return request
    there = {path.name.lower(): path for path in folder.iterdir() if path.is_dir()}
    beside = pictures_in(folder)
    for names in SET_FOLDERS:
        paths = {field: there.get(name) for field, name in names.items()}
        if not paths["input"] or (beside and not paths["painted"]):
            continue
        if beside:
            report.warned(
                f"{beside[0]} is left out, as the frames are taken from {paths['input']}; to have "
                "the pictures beside it as frames, move them into a folder of their own."
            )
        _tell_further(there, {names[field] for field in names}, request, report)
        return dataclasses.replace(
            request,
            input=str(paths["input"]),
            painted=request.painted or _if_used(paths["painted"]),
            mask=request.mask or _if_used(paths["mask"]),
        )
    return request


def _tell_further(
    there: dict[str, Path], used: Collection[str], request: ImportPictures, report: Reporter
) -> None:
    """Tell which folders of pictures in a set are not read."""
    given = [real_path(Path(place)) for place in (request.painted, request.mask) if place]
    given += [real_path(Path(place)) for place in request.guides.values()]
    further = [
        path
        for name, path in sorted(there.items())
        if name not in used and name[0] != "." and real_path(path) not in given
        if pictures_in(path) or movies_in(path)
    ]
    if further:
        names = ", ".join(path.name for path in further[:_MOST_NAMED])
        more = f" and {len(further) - _MOST_NAMED} more" if len(further) > _MOST_NAMED else ""
        what = "folder" if len(further) == 1 else "folders"
        report.warned(
            f"{request.input} has the further {what} {names}{more}, not read; to have one as a "
            f"guide, import with --guide {_guide_name(further[0])}={further[0]}."
        )


def _guide_name(folder: Path) -> str:
    try:
        return check_name(folder.name, "guide")
    except PaintoverError:
        return "NAME"


def check_outside(folder: Path, place: Path, names: Iterable[str] = _OWN) -> None:
    """Raise PaintoverError if a source is where the shot keeps the copies that it may replace."""
    for name in names:
        if real_path(place).is_relative_to(real_path(folder / name)):
            raise PaintoverError(
                f"{place} is where the shot {folder} keeps its own copies; choose a shot folder "
                "elsewhere."
            )


def _if_used(path: Path | None) -> str:
    """Return a folder of a set, or "" if it is not there or empty."""
    return str(path) if path and pictures_in(path) else ""


def common_size(paths: Iterable[Path], sources: ImportSources) -> tuple[int, int]:
    """Return the size of all pictures, read from their headers."""
    first: tuple[int, int] | None = None
    first_path = Path()
    for picture in paths:
        path = sources.origin(picture)
        width, height = given_size(picture)
        check_size(path, width, height)
        if first is None:
            first, first_path = (width, height), path
        elif (width, height) != first:
            raise PaintoverError(
                f"{path} is {width}×{height}, but {first_path} is {first[0]}×{first[1]}; all "
                "pictures of a shot must have the same size."
            )
    assert first is not None
    return first


def _previous_shot(folder: Path) -> Shot | None:
    """Return the shot of an earlier import into ``folder``; None if there is none.

    Raises:
        PaintoverError: the folder holds a shot that was captured from a scene, or one that cannot
            be read.
    """
    try:
        shot = Shot.open(folder)
    except NoShotError:
        return None
    if shot.manifest.frames and shot.manifest.source.get("kind") != "pictures":
        raise PaintoverError(
            f"{folder} holds a shot that was captured from a scene; import the pictures into "
            "another folder."
        )
    return shot


def _key_target(shot: Shot, frame: int, source: Path) -> Path:
    suffix = ".exr" if readable_kind(source) == EXR else ".png"
    return shot.folder / "keys" / f"{frame_name(frame)}{suffix}"
