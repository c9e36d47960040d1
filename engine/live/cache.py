# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures that Blender can show at once: which frame is in which slot, and how fresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from ..images.shown_pictures import put_picture
from ..images.types import FloatArray
from ..shared.live_files import PictureSlots
from ..shared.live_protocol import LivePictures
from .pictures import Tiles


@dataclasses.dataclass
class Entry:
    """A picture in a slot.

    Attributes:
        slot: its number.
        sequence: of its header.
        shows: ``carried``, ``network`` or ``final``.
        change: the last change of the paint that it shows.
        learnt: seconds of learning in all when it was painted; infinity where all was learnt.
        seen: keyframe → which of its tiles the frame shows.
        is_painted_over: whether a stroke since then shows in the frame.
    """

    slot: int
    sequence: int
    shows: str
    change: int
    learnt: float
    seen: Mapping[int, Tiles]
    is_painted_over: bool = False


class PictureCache:
    """Puts pictures into slots.

    Args:
        place: the file, as the add-on made it.

    Raises:
        OSError, ValueError: as ``PictureSlots``.
    """

    def __init__(self, place: LivePictures) -> None:
        self._slots = PictureSlots(place)
        self.place = place
        self.entries: dict[int, Entry] = {}
        self.range: list[int] = []

    def ahead(self, shown: int) -> list[int]:
        """Return the frames of the range that fit, from the shown one on, in the loop's order."""
        if shown in self.range:
            start = self.range.index(shown)
            order = self.range[start:] + self.range[:start]
        else:
            order = [shown, *self.range]
        return order[: self.place.slots]

    def near(self, shown: int, frames: Iterable[int], most: int) -> list[int]:
        """Return the frames beside the shown one that fit, the nearest first.

        Args:
            shown: the frame at the playhead, which is not among them.
            frames: those of the shot, in their order.
            most: how many on each side.
        """
        before = [frame for frame in frames if frame < shown][-most:]
        after = [frame for frame in frames if frame > shown][:most]
        order = sorted(before + after, key=lambda frame: (abs(frame - shown), -frame))
        return order[: self.place.slots - 1]

    def put(
        self,
        frame: int,
        shown: int,
        pixels: FloatArray,
        shows: str,
        change: int,
        learnt: float,
        seen: Mapping[int, Tiles],
    ) -> Entry:
        """Write a picture.

        Args:
            frame: its frame.
            shown: the frame at the playhead, whose picture is never replaced by another's.
            pixels: (H, W, 4) float32, 0..1, straight alpha, top row first.
            shows, change, learnt, seen: as in ``Entry``.
        """
        slot = self._slot_for(frame, shown)
        sequence = put_picture(self._slots, slot, frame, pixels, shows, change)
        entry = Entry(slot, sequence, shows, change, learnt, seen)
        self.entries[frame] = entry
        return entry

    def paint_over(self, key: int, tiles: Tiles) -> None:
        """Note a stroke: frames that show these tiles of a keyframe are no longer up to date."""
        for entry in self.entries.values():
            seen = entry.seen.get(key)
            if seen is None or (seen & tiles).any():
                entry.is_painted_over = True

    def forget(self) -> None:
        """Note that no picture is up to date any more."""
        for entry in self.entries.values():
            entry.is_painted_over = True
            entry.learnt = -1.0

    def close(self) -> None:
        """Close the file."""
        self._slots.close()

    def _slot_for(self, frame: int, shown: int) -> int:
        if frame in self.entries:
            return self.entries[frame].slot
        if len(self.entries) < self.place.slots:
            return len(self.entries)
        order = self.ahead(shown)
        ranks = {number: rank for rank, number in enumerate(order)}
        others = [number for number in self.entries if number != shown] or [shown]
        beyond = len(order)
        last = max(others, key=lambda each: ranks.get(each, beyond + abs(each - shown)))
        return self.entries.pop(last).slot
