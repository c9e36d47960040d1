# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized pictures of frames: from the engine's slots to textures on the graphics card.

Python cannot change a texture, so each picture becomes a new one, on the main thread, at most ten
in a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections import OrderedDict, deque
from typing import Any

import gpu

from ..engine.shared.live_files import PictureSlots
from ..engine.shared.live_protocol import LivePictures, LiveShown
from . import timings
from .files import LiveFiles

TEXTURES_PER_SECOND = 10
_TEXTURE_BYTES = 256 << 20
"""Graphics memory for the textures of a range."""
_SLOT_BYTES = 1 << 30
"""Size of the file of pictures; only what is written of it takes space."""
_MOST_SLOTS = 512
_AUTOMATIC_PIXELS = 960 * 540
"""Most pixels of a picture whose size is chosen automatically: a larger one would halt Blender."""


class TextureBudget:
    """Grants at most ``TEXTURES_PER_SECOND`` new textures within any second."""

    def __init__(self) -> None:
        self._made: deque[float] = deque(maxlen=TEXTURES_PER_SECOND)

    def take(self) -> bool:
        """Return whether a texture may be made now, and count it."""
        now = time.monotonic()
        if len(self._made) == TEXTURES_PER_SECOND and now - self._made[0] < 1.0:
            return False
        self._made.append(now)
        return True


@dataclasses.dataclass(frozen=True)
class ShownPicture:
    """A picture as a texture, and what the engine told about it."""

    texture: Any
    shown: LiveShown


def fitting_size(width: int, height: int, scale: float) -> tuple[int, int]:
    """Return the size of the pictures of a shot.

    Args:
        width, height: of the shot's frames in pixels.
        scale: 0..1 of them; 0: as large as Blender can take without a halt.
    """
    if scale <= 0:
        scale = min(1.0, (_AUTOMATIC_PIXELS / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))


def make_texture(slots: PictureSlots, slot: int) -> Any | None:
    """Return a texture of a slot, None if the engine was writing it meanwhile."""
    place = slots.place
    before = slots.header(slot)
    if before.sequence % 2:
        return None
    began = time.perf_counter()
    pixels = slots.pixels(slot)
    data = gpu.types.Buffer("FLOAT", len(pixels), pixels)
    texture = gpu.types.GPUTexture((place.width, place.height), format="RGBA8", data=data)
    timings.note("make texture", time.perf_counter() - began)
    return texture if slots.header(slot) == before else None


class Pictures:
    """The pictures of a session's frames.

    Args:
        files: make and delete the file.
        width, height: of the pictures in pixels.
        frames: how many frames the shot has.
        budget: grants textures.
    """

    def __init__(
        self, files: LiveFiles, width: int, height: int, frames: int, budget: TextureBudget
    ) -> None:
        path = files.make("pictures.raw")
        room = min(_SLOT_BYTES, shutil.disk_usage(path.parent).free // 2)
        most = max(3, min(_MOST_SLOTS, room // (width * height * 16)))
        self.place = LivePictures(str(path), width, height, slots=min(frames + 2, most))
        self._slots = PictureSlots.make(self.place)
        files.close_with(contextlib.closing(self._slots))
        self._shown: dict[int, LiveShown] = {}
        self._textures: OrderedDict[int, ShownPicture] = OrderedDict()
        self._budget = budget
        self._most = max(4, _TEXTURE_BYTES // (width * height * 4))
        self.last: ShownPicture | None = None
        """The picture that was shown last, of whatever frame."""
        self.is_late = False
        """Whether a picture waits until another texture may be made."""

    def note(self, shown: LiveShown) -> None:
        """Note a picture that the engine has made; the slot's picture before is gone."""
        for frame, other in list(self._shown.items()):
            if other.slot == shown.slot and frame != shown.frame:
                del self._shown[frame]
        self._shown[shown.frame] = shown

    def told(self, frame: int) -> LiveShown | None:
        """Return what the engine told last of a frame, None if its slot has another one now."""
        return self._shown.get(frame)

    def get(self, frame: int) -> ShownPicture | None:
        """Return the picture of a frame, or an older one of it, or None. Main thread only."""
        shown, known = self._shown.get(frame), self._textures.get(frame)
        if known is not None:
            self._textures.move_to_end(frame)
            if shown is None or known.shown.sequence == shown.sequence:
                return known
        if shown is None:
            return None
        header = self._slots.header(shown.slot)
        if header.frame != frame or header.sequence % 2:
            self.is_late = self.is_late or bool(header.sequence % 2)
            return known
        if not self._budget.take():
            self.is_late = True
            return known
        texture = make_texture(self._slots, shown.slot)
        if texture is None:
            self.is_late = True
            return known
        known = self._textures[frame] = ShownPicture(
            texture, dataclasses.replace(shown, shows=header.kind_name, change=header.change)
        )
        while len(self._textures) > self._most:
            self._textures.popitem(last=False)
        return known

    def drawn(self, frame: int) -> ShownPicture | None:
        """Return the picture of a frame that is on the graphics card, None if there is none."""
        return self._textures.get(frame)

    def has_texture(self, frame: int) -> bool:
        """Return whether the newest picture of a frame is on the graphics card."""
        shown, known = self._shown.get(frame), self._textures.get(frame)
        return known is not None and (shown is None or known.shown.sequence == shown.sequence)

    def copy(self, frame: int) -> bytes | None:
        """Return the pixels of a frame: float32 RGBA, bottom row first; None if not at hand."""
        shown = self._shown.get(frame)
        read = self._slots.read(shown.slot, frame) if shown else None
        return read[1] if read else None

    def clear(self) -> None:
        """Free the textures."""
        self._textures.clear()
        self._shown.clear()
        self.last = None
