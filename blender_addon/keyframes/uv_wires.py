# SPDX-License-Identifier: GPL-3.0-or-later
"""Hides the wires of the object's UV map where a painting is shown.

Blender draws them over whatever picture is painted in the Image Editor. An editor shows them again
as soon as it shows another picture.
"""

from __future__ import annotations

from typing import Any

from ..engine.shared.places import real_path
from ..engine.shared.shot import Shot
from . import editor_areas, images

_hidden: set[int] = set()
"""Addresses of the editors whose wires are hidden."""


def update() -> None:
    """Hide or show the wires in each Image Editor; cheap enough to be called often."""
    for area in editor_areas.image_editors():
        space: Any = area.spaces.active
        key = space.as_pointer()
        if _shows_painting(space.image):
            if key not in _hidden and space.uv_editor.show_uv:
                space.uv_editor.show_uv = False
                _hidden.add(key)
        elif key in _hidden:
            _hidden.discard(key)
            space.uv_editor.show_uv = True


def _shows_painting(image: Any | None) -> bool:
    """Return whether an image is in the folder keys of a shot."""
    if image is None or image.source != "FILE" or not image.filepath:
        return False
    folder = images.shot_folder_of(image)
    keys = real_path(folder / "keys")
    return images.path_of(image).parent == keys and Shot.exists(folder)


def unregister() -> None:
    for area in editor_areas.image_editors():
        space: Any = area.spaces.active
        if space.as_pointer() in _hidden:
            space.uv_editor.show_uv = True
    _hidden.clear()


def register() -> None:
    _hidden.clear()
