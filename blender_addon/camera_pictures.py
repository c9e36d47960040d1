# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames as a picture of the scene's camera, in the view through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .compositor import sequences
from .engine.shared.errors import PaintoverError
from .engine.shared.places import real_path
from .engine.shared.shot import Shot


def is_shown(scene: Any, folder: Path) -> bool:
    """Return whether the scene's camera shows a folder of stylized frames."""
    camera = scene.camera
    if camera is None or camera.type != "CAMERA" or not camera.data.show_background_images:
        return False
    return bool(_pictures(camera.data, folder))


def show(scene: Any, shot: Shot, style: str, suffix: str) -> None:
    """Show the stylized frames in front of the scene, each at its frame.

    Raises:
        PaintoverError: there is no camera, or it lies in another .blend.
    """
    camera = _camera(scene)
    paths = {frame: shot.out_path(style, frame, suffix) for frame in shot.out_frames(style, suffix)}
    sequence = sequences.arrange(paths, shot.cache_folder(sequences.FOLDER) / style)
    folder = sequence.first.parent
    image = sequences.load(sequences.find(folder), f"Paintover {style}", sequence.first, shot)
    found = _pictures(camera, folder)
    picture = found[0] if found else camera.background_images.new()
    picture.image = image
    picture.display_depth, picture.frame_method, picture.alpha = "FRONT", "STRETCH", 1.0
    picture.show_background_image = True
    sequences.play(picture.image_user, sequence)
    camera.show_background_images = True


def hide(scene: Any, folder: Path) -> None:
    """Take the stylized frames of a folder out of the scene's camera again.

    Raises:
        PaintoverError: there is no camera, or it lies in another .blend.
    """
    camera = _camera(scene)
    for picture in _pictures(camera, folder):
        camera.background_images.remove(picture)
    if not camera.background_images:
        camera.show_background_images = False


def _camera(scene: Any) -> Any:
    camera = scene.camera
    if camera is None or camera.type != "CAMERA":
        raise PaintoverError(f'The scene "{scene.name}" has no camera; add one.')
    if not camera.data.is_editable:
        raise PaintoverError(
            f'The camera "{camera.name}" is linked from another .blend, so no picture can be added '
            "to it; make it local, or press Play Result."
        )
    return camera.data


def _pictures(camera: Any, folder: Path) -> list[Any]:
    return [
        picture
        for picture in camera.background_images
        if picture.image is not None
        and picture.image.source == "SEQUENCE"
        and sequences.folder_of(picture.image) == real_path(folder)
    ]
