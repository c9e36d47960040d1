# SPDX-License-Identifier: GPL-3.0-or-later
"""Import: makes a shot of folders of pictures, such as footage, EbSynth and few-shot sets."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..images.given_pictures import given_size, read_given, read_given_mask, told_once
from ..images.picture_folders import numbered_pictures, pictures_in
from ..images.pictures import write_picture
from ..shared.blank_keys import copy_frame, is_blank
from ..shared.errors import Cancelled, PaintoverError
from ..shared.files import written_beside
from ..shared.frame_lists import format_frames, frame_name
from ..shared.manifest import FrameRecord, Manifest
from ..shared.picture_digests import digest_picture
from ..shared.picture_kinds import EXR, PNG, readable_kind
from ..shared.protocol import ImportPictures
from ..shared.reporter import Reporter
from ..shared.shot import KEY_SUFFIXES, Shot, check_name

LARGEST_SIDE = 4096
"""Largest width or height of a picture, in pixels."""
LARGEST_AREA = 4096 * 2160
"""Largest area of a picture, in pixels."""
STAGING = ".importing"
"""Folder inside the shot that holds the converted pictures until all are ready."""
SET_FOLDERS = (
    {"input": "input", "painted": "output", "mask": "mask"},
    {"input": "video", "painted": "keys", "mask": "mask"},
)
"""Names of the folders in a few-shot set and in an EbSynth project."""


@dataclasses.dataclass(frozen=True)
class _Copy:
    """One picture to import.

    Attributes:
        frame: its frame number.
        source: the file to read.
        target: the file in the shot folder.
        keeps_version: whether a file that it replaces is kept as a version (paintings and masks).
        is_mask: whether it is a mask, of which only light and dark count.
    """

    frame: int
    source: Path
    target: Path
    keeps_version: bool = False
    is_mask: bool = False


def import_pictures(request: ImportPictures, report: Reporter) -> dict[str, Any]:
    """Make or update a shot from folders of pictures.

    The last number in a file name is the frame number. PNG files are copied byte for byte, unless
    they are to be turned upright or are in other colours than sRGB; so are paintings and masks in
    any case, and paintings in EXR. The others are converted to PNG in sRGB, with 16 bits if they
    have more than 8. The shot changes only after every picture has been read and converted, so an
    error or a cancel leaves it as it was. Replaced paintings and masks are kept as versions.

    Args:
        request: the shot and the folders. If ``input`` has no pictures but the folders of a set
            (see ``SET_FOLDERS``), these are used.
        report: gets the progress, and warnings about gaps between frames and about conversions.

    Returns:
        ``frames``, ``paintings`` and ``masks`` (counts), ``guides`` (names), ``width`` and
        ``height`` (pixels).

    Raises:
        PaintoverError: a folder or picture is missing, damaged, too large or of another size; two
            pictures have the same frame number; a painting, mask or guide has no picture, or a
            picture has no guide; the folder holds a shot that was captured from a scene.
        Cancelled: the job was told to stop.
    """
    request = _resolve_set(request)
    pictures = numbered_pictures(Path(request.input), report)
    gaps = set(range(min(pictures), max(pictures) + 1)) - set(pictures)
    if gaps:
        report.warned(
            f"{request.input} has no frames {format_frames(gaps)}; the shot leaves them out."
        )
    painted = _optional_pictures(request.painted, "painting", pictures, report)
    masks = _optional_pictures(request.mask, "mask", pictures, report)
    guides = {
        check_name(name, "guide"): _guide_folder(folder, name, pictures, report)
        for name, folder in request.guides.items()
    }
    width, height = _common_size(
        [*pictures.values(), *painted.values(), *masks.values()]
        + [path for folder in guides.values() for path in folder.values()]
    )
    manifest = Manifest(width, height, min(pictures), max(pictures), request.fps)
    manifest.source = {"kind": "pictures", "input": request.input}
    manifest.guides = list(guides)
    shot = Shot(Path(request.shot), manifest)
    previous = _previous_manifest(shot.folder)
    blank: set[int] = set()
    if previous:
        manifest.removed_keys = sorted(set(previous.removed_keys) - set(painted))
        manifest.weights, manifest.blank_keys = previous.weights, previous.blank_keys
        manifest.id, manifest.owner = previous.id, previous.owner
        blank = {frame for frame in pictures if is_blank(shot, frame)} - set(painted)
    copies = [_Copy(frame, path, shot.image_path(frame)) for frame, path in pictures.items()]
    for name, folder in guides.items():
        copies += [
            _Copy(frame, path, shot.guide_path(name, frame)) for frame, path in folder.items()
        ]
    copies += [
        _Copy(frame, path, shot.key_mask_path(frame), True, True) for frame, path in masks.items()
    ]
    copies += [
        _Copy(frame, path, _key_target(shot, frame, path), True) for frame, path in painted.items()
    ]
    has_alpha = _copy_all(shot, copies, report)
    manifest.passes = {"image": "pictures", **({"alpha": "pictures"} if has_alpha else {})}
    manifest.frames = {
        frame: FrameRecord(digest_picture(shot.image_path(frame))) for frame in sorted(pictures)
    }
    for frame in blank:
        copy_frame(shot, frame)
    shot.save()
    counts = {"frames": len(pictures), "paintings": len(painted), "masks": len(masks)}
    return {**counts, "guides": list(guides), "width": width, "height": height}


def _resolve_set(request: ImportPictures) -> ImportPictures:
    """Return the request with the folders of a set filled in, if its input is one."""
    folder = Path(request.input)
    if not folder.is_dir() or pictures_in(folder):
        return request
    for names in SET_FOLDERS:
        if (folder / names["input"]).is_dir():
            paths = {field: folder / name for field, name in names.items()}
            return dataclasses.replace(
                request,
                input=str(paths["input"]),
                painted=request.painted or _if_folder(paths["painted"]),
                mask=request.mask or _if_folder(paths["mask"]),
            )
    return request


def _if_folder(path: Path) -> str:
    return str(path) if path.is_dir() else ""


def _optional_pictures(
    folder: str, what: str, pictures: Mapping[int, Path], report: Reporter
) -> dict[int, Path]:
    """Return frame → file of a folder, none if ``folder`` is empty; ``what`` names it in errors."""
    if not folder:
        return {}
    numbered = numbered_pictures(Path(folder), report)
    for frame, path in numbered.items():
        if frame not in pictures:
            raise PaintoverError(
                f"The {what} {path} is of frame {frame}, but the pictures are of frames "
                f"{format_frames(pictures)}; add that picture, or remove the {what}."
            )
    return numbered


def _guide_folder(
    folder: str, name: str, pictures: Mapping[int, Path], report: Reporter
) -> dict[int, Path]:
    numbered = _optional_pictures(folder, "guide", pictures, report)
    missing = set(pictures) - set(numbered)
    if missing:
        raise PaintoverError(
            f'The guide "{name}" in {folder} lacks frames {format_frames(missing)}; add them, or '
            "import without this guide."
        )
    return numbered


def _common_size(paths: Iterable[Path]) -> tuple[int, int]:
    first: tuple[int, int] | None = None
    first_path = Path()
    for path in paths:
        width, height = given_size(path)
        if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
            raise PaintoverError(
                f"{path} is {width}×{height}; the largest size is 4096×2160 pixels, so scale the "
                "pictures down."
            )
        if first is None:
            first, first_path = (width, height), path
        elif (width, height) != first:
            raise PaintoverError(
                f"{path} is {width}×{height}, but {first_path} is {first[0]}×{first[1]}; all "
                "pictures of a shot must have the same size."
            )
    assert first is not None
    return first


def _previous_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of an earlier import into ``folder``; None if there is none to read.

    Raises:
        PaintoverError: the folder holds a shot that was captured from a scene.
    """
    if not Shot.exists(folder):
        return None
    try:
        manifest = Shot.open(folder).manifest
    except PaintoverError:
        return None
    if manifest.frames and manifest.source.get("kind") != "pictures":
        raise PaintoverError(
            f"{folder} holds a shot that was captured from a scene; import the pictures into "
            "another folder."
        )
    return manifest


def _key_target(shot: Shot, frame: int, source: Path) -> Path:
    suffix = ".exr" if readable_kind(source) == EXR else ".png"
    return shot.folder / "keys" / f"{frame_name(frame)}{suffix}"


def _copy_all(shot: Shot, copies: list[_Copy], report: Reporter) -> bool:
    """Convert all pictures in ``STAGING``, then move them into the shot.

    Returns whether any frame has transparent pixels.
    """
    staging = shot.folder / STAGING
    staged: list[tuple[_Copy, Path]] = []
    told: list[tuple[Path, tuple[str, ...]]] = []
    transparent = False
    started = time.monotonic()
    shutil.rmtree(staging, ignore_errors=True)
    try:
        for done, copy in enumerate(copies):
            if report.cancelled():
                raise Cancelled
            left = (time.monotonic() - started) / done * (len(copies) - done) if done else -1.0
            text = f"Picture {done + 1} of {len(copies)}"
            report.progress("import", done / len(copies), left, text)
            place = staging / copy.target.relative_to(shot.folder)
            has_alpha, notes = _convert(copy, place)
            told.append((copy.source, notes))
            transparent |= has_alpha and copy.target.parent == shot.folder / "frames"
            staged.append((copy, place))
        for copy, place in staged:
            _move_in(shot, copy, place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for sentence in told_once(told):
        report.warned(sentence)
    report.progress("import", 1.0, 0.0, f"{len(copies)} pictures")
    return transparent


def _convert(copy: _Copy, target: Path) -> tuple[bool, tuple[str, ...]]:
    """Copy or convert a picture, reading it whole.

    Returns whether any pixel is transparent, and what was converted (``GivenPicture.notes``).
    """
    if copy.is_mask:
        mask = read_given_mask(copy.source)
        if readable_kind(copy.source) == PNG:
            _copy_file(copy.source, target)
        else:
            write_picture(target, np.repeat(mask[..., None], 3, axis=2))
        return False, ()
    given = read_given(copy.source)
    is_kept = given.is_as_stored or copy.keeps_version
    if is_kept and given.kind == (EXR if target.suffix == ".exr" else PNG):
        _copy_file(copy.source, target)
    else:
        write_picture(target, given.picture.pixels, given.picture.bits)
    alpha = given.picture.alpha
    return alpha is not None and bool((alpha < 1).any()), given.notes


def _copy_file(source: Path, target: Path) -> None:
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)


def _move_in(shot: Shot, copy: _Copy, place: Path) -> None:
    """Move a converted picture to its target, keeping what it replaces as a version if needed."""
    target = copy.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy.keeps_version:
            replaced = {target} if copy.is_mask else {target.with_suffix(s) for s in KEY_SUFFIXES}
            if digest_picture(target) == digest_picture(place):
                replaced.remove(target)
            for path in replaced:
                shot.keep_version(path)
        place.replace(target)
    except OSError as error:
        raise PaintoverError(
            f"Cannot write {target}: {error.strerror or error}; choose a shot folder that you may "
            "write to."
        ) from error
