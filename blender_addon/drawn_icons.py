# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that Paintover draws or receives, as icons of Blender."""

from __future__ import annotations

import array
from typing import Any

import bpy.utils.previews


class DrawnIcons:
    """Icons by their names; there are none while the add-on is disabled."""

    def __init__(self) -> None:
        self._previews: Any = None

    def open(self) -> None:
        """Make Blender's collection of icons."""
        self._previews = bpy.utils.previews.new()

    def close(self) -> None:
        """Free the icons."""
        bpy.utils.previews.remove(self._previews)
        self._previews = None

    def is_open(self) -> bool:
        """Return whether there is a collection."""
        return self._previews is not None

    def add(
        self, name: str, width: int, height: int, rgba: bytes, *, in_text_size: bool = False
    ) -> int:
        """Add an icon and return its id.

        Args:
            name: that no other icon has.
            width, height: in pixels.
            rgba: four bytes a pixel, straight alpha, bottom row first.
            in_text_size: also where Blender draws icons beside text, which else stay empty.
        """
        preview = self._previews.new(name)
        for kind in ("image", "icon") if in_text_size else ("image",):
            setattr(preview, f"{kind}_size", (width, height))
            getattr(preview, f"{kind}_pixels").foreach_set(array.array("i", rgba))
        return int(preview.icon_id)

    def ids(self) -> dict[str, int]:
        """Return the ids of the icons by their names, in the order in which they were added."""
        return {name: int(preview.icon_id) for name, preview in self._previews.items()}

    def clear(self) -> None:
        """Remove all icons."""
        self._previews.clear()
