# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintings of keyframes as images in Blender."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import colour_names, logs, messages, properties, shot_folders
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write, written_beside
from ..engine.shared.pictures.colour_tags import has_own_colours
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.places import is_file, real_path, real_place
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import temporary_file
from ..handlers import Handlers
from . import file_sync

_log = logs.logger(__name__)

_FORMATS = {".png": ("PNG",), ".exr": ("OPEN_EXR", "OPEN_EXR_MULTILAYER")}
"""Blender's formats of a painting or mask, by its suffix."""
_modified: dict[str, int] = {}
"""Path of a painting → its modification time when Blender last read or wrote it, in ns."""


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
        check_before_loading(path, shot.manifest.size)
        image = bpy.data.images.load(str(path), check_existing=False)
        file_sync.note_same(image, path)
    elif not file_sync.has_new_paint(image):
        file_sync.reread(image, path, shot.manifest.size)
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
    _note_read(path)
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
    place = real_place(path)
    for image in bpy.data.images:
        if image.source == "FILE" and image.filepath and path_of(image) == place:
            return image
    return None


def keyframe_of(image: Any | None) -> tuple[Path, int] | None:
    """Return the shot folder and the frame of an image that is a painting, else None."""
    if image is None or image.source != "FILE" or not image.filepath:
        return None
    path = path_of(image)
    try:
        shot = Shot.open(shot_folder_of(image))
        keys = shot.key_frames()
    except PaintoverError:
        return None
    frames = [frame for frame in keys if real_place(shot.key_path(frame)) == path]
    return (shot.folder, frames[0]) if frames else None


def path_of(image: Any) -> Path:
    """Return the absolute path of an image's file, as ``real_place``."""
    return real_place(given_path(image))


def shot_folder_of(image: Any) -> Path:
    """Return the shot folder that an image is in if its file is right in ``keys/`` of a shot.

    ``keys`` may be a link to another disk, so this is not where ``path_of`` leads.
    """
    return real_path(given_path(image).parent.parent)


def given_path(image: Any) -> Path:
    """Return the absolute path of an image's file without following links."""
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def _images_of(shot: Shot) -> list[tuple[Path, Any]]:
    """Return (path, image) of each image that is a painting or mask of the shot."""
    folder = real_path(shot.folder / "keys")
    pairs = [
        (path_of(image), image)
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
    return list(painted_on(shot))


def painted_on(shot: Shot) -> dict[str, Any]:
    """Return name → image of the files in ``keys/`` with unsaved paint."""
    return {path.name: image for path, image in _images_of(shot) if file_sync.has_new_paint(image)}


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
    # What is no picture any more, or must not be read, may be replaced.
    with suppress(PaintoverError, OSError):
        is_linear, display = path.suffix == ".exr", shot.manifest.colour.display
        # A painting for another display has its values, whatever the file is marked as.
        is_for_display = not is_linear and not colour_names.is_srgb_display(display)
        own_colours = not is_for_display and has_own_colours(path)
    if own_colours and not (has_changed and file_sync.is_noted(image)):
        _check_colours(path, image)
    with written_beside(path) as temporary:
        write(image, path, temporary)
        if has_changed or keep_version:
            shot.link_version(path)
    file_sync.reread(image, path)
    _note_read(path)


def write(image: Any, path: Path, temporary: Path) -> None:
    """Write an image in the format of a painting or mask. Raises OSError."""
    formats = _FORMATS.get(path.suffix.lower(), (image.file_format,))
    if image.file_format not in formats:  # such as a JPEG with the name of a PNG
        image.file_format = formats[0]
    try:
        image.save(filepath=str(temporary), save_copy=True)
    except RuntimeError as error:
        raise OSError(str(error).strip()) from error


def save_stroke(shot: Shot, path: Path, image: Any) -> None:
    """Write an image to its file and leave the image as it is, so that its strokes can be undone.

    A file that another program has changed meanwhile is kept as a version.

    Raises:
        PaintoverError: the file cannot be written.
    """
    with written_beside(path) as temporary:
        write(image, path, temporary)
        if file_sync.file_has_changed(image, path):
            shot.link_version(path)
    file_sync.note_same(image, path)
    _note_read(path)


def changed_elsewhere(shot: Shot) -> list[Path]:
    """Return the paintings with unsaved paint whose files another program has written since."""
    return [
        path
        for path, image in _images_of(shot)
        if file_sync.has_new_paint(image) and _is_written(path)
    ]


def _note_read(path: Path) -> None:
    _modified[str(real_place(path))] = path.stat().st_mtime_ns


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
    opened = [image for place, image in _images_of(shot) if place == real_place(path)]
    image = next(filter(file_sync.has_new_paint, opened), None) or next(iter(opened), None)
    if image is None:
        raise PaintoverError(f"{path.name} is not open in Blender any more; nothing was discarded.")
    try:
        with temporary_file(path) as temporary:
            write(image, path, temporary)
            version = shot.link_version(temporary, path.name)
    except OSError as error:
        raise cannot_write(path.parent / "versions", error) from error
    file_sync.reread(image, path, shot.manifest.size)
    _note_read(path)
    return version.name if version else ""


def reload_changed(shot: Shot) -> list[str]:
    """Reload paintings that another program has changed, except those with unsaved paint.

    So are those that Blender's own Open has loaded: from then on, paint that is only packed is
    known. A file that Blender must not load, such as one that is only half written yet, waits until
    it has changed again.

    Returns:
        The names of the reloaded files.
    """
    pairs = _images_of(shot)
    # A file may be open twice, as in a copy of its image: none of them reads it while one is
    # painted on.
    painted = {path for path, image in pairs if file_sync.has_new_paint(image)}
    written = {path for path, _ in pairs if path not in painted and _is_written(path)}
    reloaded = []
    for path, image in pairs:
        try:
            if file_sync.is_of_blender(image) and is_file(path):
                file_sync.reread(image, path, shot.manifest.size)
            elif path in written:
                file_sync.reread(image, path, shot.manifest.size)
                _note_read(path)
                _log.info("Reloaded %s, which another program has changed", path)
                reloaded.append(path.name)
        except PaintoverError as error:
            _log.debug("%s", error)  # the list of keyframes shows it
    return reloaded


def reload(shot: Shot, path: Path) -> None:
    """Show a file again in the image of it, if it is open; unsaved paint is dropped.

    Raises:
        PaintoverError: Blender must not load the file; the image is unchanged.
    """
    image = find_image(path)
    if image is not None:
        file_sync.reread(image, path, shot.manifest.size)
        _note_read(path)


def relocate(shot: Shot, path: Path, target: Path) -> None:
    """Let the image of a file that is gone show another file of the shot.

    Where that file is open too, its image takes the place of the other in all editors.

    Raises:
        PaintoverError: as ``load``.
    """
    image, other = find_image(path), find_image(target)
    if image is None:
        return
    check_before_loading(target, shot.manifest.size)
    if other is None:
        image.filepath = str(target)
    else:
        image.user_remap(other)
        bpy.data.images.remove(image)
    reload(shot, target)
    frames = [
        frame
        for frame in shot.key_frames()
        if real_place(shot.key_path(frame)) == real_place(target)
    ]
    if frames:
        load(shot, frames[0])


@persistent  # type: ignore[untyped-decorator]
def _save_before_blend(*_: Any) -> None:
    errors: dict[Path, PaintoverError] = {}
    for scene in bpy.data.scenes:
        try:
            folder = real_path(properties.shot_folder(scene))
        except PaintoverError:
            continue  # it has no shot
        try:
            save_unsaved(Shot.open(folder), keep_version=bool(shot_folders.other_owner(scene)))
        except PaintoverError as error:
            errors[folder] = error
    for folder, names in _still_dirty().items():
        reason = errors.get(folder) or "no scene has that shot; save it by Image > Save As."
        messages.tell(
            f"The .blend is saved without the paint on {', '.join(names)}, which stays in this "
            f"Blender only: {reason}"
        )


def _still_dirty() -> dict[Path, list[str]]:
    """Return shot folder → names of its paintings and masks whose paint is only in memory."""
    found: dict[Path, list[str]] = {}
    for image in bpy.data.images:
        is_painting = image.source == "FILE" and image.filepath and image.library is None
        if is_painting and image.is_dirty and file_sync.is_noted(image):
            found.setdefault(shot_folder_of(image), []).append(path_of(image).name)
    return found


_HANDLERS = Handlers(save_pre=_save_before_blend)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
    _modified.clear()
