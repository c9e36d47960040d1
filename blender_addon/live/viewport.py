# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints the 3D viewport: draws it into a buffer for the engine, and shows what comes back."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import bpy
import gpu

from ..engine.shared.errors import PaintoverError
from ..engine.shared.live_files import Canvas, PictureSlots
from ..engine.shared.live_protocol import LivePictures, LiveViewed
from . import timings
from .files import LiveFiles
from .pictures import TextureBudget, make_texture
from .plain_view import PlainView

_DEFAULT_SIZE = 384, 216
_LARGEST_SIDE = 1280
_ANSWER_SECONDS = 5.0
_SHARE = 0.3
"""Largest share of Blender's time that drawing the viewport may take."""
_REPAINT_SECONDS = 1.0
"""How often a viewport that stands still is painted anew while the engine learns."""


class PaintedViewport:
    """The largest 3D viewport, painted.

    Args:
        files: make and delete the files.
        budget: grants textures.
        scale: of the viewport's width and height.
    """

    def __init__(self, files: LiveFiles, budget: TextureBudget, scale: float) -> None:
        width, height = _size(scale)
        self.place = LivePictures(str(files.make("view.raw")), width, height)
        self._slots = PictureSlots.make(self.place)
        files.close_with(contextlib.closing(self._slots))
        self._path = files.make("viewport.raw")
        self._canvas = Canvas.make(self._path, width, height)
        files.close_with(contextlib.closing(self._canvas))
        self._budget, self._plain = budget, PlainView()
        self._buffer: Any = None
        self._offscreen: Any = None
        self._drawing = 0.0
        self._asked = 0
        self._asked_at = 0.0
        self._key: Any = None
        self._is_ready = self._is_missing = False
        self._lasting = ""
        self.texture: Any = None
        """The last picture, None if there is none yet."""
        self.sentence = ""
        """What the viewport cannot give to the style, why there is no picture yet, or ""."""

    @property
    def path(self) -> str:
        """The file of the viewport's picture."""
        return str(self._path)

    @staticmethod
    def area() -> Any:
        """Return the area of the viewport that is painted, or None."""
        place = find_viewport()
        return place[1] if place else None

    def is_due(self, scene: Any, rate: float, updates: int, *, learns: bool) -> bool:
        """Return whether to draw the viewport now.

        Args:
            scene: the scene of the session.
            rate: most pictures in a second.
            updates: a number that changes with the scene's data.
            learns: whether the engine would paint the same picture differently by now.
        """
        now = time.monotonic()
        since = now - self._asked_at
        if since < max(1.0 / rate, self._drawing / _SHARE) or (
            self._asked and since < _ANSWER_SECONDS
        ):
            return False
        place = find_viewport()
        if place is None:
            return False
        view = place[1].spaces.active.region_3d
        key = _flat(view.view_matrix), _flat(view.window_matrix), scene.frame_current, updates
        is_old = (learns or self._is_missing) and since > _REPAINT_SECONDS
        if key == self._key and not is_old:
            return False
        self._key = key
        return True

    @timings.measured("draw viewport")
    def draw(self, scene: Any, number: int) -> None:
        """Draw the viewport into the file. Raises PaintoverError if Blender cannot."""
        place = find_viewport()
        if place is None:
            return
        window, area, region = place
        space = area.spaces.active
        width, height = self.place.width, self.place.height
        began = time.monotonic()
        try:
            if self._offscreen is None:
                self._offscreen = gpu.types.GPUOffScreen(width, height)
                pixels: Any = self._canvas.pixels
                self._buffer = gpu.types.Buffer("FLOAT", len(pixels), pixels)
            self._plain.make(space)
            self._offscreen.draw_view3d(
                scene,
                window.view_layer,
                space,
                region,
                space.region_3d.view_matrix,
                space.region_3d.window_matrix,
                do_color_management=True,
            )
            with self._canvas.writing(0, number), self._offscreen.bind():
                frame: Any = gpu.state.active_framebuffer_get()
                frame.read_color(0, 0, width, height, 4, 0, "FLOAT", data=self._buffer)
        except (RuntimeError, SystemError, ReferenceError) as error:
            raise PaintoverError(
                f"Blender cannot draw this viewport into a buffer ({error}); Paint the Viewport is "
                "off."
            ) from error
        self._asked, self._asked_at = number, time.monotonic()
        self._drawing = self._asked_at - began

    def take(self, viewed: LiveViewed) -> None:
        """Take the engine's answer."""
        if viewed.number == self._asked:
            self._asked = 0
        self._is_missing = not viewed.sequence
        if viewed.sequence:
            self._lasting = viewed.sentence or self._lasting
            self._is_ready = True
        self.sentence = self._lasting if viewed.sequence else viewed.sentence

    def update_texture(self) -> bool:
        """Show the picture that came back, if there is a new one; return whether it is shown."""
        if not self._is_ready or not self._budget.take():
            return False
        texture = make_texture(self._slots, 0)
        if texture is None:
            return False
        self.texture, self._is_ready = texture, False
        return True

    def uncover(self) -> None:
        """Give the viewport back what is hidden in it while its painted picture covers it."""
        self._plain.put_back()

    def clear(self) -> None:
        """Free what is on the graphics card."""
        self.uncover()
        self.texture = self._buffer = self._key = None
        self._asked, self._is_ready = 0, False
        if self._offscreen is not None:
            self._offscreen.free()
            self._offscreen = None


def find_viewport() -> tuple[Any, Any, Any] | None:
    """Return the window, area and region of the largest 3D viewport, or None."""
    manager: Any = bpy.context.window_manager
    found = [
        (window, area)
        for window in manager.windows
        for area in window.screen.areas
        if area.type == "VIEW_3D"
    ]
    if not found:
        return None
    window, area = max(found, key=lambda each: each[1].width * each[1].height)
    region = next(each for each in area.regions if each.type == "WINDOW")
    return window, area, region


def _size(scale: float) -> tuple[int, int]:
    place = find_viewport()
    width, height = (place[2].width, place[2].height) if place else (0, 0)
    if min(width, height) < 16:
        return _DEFAULT_SIZE
    scale = min(scale, _LARGEST_SIDE / max(width, height))
    return max(8, round(width * scale)), max(8, round(height * scale))


def _flat(matrix: Any) -> tuple[float, ...]:
    return tuple(round(value, 6) for row in matrix for value in row)
