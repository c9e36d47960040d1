# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done with a keyframe: added, removed, put onto another frame, an earlier one taken back.

No painting is ever deleted: one that another replaces is kept in ``keys/versions/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import delete
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.keyframes.blank import copy_frame, note_blank
from ..engine.shared.keyframes.versions import (
    find_version,
    keep_painting,
    put_mask,
    put_painting,
)
from ..engine.shared.pictures.digests import digest_picture
from ..engine.shared.pictures.frame_numbers import NamePattern, frame_named
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.pictures.kinds import EXR, PNG, readable_kind
from ..engine.shared.pictures.sizes import DAMAGED, painting_size
from ..engine.shared.places import is_file, real_place
from ..engine.shared.shot import Shot
from ..engine.shared.shot_paths import KEY_SUFFIXES
from . import images, weights


def add(shot: Shot, frame: int, filepath: str = "") -> str:
    """Make a frame a keyframe, with a copy of its picture to paint on or a painting from a file.

    An existing painting is never overwritten. With ``filepath`` it moves to ``keys/versions/``;
    without, it becomes the painting of the keyframe again.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the frame is not in the shot or is already a keyframe, or the file cannot
            be read or has another size.
    """
    check_frame(shot, frame)
    if filepath:
        sentence = _add_painting(shot, frame, Path(bpy.path.abspath(filepath)))
    elif frame in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is a keyframe already; open it to paint on.")
    elif shot.key_path(frame).is_file():
        sentence = f"Frame {frame} is a keyframe again, with its earlier painting"
    else:
        if not shot.image_path(frame).is_file():
            raise PaintoverError(f"{shot.image_path(frame)} is missing; capture the frame again.")
        copy_frame(shot, frame)
        shot.save()
        sentence = f"Frame {frame} is a keyframe; paint on {shot.key_path(frame).name}"
    _is_keyframe(shot, frame)
    return sentence


def check_frame(shot: Shot, frame: int) -> None:
    """Raise PaintoverError if a frame is not in the shot."""
    if frame not in shot.manifest.frames:
        raise PaintoverError(
            f"Frame {frame} is not in the shot {shot.folder}, which has the frames "
            f"{format_frames(shot.frames)}; go to one of them, or capture it first."
        )


def _is_keyframe(shot: Shot, frame: int) -> None:
    """Let a frame with a painting be a keyframe, if it was removed."""
    if frame in shot.manifest.removed_keys:
        shot.manifest.removed_keys.remove(frame)
        shot.save()


def add_result(shot: Shot, frame: int, result: Path) -> str:
    """Make a frame a keyframe, with its stylized picture to paint on.

    Until it is painted on, it counts as not painted, so that nothing is learnt from it. A painting
    that the frame had before becomes that of the keyframe again instead.

    Returns:
        The message to report.

    Raises:
        PaintoverError: as ``add``.
    """
    if shot.key_path(frame).is_file():
        return add(shot, frame)
    add(shot, frame, str(result))
    note_blank(shot, frame, digest_picture(shot.key_path(frame)))
    shot.save()
    return f"Frame {frame} is a keyframe with its stylized picture; paint on it"


def _add_painting(shot: Shot, frame: int, source: Path) -> str:
    kind = readable_kind(source)
    if kind not in (PNG, EXR):
        raise PaintoverError(f"{source} is a {kind} picture; save the painting as PNG or EXR.")
    _check_fits(shot, source, kind)
    if source in _files(shot, frame):
        raise PaintoverError(f"{source} is that keyframe's painting already.")
    version = _put(shot, frame, source, ".exr" if kind == EXR else ".png")
    named = frame_named(source.stem, NamePattern())
    other = named if named != frame and named in shot.manifest.frames else None
    return (
        f"{source.name} is the painting of frame {frame}"
        + (f", although its name tells frame {other}" if other is not None else "")
        + (f"; the earlier one is kept as {version.name}" if version else "")
    )


def _check_fits(shot: Shot, source: Path, kind: str) -> None:
    """Raise PaintoverError if Blender cannot read a painting or its size is not the frame size."""
    frame_width, frame_height = shot.manifest.size
    width, height = painting_size(source) or DAMAGED
    if (width, height) == shot.manifest.size:  # else it may be too large to be loaded
        check_before_loading(source, shot.manifest.size)
        image: Any = bpy.data.images.load(str(source), check_existing=False)
        try:
            width, height = image.size
            readable = width > 0 and height > 0 and not (kind == PNG and _is_truncated(source))
        finally:
            bpy.data.images.remove(image)
    else:
        readable = width > 0 and height > 0
    if not readable:
        raise PaintoverError(f"{source} is damaged or not a single picture; save it again as PNG.")
    if (width, height) != shot.manifest.size:
        same_shape = width * frame_height == height * frame_width
        raise PaintoverError(
            f"{source} is {width}×{height}, but the frames are {frame_width}×{frame_height}"
            + ("; export the painting in that size." if same_shape else ", of another shape.")
        )


def _is_truncated(source: Path) -> bool:
    """Return whether a PNG has no end chunk; Blender loads such a file without an error."""
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - 4096))
        return b"IEND" not in file.read()


def remove(shot: Shot, frame: int) -> str:
    """Remove a keyframe; its painting stays in the shot folder.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the frame is not a keyframe.
    """
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe.")
    images.save_unsaved(shot)
    shot.manifest.removed_keys.append(frame)
    shot.save()
    return f"Frame {frame} is no longer a keyframe; its painting stays in {shot.key_path(frame)}"


def has_painting(shot: Shot, frame: int) -> bool:
    """Return whether a keyframe has a painting that another would replace."""
    return frame in shot.key_frames() and shot.key_is_painted(frame)


def duplicate(
    scene: bpy.types.Scene, shot: Shot, frame: int, onto: int, *, replace: bool = False
) -> str:
    """Make a keyframe's painting that of another frame too, with its mask and its weight.

    Args:
        scene: has the weights.
        shot: the shot.
        frame: the keyframe.
        onto: the other frame.
        replace: whether a painting of that frame may be replaced; it is kept as a version.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the frame has no painting, the other is not in the shot or has a painting,
            or a file cannot be written.
    """
    version = _transfer(shot, frame, onto, replace=replace)
    weights.copy(scene, frame, onto)
    weights.write(scene, shot)
    return f"The painting of frame {frame} is on frame {onto} too" + _kept(version)


def move(
    scene: bpy.types.Scene, shot: Shot, frame: int, onto: int, *, replace: bool = False
) -> str:
    """Make a keyframe's painting that of another frame instead; see ``duplicate``.

    The frame is no keyframe any more, and its painting is among its versions.
    """
    version = _transfer(shot, frame, onto, replace=replace)
    weights.move(scene, frame, onto)
    for path in _files(shot, frame):
        if path.is_file():
            keep_painting(shot, frame, path)
            delete(path)
            images.relocate(shot, path, shot.key_path(onto))
            relocated[real_place(path)] = real_place(shot.key_path(onto))
    mask = shot.key_mask_path(frame)
    if shot.keep_version(mask) is not None:
        images.relocate(shot, mask, shot.key_mask_path(onto))
        relocated[real_place(mask)] = real_place(shot.key_mask_path(onto))
    shot.manifest.blank_keys.pop(frame, None)
    shot.manifest.weights.pop(frame, None)
    shot.save()
    weights.write(scene, shot)
    return f"The painting of frame {frame} is on frame {onto} now" + _kept(version)


relocated: dict[Path, Path] = {}
"""File of a painting or mask that was moved away in this session → where it is now."""


def forget_moved(path: Path) -> None:
    """Let an image of a file stay there: what was there before and was moved away is replaced."""
    relocated.pop(real_place(path), None)


def file_now(path: Path) -> Path:
    """Return where the painting or mask of a file is now, if it was moved in this session."""
    seen: set[Path] = set()
    while path in relocated and path not in seen and not is_file(path):
        seen.add(path)
        path = relocated[path]
    return path


def _transfer(shot: Shot, frame: int, onto: int, *, replace: bool) -> Path | None:
    """Copy painting and mask to another frame; return the version of what was there."""
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe; choose one that is painted.")
    check_frame(shot, onto)
    if onto == frame:
        raise PaintoverError(f"Frame {frame} has this painting already; choose another frame.")
    images.save_unsaved(shot)
    if not shot.key_is_painted(frame):
        raise PaintoverError(
            f"Frame {frame} is not painted yet; paint on it first, or press Add Keyframe on "
            f"frame {onto}."
        )
    if has_painting(shot, onto) and not replace:
        raise PaintoverError(
            f"Frame {onto} has a painting already; say that it shall be replaced, or choose "
            "another frame."
        )
    source = shot.key_path(frame)
    mask = shot.key_mask_path(frame)
    for path in (source, mask):
        if path.is_file():
            check_before_loading(path, shot.manifest.size)
    version = put_painting(shot, onto, source, source.suffix)
    put_mask(shot, onto, mask)
    forget_moved(shot.key_mask_path(onto))
    _is_keyframe(shot, onto)
    _show(shot, onto)
    images.reload(shot, shot.key_mask_path(onto))
    return version


def take_back(shot: Shot, frame: int, name: str) -> str:
    """Make an earlier painting of a keyframe its painting again; the present one is kept.

    Args:
        shot: the shot.
        frame: the keyframe.
        name: file name of the version.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there is no such version, it does not fit the frames, or a file cannot be
            written.
    """
    check_frame(shot, frame)
    version = find_version(shot, frame, name)
    _check_fits(shot, version.path, readable_kind(version.path))
    images.save_unsaved(shot)
    present = shot.key_path(frame)
    is_present = present.suffix == version.path.suffix and (
        digest_picture(present) == digest_picture(version.path)
    )
    if is_present and frame in shot.key_frames():
        raise PaintoverError(f"{name} is the same painting as that of frame {frame} now.")
    kept = _put(shot, frame, version.path, version.path.suffix)
    _is_keyframe(shot, frame)
    return f"Frame {frame} has its painting of {version.date:%d %b %Y, %H:%M} again" + _kept(kept)


def _put(shot: Shot, frame: int, source: Path, suffix: str) -> Path | None:
    """Make a file the painting of a frame, and show it; return the version of the one before."""
    images.save_unsaved(shot)
    version = put_painting(shot, frame, source, suffix)
    _show(shot, frame)
    return version


def _show(shot: Shot, frame: int) -> None:
    """Let images of a frame's painting show its file, also if that has another suffix now."""
    target = shot.key_path(frame)
    forget_moved(target)
    for path in _files(shot, frame):
        if path != target:
            images.relocate(shot, path, target)
    images.reload(shot, target)


def _kept(version: Path | None) -> str:
    return f"; the one before is kept as {version.name}" if version else ""


def _files(shot: Shot, frame: int) -> list[Path]:
    """Return where the painting of a frame may be."""
    return [shot.key_path(frame).with_suffix(suffix) for suffix in KEY_SUFFIXES]
