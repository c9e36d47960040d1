# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps our pictures in Image Editors when an undo goes back to before they were loaded.

Blender then takes the image away, and leaves the editor empty, in all workspaces. Looking at a
picture is nothing that can be undone, so the editor gets it again: a painting or a mask as its file
has it (redo brings back the strokes), an earlier painting, stylized frames at the same frames, and
the pictures of a training or a live session. A picture of the user's own goes, as in any Blender.

And undo moves no files: an image of a painting that was moved to another frame shows it there.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import logs, picture_editors
from .compositor import sequences
from .engine.shared.errors import PaintoverError
from .engine.shared.places import is_file
from .engine.shared.shot import Shot
from .handlers import Handlers
from .keyframes import images, masks, paintings, version_images

_log = logs.logger(__name__)


@dataclasses.dataclass(frozen=True)
class _Shown:
    """What an Image Editor showed before the undo.

    Attributes:
        load: loads the picture again.
        timing: attributes of the editor's image user, by their names.
    """

    load: Callable[[], Any]
    timing: dict[str, Any]


_shown: dict[int, _Shown] = {}
"""By the address of the editor's space."""


def _editors() -> Iterator[Any]:
    """Yield the spaces of all Image Editors, also those that no window shows now."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "IMAGE_EDITOR":
                    yield space


@persistent  # type: ignore[untyped-decorator]
def _before_undo(*_: Any) -> None:
    _shown.clear()
    loaders: dict[Any, Callable[[], Any] | None] = {None: None}
    for space in _editors():
        image = space.image
        if image not in loaders:
            loaders[image] = _loader(image)
        load = loaders[image]
        if load is not None:
            user = space.image_user
            timing = {name: getattr(user, name) for name in sequences.TIMING}
            _shown[space.as_pointer()] = _Shown(load, timing)


def _loader(image: Any) -> Callable[[], Any] | None:
    """Return what loads an image again, None if it is no picture of ours."""
    painting, mask = images.keyframe_of(image), masks.of_image(image)
    if painting is not None:
        folder, frame = painting
        return lambda: images.load(Shot.open(folder), frame)
    if mask is not None:
        return functools.partial(masks.load, *mask)
    version = version_images.of_image(image)
    if version is not None:
        return functools.partial(version_images.load, *version)
    shot_folder = sequences.shot_folder(image)
    if shot_folder is not None:
        return functools.partial(_load_frames, image.name, sequences.path_of(image), shot_folder)
    return picture_editors.loader(image)


def _load_frames(name: str, path: Path, shot_folder: Path) -> Any:
    if not is_file(path):
        raise PaintoverError(f"{path} is not there any more; stylize again.")
    shot = Shot.open(shot_folder)
    return sequences.load(sequences.find(path.parent), name, path, shot)


@persistent  # type: ignore[untyped-decorator]
def _after_undo(*_: Any) -> None:
    _follow_moved()
    for space in _editors():
        shown = _shown.get(space.as_pointer())
        if shown is None or space.image is not None:
            continue
        try:
            space.image = shown.load()
        except PaintoverError as error:
            _log.info("%s", error)  # such as one that is no keyframe any more
            continue
        for name, value in shown.timing.items():
            setattr(space.image_user, name, value)
    _shown.clear()


def _follow_moved() -> None:
    for path in paintings.relocated:
        target = paintings.file_now(path)
        try:
            image = images.find_image(path)
            if target != path and is_file(target) and image is not None:
                images.relocate(Shot.open(images.shot_folder_of(image)), path, target)
        except PaintoverError as error:
            _log.info("%s", error)


_HANDLERS = Handlers(
    undo_pre=_before_undo, redo_pre=_before_undo, undo_post=_after_undo, redo_post=_after_undo
)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
    _shown.clear()
