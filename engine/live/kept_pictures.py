# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures to go on from when their frames are shown again, so that a stroke moves nothing else."""

from __future__ import annotations

from collections import OrderedDict

from .cache import Entry
from .pictures import Picture

KEPT_BYTES = 128 << 20
"""Bytes of pictures that are kept, at most."""


class KeptPictures:
    """The pictures that were made last."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[int, tuple[int, Picture]] = OrderedDict()

    def keep(self, frame: int, entry: Entry, picture: Picture) -> None:
        """Keep the picture of an entry, and drop the oldest ones."""
        self._pictures[frame] = entry.sequence, picture
        self._pictures.move_to_end(frame)
        most = max(1, KEPT_BYTES // (picture.pixels.nbytes + picture.channels.nbytes))
        while len(self._pictures) > most:
            self._pictures.popitem(last=False)

    def get(self, frame: int, entry: Entry | None) -> Picture | None:
        """Return the picture of an entry, None if it is not kept or shows earlier paint."""
        sequence, picture = self._pictures.get(frame, (0, None))
        if entry is None or entry.is_painted_over or entry.sequence != sequence:
            return None
        return picture

    def clear(self) -> None:
        """Drop all."""
        self._pictures.clear()
