# SPDX-License-Identifier: GPL-3.0-or-later
"""Thumbnails of paintings: Blender makes them in a thread, and drawing never waits for one.

Those of files are Blender's own, kept in its cache by the second in which a file was written. So a
file counts once it is older than that. New paint shows by the preview of its image.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy.utils.previews

from ..engine.shared.errors import PaintoverError
from ..engine.shared.pictures.header_bounds import check_before_loading

_previews: Any = None
_times: dict[Path, int] = {}
"""Painting → modification time of the file that its thumbnail shows, in ns."""
_of_images: dict[Path, int] = {}
"""Painting with new paint → icon of its image's preview."""


def update(paintings: Mapping[Path, int], painted_on: Mapping[str, Any]) -> bool:
    """Make thumbnails of paintings anew where they have changed.

    Args:
        paintings: path → modification time in ns, 0 if the file was written a moment ago, or
            Blender must not load it.
        painted_on: file name → image of those with new paint.

    Returns:
        Whether one has new paint, so that its thumbnail must be drawn again.
    """
    for path, modified in paintings.items():
        if modified and _times.get(path) != modified:
            _times[path] = modified
            if str(path) in _previews:
                del _previews[str(path)]
        image = painted_on.get(path.name)
        preview = image.preview_ensure() if image is not None else None
        if preview is None:
            _of_images.pop(path, None)
        else:
            preview.reload()
            _of_images[path] = preview.icon_id
    return bool(_of_images.keys() & paintings.keys())


def icon(path: Path) -> int:
    """Return the icon of a painting; 0 as long as there is none."""
    if path in _of_images:
        return _of_images[path]
    return _file_icon(path) if path in _times else 0


def version_icon(path: Path, frame: tuple[int, int]) -> int:
    """Return the icon of a picture that does not change; 0 if Blender must not load it.

    Args:
        path: the picture.
        frame: width and height of the frames of its shot.
    """
    if str(path) not in _previews:
        try:
            check_before_loading(path, frame)
        except PaintoverError:
            return 0
    return _file_icon(path)


def _file_icon(path: Path) -> int:
    """Return the icon of a picture; the file is read later, in a thread."""
    name = str(path)
    if name not in _previews:
        _previews.load(name, name, "IMAGE")
    return int(_previews[name].icon_id)


def register() -> None:
    global _previews  # noqa: PLW0603 - Blender's collection lives as long as the add-on is enabled
    _previews = bpy.utils.previews.new()


def unregister() -> None:
    bpy.utils.previews.remove(_previews)
    _times.clear()
    _of_images.clear()
