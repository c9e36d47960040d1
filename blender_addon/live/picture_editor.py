# SPDX-License-Identifier: GPL-3.0-or-later
"""The Image Editor that shows the stylized picture beside the painting.

It shows an empty image of the shot's size, and the picture is drawn over it: a texture need not go
through Blender's image. The image is Paintover's own and goes away with the session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..engine.shared.shot import Shot

NAME = "Live Picture"
_MARK = "paintover_live"
_GROUND = 0.18, 0.18, 0.18, 1.0
_LEAST_WIDTH = 400
_before: dict[int, str] = {}
"""Address of an editor's area → name of the image that it showed before, "" for none."""
_split: list[int] = []
"""Address of the area that was split off for the picture."""


def open_beside(shot: Shot) -> None:
    """Show the picture in an Image Editor that shows no painting.

    Where there is no such editor, the widest one with a painting is split in two. Without any
    Image Editor nothing is shown.
    """
    editors = list(_editors())
    free = [each for each in editors if not _is_painted_on(each[1])]
    if free:
        chosen = max(free, key=lambda each: each[1].width * each[1].height)[1]
    elif editors:
        window, widest = max(editors, key=lambda each: each[1].width)
        if widest.width < _LEAST_WIDTH:
            return
        chosen = _split_off(window, widest)
    else:
        return
    show_in(chosen, shot)


def show_in(area: Any, shot: Shot) -> None:
    """Show the picture in an Image Editor."""
    space = area.spaces.active
    if not is_shown_in(space):
        _before[area.as_pointer()] = space.image.name if space.image else ""
    space.ui_mode = "VIEW"
    space.image = _image(shot)
    space.use_image_pin = True


def is_shown_in(space: Any) -> bool:
    """Return whether a space shows the picture."""
    return space.type == "IMAGE_EDITOR" and _is_ours(space.image)


def is_shown() -> bool:
    """Return whether any Image Editor shows the picture."""
    return any(is_shown_in(area.spaces.active) for _, area in _editors())


def reopen(shot: Shot) -> None:
    """Show the picture again where an undo took it away."""
    for _, area in _editors():
        if area.as_pointer() in _before and area.spaces.active.image is None:
            show_in(area, shot)


def close() -> None:
    """Let the editors show what they showed before, and remove the image."""
    for window, area in list(_editors()):
        space = area.spaces.active
        if not is_shown_in(space):
            continue
        if area.as_pointer() in _split and len(window.screen.areas) > 1:
            with bpy.context.temp_override(window=window, area=area):
                bpy.ops.screen.area_close()
            continue
        space.use_image_pin = False
        space.image = bpy.data.images.get(_before.get(area.as_pointer(), ""))
    _before.clear()
    _split.clear()
    remove_leftovers()


def remove_leftovers() -> None:
    """Remove the image, also from a .blend that was saved while it was shown."""
    for image in list(bpy.data.images):
        if _is_ours(image) and image.library is None:
            bpy.data.images.remove(image)


def _split_off(window: Any, area: Any) -> Any:
    before = {each.as_pointer() for each in window.screen.areas}
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    added = next(each for each in window.screen.areas if each.as_pointer() not in before)
    _split.append(added.as_pointer())
    space = added.spaces.active
    space.show_region_ui = space.show_region_toolbar = False
    return added


def _editors() -> Iterator[tuple[Any, Any]]:
    manager: Any = bpy.context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR" and area.ui_type == "IMAGE_EDITOR":
                yield window, area


def _is_painted_on(area: Any) -> bool:
    space = area.spaces.active
    return space.ui_mode == "PAINT" and space.image is not None


def _is_ours(image: Any) -> bool:
    return image is not None and bool(image.get(_MARK))


def _image(shot: Shot) -> Any:
    found = next((image for image in bpy.data.images if _is_ours(image)), None)
    if found is None:
        width, height = shot.manifest.width, shot.manifest.height
        made: Any = bpy.data.images.new(NAME, width, height, alpha=True)
        made.generated_color = _GROUND
        made[_MARK] = True
        found = made
    return found
