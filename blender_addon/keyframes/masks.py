# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of keyframes: pictures that say, in white, which part of a painting is learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import read_by_state, written_beside
from ..engine.shared.manifest import MANIFEST_NAME
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.places import real_place
from ..engine.shared.shot import Shot
from . import file_sync, images, paintings

SUFFIX = ".mask.png"
_WHITE = 1.0, 1.0, 1.0, 1.0


def _open_shot(manifest: Path) -> Shot | None:
    try:
        return Shot.open(manifest.parent)
    except PaintoverError:
        return None


_read_shot = read_by_state(_open_shot, None)
"""Shot of a ``shot.json``; read again when that has changed, so that drawing may ask for it."""


def load(shot: Shot, frame: int) -> Any:
    """Return the mask of a keyframe as an image to paint on; a white one where there is none.

    Raises:
        PaintoverError: the frame is no keyframe, or the mask cannot be read or written.
    """
    if frame not in shot.key_frames():
        raise PaintoverError(f"Frame {frame} is not a keyframe; add it first.")
    path = shot.key_mask_path(frame)
    if not path.is_file():
        _write_white(shot, path)
    image: Any = images.find_image(path)
    if image is None:
        check_before_loading(path, shot.manifest.size)
        image = bpy.data.images.load(str(path), check_existing=False)
        if 0 in image.size:
            bpy.data.images.remove(image)
            raise PaintoverError(f"{path} cannot be read; remove the mask, or save it again.")
        file_sync.note_same(image, path)
    image.name = f"Mask {frame}"
    image.use_fake_user = True
    image.use_view_as_render = False
    return image


def _write_white(shot: Shot, path: Path) -> None:
    width, height = shot.manifest.width, shot.manifest.height
    white: Any = bpy.data.images.new("Mask", width, height)
    white.generated_color, white.file_format = _WHITE, "PNG"
    try:
        with written_beside(path) as temporary:
            images.write(white, path, temporary)
    finally:
        bpy.data.images.remove(white)


def remove(shot: Shot, frame: int) -> str:
    """Let all of a painting be learnt again; its mask is kept among the versions.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the frame has no mask, or a file cannot be written.
    """
    path = shot.key_mask_path(frame)
    images.save_unsaved(shot)
    version = shot.keep_version(path)
    if version is None:
        raise PaintoverError(f"Frame {frame} has no mask; all of its painting is learnt.")
    paintings.forget_moved(path)
    image = images.find_image(path)
    if image is not None:
        if frame in shot.key_frames():
            image.user_remap(images.load(shot, frame))
        bpy.data.images.remove(image)
    return f"All of frame {frame} is learnt; its mask is kept as {version.name}"


def of_image(image: Any | None) -> tuple[Shot, int] | None:
    """Return the shot and the frame of an image that is a mask, else None."""
    if image is None or image.source != "FILE" or not image.filepath:
        return None
    path = images.path_of(image)
    if not path.name.endswith(SUFFIX):
        return None
    shot = _read_shot(images.shot_folder_of(image) / MANIFEST_NAME)
    if shot is None:
        return None
    try:
        keys = shot.key_frames()
    except PaintoverError:
        return None
    frames = [frame for frame in keys if real_place(shot.key_mask_path(frame)) == path]
    return (shot, frames[0]) if frames else None
