# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintings of keyframes, as files and as images in Blender."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import colour_names, logs, properties, shot_folders
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write, written_beside
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.keyframes.blank import copy_frame
from ..engine.shared.pictures.colour_tags import has_own_colours
from ..engine.shared.pictures.frame_numbers import NamePattern, frame_named
from ..engine.shared.pictures.header_bounds import check_before_loading, check_header
from ..engine.shared.pictures.kinds import EXR, PNG, png_size, readable_kind
from ..engine.shared.shot import KEY_SUFFIXES, Shot
from ..engine.shared.temporary import temporary_file
from . import file_sync

_log = logs.logger(__name__)

_FORMATS = {".png": ("PNG",), ".exr": ("OPEN_EXR", "OPEN_EXR_MULTILAYER")}
"""Blender's formats of a painting or mask, by its suffix."""
_modified: dict[str, int] = {}
"""Path of a painting → its modification time when Blender last read or wrote it, in ns."""


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
        sentence = f"Frame {frame} is a keyframe again, with its earlier painting"
    else:
        if not shot.image_path(frame).is_file():
            raise PaintoverError(f"{shot.image_path(frame)} is missing; capture the frame again.")
        copy_frame(shot, frame)
        shot.save()
        sentence = f"Frame {frame} is a keyframe; paint on {shot.key_path(frame).name}"
    if frame in shot.manifest.removed_keys:
        shot.manifest.removed_keys.remove(frame)
        shot.save()
    return sentence


def _add_painting(shot: Shot, frame: int, source: Path) -> str:
    kind = readable_kind(source)
    if kind not in (PNG, EXR):
        raise PaintoverError(f"{source} is a {kind} picture; save the painting as PNG or EXR.")
    _check_fits(shot, source, kind)
    old = [shot.key_path(frame).with_suffix(suffix) for suffix in KEY_SUFFIXES]
    target = shot.key_path(frame).with_suffix(".exr" if kind == EXR else ".png")
    if source in old:
        raise PaintoverError(f"{source} is that keyframe's painting already.")
    save_unsaved(shot)
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)
        versions = [path for path in map(shot.link_version, old) if path]
    for path in set(old) - {target}:
        path.unlink(missing_ok=True)
    _reload(target)
    named = frame_named(source.stem, shot.frames, NamePattern())
    other = named if named != frame and named in shot.manifest.frames else None
    return (
        f"{source.name} is the painting of frame {frame}"
        + (f", although its name tells frame {other}" if other is not None else "")
        + (f"; the earlier one is kept as {versions[0].name}" if versions else "")
    )


def _check_fits(shot: Shot, source: Path, kind: str) -> None:
    """Raise PaintoverError if Blender cannot read a painting or its size is not the frame size."""
    frame_width, frame_height = shot.manifest.width, shot.manifest.height
    width, height = png_size(source) if kind == PNG else (frame_width, frame_height)
    check_header(source, kind)
    if (width, height) == (frame_width, frame_height):  # else it may be too large to be loaded
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
    if (width, height) != (frame_width, frame_height):
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
    save_unsaved(shot)
    shot.manifest.removed_keys.append(frame)
    shot.save()
    return f"Frame {frame} is no longer a keyframe; its painting stays in {shot.key_path(frame)}"


def load(shot: Shot, frame: int) -> Any:
    """Return the painting of a keyframe as an image with a fake user, reloaded unless painted on.

    Raises:
        PaintoverError: the frame is not a keyframe, its file is damaged, or it is in colours that
            Blender does not know.
    """
    path = shot.key_path(frame)
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe; add it first.")
    image: Any = find_image(path)
    is_new = image is None
    if is_new:
        check_before_loading(path)
        image = bpy.data.images.load(str(path), check_existing=False)
        file_sync.note_same(image, path)
    elif not file_sync.has_new_paint(image):
        file_sync.reread(image, path)
    try:
        if 0 in image.size:
            raise PaintoverError(f"{path} cannot be read; replace it by a valid PNG or EXR.")
        is_linear, display = path.suffix == ".exr", shot.manifest.colour.display
        # A painting for another display has its values, whatever the file is marked as.
        is_for_display = not is_linear and not colour_names.is_srgb_display(display)
        own_colours = not is_for_display and has_own_colours(path)
        if own_colours:
            _check_colours(path, image)
    except PaintoverError:
        if is_new:
            bpy.data.images.remove(image)
        raise
    _modified[str(path)] = path.stat().st_mtime_ns
    image.name = f"Keyframe {frame}"
    image.use_fake_user = True
    if not own_colours:
        space = colour_names.of_painting(display, is_linear=is_linear)
        # Blender reads the file again even if the name is the same, and would drop new paint.
        if space and space != image.colorspace_settings.name and not image.is_dirty:
            image.colorspace_settings.name = space
    image.use_view_as_render = False
    return image


def _check_colours(path: Path, image: Any) -> None:
    """Raise PaintoverError if Blender did not heed the colour space that a painting is in."""
    if image.colorspace_settings.name in (colour_names.linear(), colour_names.srgb()):
        raise PaintoverError(
            f"{path} has a color profile that Blender would lose; paint on it in the program that "
            "made it, or save it there in sRGB."
        )


def find_image(path: Path) -> Any | None:
    """Return the image of a file, or None."""
    resolved = path.resolve()
    for image in bpy.data.images:
        if image.source == "FILE" and image.filepath and _path_of(image) == resolved:
            return image
    return None


def keyframe_of(image: Any | None) -> tuple[Path, int] | None:
    """Return the shot folder and the frame of an image that is a painting, else None."""
    if image is None or image.source != "FILE" or not image.filepath:
        return None
    path = _path_of(image)
    try:
        shot = Shot.open(path.parent.parent)
    except PaintoverError:
        return None
    frames = [frame for frame in shot.key_frames() if shot.key_path(frame).resolve() == path]
    return (shot.folder, frames[0]) if frames else None


def _path_of(image: Any) -> Path:
    return Path(bpy.path.abspath(image.filepath, library=image.library)).resolve()


def _images_of(shot: Shot) -> list[tuple[Path, Any]]:
    """Return (path, image) of each image that is a painting or mask of the shot."""
    folder = (shot.folder / "keys").resolve()
    pairs = [
        (_path_of(image), image)
        for image in bpy.data.images
        if image.source == "FILE" and image.filepath
    ]
    return [(path, image) for path, image in pairs if path.parent == folder]


def move(shot: Shot, copied: Shot) -> None:
    """Let the images of paintings and masks show the files of a copy of the shot.

    New paint is saved into the copy, and the shot itself stays as it is.

    Raises:
        PaintoverError: new paint cannot be saved; it stays in Blender.
    """
    for path, image in _images_of(shot):
        target = copied.folder / "keys" / path.name
        if file_sync.has_new_paint(image):  # which another path would drop
            _save(copied, target, image, keep_version=False)
        image.filepath = str(target)


def unsaved(shot: Shot) -> list[str]:
    """Return the names of the files in ``keys/`` with unsaved paint, packed or not."""
    return [path.name for path, image in _images_of(shot) if file_sync.has_new_paint(image)]


def save_unsaved(shot: Shot, *, keep_version: bool = False) -> list[str]:
    """Save unsaved paint on keyframes and masks, each file atomically.

    A file that another program has changed meanwhile is kept as a version.

    Args:
        shot: the shot.
        keep_version: keep every file as a version, such as those of another .blend's shot.

    Returns:
        The names of the saved files.

    Raises:
        PaintoverError: a file cannot be written, or would lose its color profile; it is unchanged,
            and the paint stays in Blender.
    """
    saved, errors = [], []
    for path, image in _images_of(shot):
        if not file_sync.has_new_paint(image):
            continue
        try:
            _save(shot, path, image, keep_version=keep_version)
            saved.append(path.name)
        except PaintoverError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return saved


def _save(shot: Shot, path: Path, image: Any, *, keep_version: bool) -> None:
    has_changed, own_colours = file_sync.file_has_changed(image, path), False
    with suppress(PaintoverError):  # what is no picture any more may be replaced
        is_linear, display = path.suffix == ".exr", shot.manifest.colour.display
        # A painting for another display has its values, whatever the file is marked as.
        is_for_display = not is_linear and not colour_names.is_srgb_display(display)
        own_colours = not is_for_display and has_own_colours(path)
    if own_colours and not has_changed:
        _check_colours(path, image)
    with written_beside(path) as temporary:
        _write(image, path, temporary)
        if has_changed or keep_version:
            shot.link_version(path)
    file_sync.reread(image, path)
    _modified[str(path)] = path.stat().st_mtime_ns


def _write(image: Any, path: Path, temporary: Path) -> None:
    """Write an image in the format of a painting or mask. Raises OSError."""
    formats = _FORMATS.get(path.suffix.lower(), (image.file_format,))
    if image.file_format not in formats:  # such as a JPEG with the name of a PNG
        image.file_format = formats[0]
    try:
        image.save(filepath=str(temporary), save_copy=True)
    except RuntimeError as error:
        raise OSError(str(error).strip()) from error


def save_stroke(path: Path, image: Any) -> None:
    """Write an image to its file and leave the image as it is, so that its strokes can be undone.

    Raises:
        PaintoverError: the file cannot be written.
    """
    with written_beside(path) as temporary:
        _write(image, path, temporary)
    file_sync.note_same(image, path)
    _modified[str(path)] = path.stat().st_mtime_ns


def changed_elsewhere(shot: Shot) -> list[Path]:
    """Return the paintings with unsaved paint whose files another program has written since."""
    return [
        path
        for path, image in _images_of(shot)
        if file_sync.has_new_paint(image) and _is_written(path)
    ]


def _is_written(path: Path) -> bool:
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        return False
    return _modified.setdefault(str(path), modified) != modified


def use_file(shot: Shot, path: Path) -> str:
    """Show what a painting's file has instead of unsaved paint, which is kept as a version.

    Returns:
        The name of the version.

    Raises:
        PaintoverError: the version cannot be written, or the painting is not open; nothing is
            discarded.
    """
    image = find_image(path)
    if image is None:
        raise PaintoverError(f"{path.name} is not open in Blender any more; nothing was discarded.")
    try:
        with temporary_file(path) as temporary:
            _write(image, path, temporary)
            version = shot.link_version(temporary, path.name)
    except OSError as error:
        raise cannot_write(path.parent / "versions", error) from error
    _reload(path)
    return version.name if version else ""


def reload_changed(shot: Shot) -> list[str]:
    """Reload paintings that another program has changed, except those with unsaved paint.

    Returns:
        The names of the reloaded files.
    """
    reloaded = []
    for path, image in _images_of(shot):
        if _is_written(path) and not file_sync.has_new_paint(image):
            _reload(path)
            _log.info("Reloaded %s, which another program has changed", path)
            reloaded.append(path.name)
    return reloaded


def _reload(path: Path) -> None:
    image = find_image(path)
    if image is not None:
        file_sync.reread(image, path)
        _modified[str(path.resolve())] = path.stat().st_mtime_ns


@persistent  # type: ignore[untyped-decorator]
def _save_before_blend(*_: Any) -> None:
    for scene in bpy.data.scenes:
        try:
            shot = Shot.open(properties.shot_folder(scene))
            save_unsaved(shot, keep_version=bool(shot_folders.other_owner(scene)))
        except PaintoverError:
            continue  # there is no shot, or it cannot be written; the paint stays in Blender


def register() -> None:
    handlers: Any = bpy.app.handlers
    handlers.save_pre.append(_save_before_blend)


def unregister() -> None:
    handlers: Any = bpy.app.handlers
    handlers.save_pre.remove(_save_before_blend)
    _modified.clear()
