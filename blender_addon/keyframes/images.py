# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes as files and as Blender images: adding, opening, and never losing paint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import logs, properties
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import written_beside
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.shot import KEY_SUFFIXES, Shot

_log = logs.logger(__name__)

_seen: dict[str, int] = {}
"""Path of a loaded keyframe → its modification time when Blender last read or wrote it."""


def add(shot: Shot, frame: int, filepath: str = "") -> str:
    """Make a frame a keyframe: a copy of its picture to paint on, or a painting from a file.

    A painting that is there already is never overwritten: with ``filepath`` it is kept as a
    version, without it only a removed keyframe is taken back.

    Returns:
        The sentence to report.

    Raises:
        PaintoverError: the frame is not in the shot, is a keyframe already, or the file does
            not fit.
    """
    if frame not in shot.manifest.frames:
        raise PaintoverError(
            f"Frame {frame} is not in the shot {shot.folder}, which has the frames "
            f"{format_frames(shot.frames)}; go to one of them, or capture it first."
        )
    if filepath:
        sentence = _add_painting(shot, frame, Path(bpy.path.abspath(filepath)))
    elif frame in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is a keyframe already; open it to paint on.")
    elif shot.key_path(frame).is_file():
        sentence = f"Frame {frame} is a keyframe again, with the painting from before"
    else:
        path = shot.key_path(frame)
        _copy(shot.image_path(frame), path)
        sentence = f"Frame {frame} is a keyframe; paint on {path.name}"
    if frame in shot.manifest.removed_keys:
        shot.manifest.removed_keys.remove(frame)
        shot.save()
    return sentence


def _add_painting(shot: Shot, frame: int, source: Path) -> str:
    if source.suffix.lower() not in KEY_SUFFIXES:
        raise PaintoverError(f"{source} is not a PNG or EXR picture; save the painting as PNG.")
    _check_fits(shot, source)
    old = [shot.key_path(frame).with_suffix(suffix) for suffix in KEY_SUFFIXES]
    target = shot.key_path(frame).with_suffix(source.suffix.lower())
    if source in old:
        raise PaintoverError(f"{source} is that keyframe's painting already.")
    save_unsaved(shot)
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)
        kept = [path for path in map(shot.keep_version, old) if path]
    _reload(target)
    return f"{source.name} is the painting of frame {frame}" + (
        f"; the one before is kept as {kept[0].name}" if kept else ""
    )


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise PaintoverError(f"{source} is missing; capture the frame again.")
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)


def _check_fits(shot: Shot, source: Path) -> None:
    """Refuse a painting that Blender cannot read or that has not the size of the frames."""
    if not source.is_file():
        raise PaintoverError(f"There is no picture {source}; choose another file.")
    image: Any = bpy.data.images.load(str(source), check_existing=False)
    try:
        width, height = image.size
        readable = width > 0 and height > 0 and not _cut_short(source)
    finally:
        bpy.data.images.remove(image)
    if not readable:
        raise PaintoverError(f"{source} is damaged or not a single picture; save it again as PNG.")
    frame_width, frame_height = shot.manifest.width, shot.manifest.height
    if (width, height) != (frame_width, frame_height):
        same_shape = width * frame_height == height * frame_width
        raise PaintoverError(
            f"{source} is {width}×{height}, but the frames are {frame_width}×{frame_height}"
            + ("; export the painting in that size." if same_shape else ", of another shape.")
        )


def _cut_short(source: Path) -> bool:
    """Tell whether a PNG lacks its end, which Blender does not mind."""
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - 4096))
        return source.suffix.lower() == ".png" and b"IEND" not in file.read()


def remove(shot: Shot, frame: int) -> str:
    """Stop learning from a keyframe; its painting stays where it is.

    Returns:
        The sentence to report.

    Raises:
        PaintoverError: the frame is no keyframe.
    """
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe.")
    save_unsaved(shot)
    shot.manifest.removed_keys.append(frame)
    shot.save()
    return f"Frame {frame} is no keyframe any more; its painting stays in {shot.key_path(frame)}"


def load(shot: Shot, frame: int) -> Any:
    """Return the painting of a keyframe as a Blender image, kept when the .blend is saved.

    Raises:
        PaintoverError: the frame is no keyframe, or its file is damaged.
    """
    path = shot.key_path(frame)
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe; add it first.")
    image: Any = find_image(path)
    if image is None:
        image = bpy.data.images.load(str(path), check_existing=False)
    elif not image.is_dirty:
        image.reload()
    if 0 in image.size:
        raise PaintoverError(f"{path} cannot be read; put a whole PNG or EXR in its place.")
    _seen[str(path)] = path.stat().st_mtime_ns
    image.name = f"Keyframe {frame}"
    image.use_fake_user = True
    linear = path.suffix == ".exr"
    image.colorspace_settings.name = "Linear Rec.709" if linear else "sRGB"
    image.use_view_as_render = False
    return image


def find_image(path: Path) -> Any | None:
    """Return the Blender image of a file, or None."""
    for image in bpy.data.images:
        if image.source == "FILE" and image.filepath and _path_of(image) == path:
            return image
    return None


def _path_of(image: Any) -> Path:
    return Path(bpy.path.abspath(image.filepath, library=image.library)).resolve()


def _images_of(shot: Shot) -> list[tuple[Path, Any]]:
    """Blender images that are paintings or masks of the shot, with their files."""
    folder = (shot.folder / "keys").resolve()
    pairs = [
        (_path_of(image), image)
        for image in bpy.data.images
        if image.source == "FILE" and image.filepath and not image.packed_file
    ]
    return [(path, image) for path, image in pairs if path.parent == folder]


def unsaved(shot: Shot) -> list[str]:
    """Return the names of the files in ``keys/`` that have paint which is not saved yet."""
    return [path.name for path, image in _images_of(shot) if image.is_dirty]


def save_unsaved(shot: Shot) -> list[str]:
    """Save paint on keyframes and masks that is only in Blender so far.

    The file is replaced whole, so a full disk leaves the painting of before.

    Returns:
        The names of the files.

    Raises:
        PaintoverError: a file cannot be written; the paint stays in Blender.
    """
    saved = []
    for path, image in _images_of(shot):
        if not image.is_dirty:
            continue
        with written_beside(path) as temporary:
            try:
                image.save(filepath=str(temporary), save_copy=True)
            except RuntimeError as error:
                raise OSError(str(error).strip()) from error
        image.reload()
        _seen[str(path)] = path.stat().st_mtime_ns
        saved.append(path.name)
    return saved


def reload_changed(shot: Shot) -> list[str]:
    """Reload keyframes that another program has changed; unsaved paint in Blender wins.

    Returns:
        The names of the reloaded files.
    """
    reloaded = []
    for path, image in _images_of(shot):
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            continue
        if _seen.setdefault(str(path), changed) != changed and not image.is_dirty:
            _reload(path)
            _log.info("Reloaded %s, which another program has changed", path)
            reloaded.append(path.name)
    return reloaded


def _reload(path: Path) -> None:
    image = find_image(path.resolve())
    if image is not None:
        image.reload()
        image.update_tag()
        _seen[str(path.resolve())] = path.stat().st_mtime_ns


@persistent  # type: ignore[untyped-decorator]
def _save_before_blend(*_: Any) -> None:
    for scene in bpy.data.scenes:
        try:
            save_unsaved(Shot.open(properties.shot_folder(scene)))
        except PaintoverError:
            continue  # no shot, or a folder that cannot be written: the paint stays in Blender


def register() -> None:
    handlers: Any = bpy.app.handlers
    handlers.save_pre.append(_save_before_blend)


def unregister() -> None:
    handlers: Any = bpy.app.handlers
    handlers.save_pre.remove(_save_before_blend)
    _seen.clear()
