# SPDX-License-Identifier: GPL-3.0-or-later
"""Image Editors that show pictures of the engine beside the painting.

They show an empty image of the pictures' size, and the pictures are drawn over it: a texture need
not go through Blender's image. The image is Paintover's own and goes away when it is closed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import bpy

from .engine.shared.shot import Shot

_GROUND = 0.18, 0.18, 0.18, 1.0
_LEAST_WIDTH = 400


class PictureEditor:
    """Shows one kind of picture in Image Editors.

    Args:
        name: of the image.
        mark: of the image, by which it is known again in a .blend.
    """

    def __init__(self, name: str, mark: str) -> None:
        self._name, self.mark = name, mark
        self._before: dict[int, str] = {}
        """Address of an editor's area → name of the image that it showed before, "" for none."""
        self._split: list[int] = []
        """Address of the area that was split off for the picture."""

    def open_beside(self, shot: Shot, columns: int = 1, other: Any = None) -> None:
        """Show the picture in an Image Editor that shows no painting.

        Where there is no such editor, the widest one with a painting is split in two. Without any
        Image Editor nothing is shown.

        Args:
            shot: its frames have the size of the picture.
            columns: how many pictures stand side by side.
            other: area of another kind to split in two where there is no Image Editor; None: none.
        """
        editors = list(_editors())
        free = [each for each in editors if not _is_painted_on(each[1])]
        if free:
            chosen = max(free, key=lambda each: each[1].width * each[1].height)[1]
        elif editors:
            window, widest = max(editors, key=lambda each: each[1].width)
            if widest.width < _LEAST_WIDTH:
                return
            chosen = self._split_off(window, widest)
        elif other is not None and other.width >= _LEAST_WIDTH:
            chosen = self._split_off(bpy.context.window, other)
        else:
            return
        self.show_in(chosen, shot, columns)

    def show_in(self, area: Any, shot: Shot, columns: int = 1) -> None:
        """Show the picture in an Image Editor."""
        space = area.spaces.active
        if not self.is_shown_in(space):
            self._before[area.as_pointer()] = space.image.name if space.image else ""
        space.ui_mode = "VIEW"
        space.image = self._image(shot, columns)
        space.use_image_pin = True

    def set_columns(self, shot: Shot, columns: int) -> None:
        """Let so many pictures stand side by side, where the picture is shown."""
        if any(self._is_ours(image) for image in bpy.data.images):
            self._image(shot, columns)

    def is_shown_in(self, space: Any) -> bool:
        """Return whether a space shows the picture."""
        return space.type == "IMAGE_EDITOR" and self._is_ours(space.image)

    def is_shown(self) -> bool:
        """Return whether any Image Editor shows the picture."""
        return any(self.is_shown_in(area.spaces.active) for _, area in _editors())

    def loader(self, image: Any) -> Callable[[], Any] | None:
        """Return what makes the image anew where it is gone; None for another image."""
        return functools.partial(self._sized, *image.size) if self._is_ours(image) else None

    def close(self) -> None:
        """Let the editors show what they showed before, and remove the image."""
        for window, area in list(_editors()):
            space = area.spaces.active
            if not self.is_shown_in(space):
                continue
            if area.as_pointer() in self._split and len(window.screen.areas) > 1:
                with bpy.context.temp_override(window=window, area=area):
                    bpy.ops.screen.area_close()
                continue
            space.use_image_pin = False
            space.image = bpy.data.images.get(self._before.get(area.as_pointer(), ""))
        self._before.clear()
        self._split.clear()
        self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Remove the image, also from a .blend that was saved while it was shown."""
        for image in list(bpy.data.images):
            if self._is_ours(image) and image.library is None:
                bpy.data.images.remove(image)

    def fit(self) -> None:
        """Let the editors show all of the picture, as large as it fits."""
        for window, area in _editors():
            region = next((one for one in area.regions if one.type == "WINDOW"), None)
            if self.is_shown_in(area.spaces.active) and region is not None:
                with bpy.context.temp_override(window=window, area=area, region=region):
                    bpy.ops.image.view_all(fit_view=True)

    def redraw(self) -> None:
        """Draw the editors again that show the picture."""
        for _, area in _editors():
            if self.is_shown_in(area.spaces.active):
                area.tag_redraw()

    def _split_off(self, window: Any, area: Any) -> Any:
        before = {each.as_pointer() for each in window.screen.areas}
        with bpy.context.temp_override(window=window, area=area):
            bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
        added = next(each for each in window.screen.areas if each.as_pointer() not in before)
        added.ui_type = "IMAGE_EDITOR"
        self._split.append(added.as_pointer())
        space = added.spaces.active
        space.show_region_ui = space.show_region_toolbar = False
        return added

    def _is_ours(self, image: Any) -> bool:
        return image is not None and bool(image.get(self.mark))

    def _image(self, shot: Shot, columns: int) -> Any:
        return self._sized(columns * shot.manifest.width, shot.manifest.height)

    def _sized(self, width: int, height: int) -> Any:
        found: Any = next((image for image in bpy.data.images if self._is_ours(image)), None)
        if found is None:
            found = bpy.data.images.new(self._name, width, height, alpha=True)
            found.generated_color = _GROUND
            found[self.mark] = True
        if tuple(found.size) != (width, height):
            found.generated_width, found.generated_height = width, height
        return found


LIVE = PictureEditor("Live Picture", "paintover_live")
TRAINING = PictureEditor("Training Picture", "paintover_training")


def loader(image: Any) -> Callable[[], Any] | None:
    """Return what makes an image of these editors anew where it is gone; None for another one."""
    return LIVE.loader(image) or TRAINING.loader(image)


def _editors() -> Iterator[tuple[Any, Any]]:
    manager: Any = bpy.context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR" and area.ui_type == "IMAGE_EDITOR":
                yield window, area


def _is_painted_on(area: Any) -> bool:
    space = area.spaces.active
    return space.ui_mode == "PAINT" and space.image is not None
