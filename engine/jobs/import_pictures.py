# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a shot of folders of pictures: footage, other renderers, EbSynth and few-shot folders."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..images.picture_folders import numbered_pictures, pictures_in
from ..images.pictures import picture_size, read_picture, write_picture
from ..shared.errors import Cancelled, PaintoverError
from ..shared.files import digest_file, written_beside
from ..shared.frame_lists import format_frames, frame_name
from ..shared.manifest import FrameRecord, Manifest
from ..shared.protocol import ImportPictures
from ..shared.reporter import Reporter
from ..shared.shot import KEY_SUFFIXES, Shot, check_name

LARGEST_SIDE = 4096
LARGEST_AREA = 4096 * 2160
STAGING = ".importing"
SET_FOLDERS = (
    {"input": "input", "painted": "output", "mask": "mask"},
    {"input": "video", "painted": "keys", "mask": "mask"},
)
"""What few-shot sets and EbSynth call the folders of a set."""


@dataclasses.dataclass(frozen=True)
class _Copy:
    """One picture to bring in: where it lies, where it goes, and whether a hand made it."""

    frame: int
    source: Path
    target: Path
    by_hand: bool = False


def import_pictures(request: ImportPictures, report: Reporter) -> dict[str, Any]:
    """Make a shot of pictures whose names carry frame numbers (the last number in the name).

    PNG is copied byte for byte; JPEG, TIFF and EXR become PNG, of 16 bits where they are finer
    than 8 (paintings in EXR stay EXR). The shot changes only after every picture has been read
    and converted, so an error or a cancel leaves it as it was. Paintings and masks that are
    replaced are kept as versions.

    Args:
        request: the shot, and the folders. An ``input`` without pictures but with folders
            ``input``, ``output`` and ``mask`` (or ``video``, ``keys`` and ``mask``) is such a set.
        report: told the progress, and warned of gaps between frames.

    Returns:
        ``frames``, ``paintings`` and ``masks`` (counts), ``guides`` (names), ``width``, ``height``.

    Raises:
        PaintoverError: a folder or picture is missing, damaged, too large or of another size; two
            pictures carry one number; a painting, mask or guide has no picture, or a picture no
            guide; the folder holds a shot that was captured from a scene.
        Cancelled: the reporter said so.
    """
    request = _resolve_set(request)
    pictures = numbered_pictures(Path(request.input), report)
    gaps = set(range(min(pictures), max(pictures) + 1)) - set(pictures)
    if gaps:
        report.warned(f"{request.input} has no frames {format_frames(gaps)}; they stay left out.")
    painted = _beside(request.painted, "painting", pictures, report)
    masks = _beside(request.mask, "mask", pictures, report)
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
    before = _manifest_before(shot.folder)
    if before:
        manifest.removed_keys = sorted(set(before.removed_keys) - set(painted))
        manifest.weights = before.weights
    copies = [_Copy(frame, path, shot.image_path(frame)) for frame, path in pictures.items()]
    for name, folder in guides.items():
        copies += [
            _Copy(frame, path, shot.guide_path(name, frame)) for frame, path in folder.items()
        ]
    copies += [_Copy(frame, path, shot.key_mask_path(frame), True) for frame, path in masks.items()]
    copies += [
        _Copy(frame, path, _key_target(shot, frame, path), True) for frame, path in painted.items()
    ]
    transparent = _bring_in(shot, copies, report)
    manifest.passes = {"image": "pictures", **({"alpha": "pictures"} if transparent else {})}
    manifest.frames = {
        frame: FrameRecord(digest_file(shot.image_path(frame))) for frame in sorted(pictures)
    }
    shot.save()
    counts = {"frames": len(pictures), "paintings": len(painted), "masks": len(masks)}
    return {**counts, "guides": list(guides), "width": width, "height": height}


def _resolve_set(request: ImportPictures) -> ImportPictures:
    folder = Path(request.input)
    if not folder.is_dir() or pictures_in(folder):
        return request
    for names in SET_FOLDERS:
        if (folder / names["input"]).is_dir():
            found = {field: folder / name for field, name in names.items()}
            return dataclasses.replace(
                request,
                input=str(found["input"]),
                painted=request.painted or _if_folder(found["painted"]),
                mask=request.mask or _if_folder(found["mask"]),
            )
    return request


def _if_folder(path: Path) -> str:
    return str(path) if path.is_dir() else ""


def _beside(
    folder: str, what: str, pictures: Mapping[int, Path], report: Reporter
) -> dict[int, Path]:
    if not folder:
        return {}
    found = numbered_pictures(Path(folder), report)
    for frame, path in found.items():
        if frame not in pictures:
            raise PaintoverError(
                f"The {what} {path} is of frame {frame}, but the pictures are of frames "
                f"{format_frames(pictures)}; add that picture, or take the {what} away."
            )
    return found


def _guide_folder(
    folder: str, name: str, pictures: Mapping[int, Path], report: Reporter
) -> dict[int, Path]:
    found = _beside(folder, "guide", pictures, report)
    missing = set(pictures) - set(found)
    if missing:
        raise PaintoverError(
            f'The guide "{name}" in {folder} lacks frames {format_frames(missing)}; add them, or '
            "import without this guide."
        )
    return found


def _common_size(paths: Iterable[Path]) -> tuple[int, int]:
    first: tuple[int, int] | None = None
    first_path = Path()
    for path in paths:
        width, height = picture_size(path)
        if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
            raise PaintoverError(
                f"{path} is {width}×{height}; pictures may have 4096×2160 pixels at most, so scale "
                "them down."
            )
        if first is None:
            first, first_path = (width, height), path
        elif (width, height) != first:
            raise PaintoverError(
                f"{path} is {width}×{height}, but {first_path} is {first[0]}×{first[1]}; all "
                "pictures of a shot must have one size."
            )
    assert first is not None
    return first


def _manifest_before(folder: Path) -> Manifest | None:
    """Return the manifest of the pictures that were imported here before, if it can be read."""
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
    suffix = ".exr" if source.suffix.lower() == ".exr" else ".png"
    return shot.folder / "keys" / f"{frame_name(frame)}{suffix}"


def _bring_in(shot: Shot, copies: list[_Copy], report: Reporter) -> bool:
    """Convert all pictures beside the shot, then move them in; tell whether any frame has alpha."""
    staging = shot.folder / STAGING
    staged: list[tuple[_Copy, Path]] = []
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
            has_alpha = _convert(copy.source, place)
            transparent |= has_alpha and copy.target.parent == shot.folder / "frames"
            staged.append((copy, place))
        for copy, place in staged:
            _move_in(shot, copy, place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    report.progress("import", 1.0, 0.0, f"{len(copies)} pictures")
    return transparent


def _convert(source: Path, target: Path) -> bool:
    """Read a picture to its end, write or copy it, and tell whether any pixel lets through."""
    picture = read_picture(source)
    if source.suffix.lower() == target.suffix:
        with written_beside(target) as temporary:
            shutil.copyfile(source, temporary)
    else:
        write_picture(target, picture.pixels, picture.bits)
    return picture.alpha is not None and bool((picture.alpha < 1).any())


def _move_in(shot: Shot, copy: _Copy, place: Path) -> None:
    target = copy.target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy.by_hand:
            is_mask = target == shot.key_mask_path(copy.frame)
            rivals = {target} if is_mask else {target.with_suffix(s) for s in KEY_SUFFIXES}
            if digest_file(target) == digest_file(place):
                rivals.remove(target)
            for rival in rivals:
                shot.keep_version(rival)
        place.replace(target)
    except OSError as error:
        raise PaintoverError(
            f"Cannot write {target}: {error.strerror or error}; choose a shot folder that you may "
            "write to."
        ) from error
