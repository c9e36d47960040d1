# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps paintings in the Image Editor when an undo goes back to before they were opened.

Blender then takes the image away, and the editor is empty. It gets the painting again as its file
has it; redo brings back the strokes. And undo moves no files: an image of a painting that was moved
to another frame shows it there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from bpy.app.handlers import persistent

from .. import logs
from ..engine.shared.errors import PaintoverError
from ..engine.shared.shot import Shot
from ..handlers import Handlers
from . import editor_areas, images, masks, paintings

_log = logs.logger(__name__)

_shown: dict[int, Callable[[], Any]] = {}
"""Address of an Image Editor's area → what loads the painting or mask that it showed before the
undo."""


@persistent  # type: ignore[untyped-decorator]
def _before_undo(*_: Any) -> None:
    _shown.clear()
    for area in editor_areas.image_editors():
        load = _loader(area.spaces.active.image)
        if load is not None:
            _shown[area.as_pointer()] = load


def _loader(image: Any | None) -> Callable[[], Any] | None:
    """Return what loads an image that is a painting or a mask again, else None."""
    painting, mask = images.keyframe_of(image), masks.of_image(image)
    if painting is not None:
        folder, frame = painting
        return lambda: images.load(Shot.open(folder), frame)
    if mask is not None:
        return functools.partial(masks.load, *mask)
    return None


@persistent  # type: ignore[untyped-decorator]
def _after_undo(*_: Any) -> None:
    _follow_moved()
    for area in editor_areas.image_editors():
        load = _shown.get(area.as_pointer())
        if load is None or area.spaces.active.image is not None:
            continue
        try:
            area.spaces.active.image = load()
        except PaintoverError as error:
            _log.info("%s", error)  # such as one that is no keyframe any more
    _shown.clear()


def _follow_moved() -> None:
    for path in paintings.relocated:
        target = path
        while target in paintings.relocated and not target.is_file():
            target = paintings.relocated[target]
        try:
            if target != path and target.is_file() and images.find_image(path) is not None:
                images.relocate(Shot.open(path.parent.parent), path, target)
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
