# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip: a small picture of the shot from its first frame to its last.

The height of the light part is the share of a frame that the paintings show. Yellow lines are
keyframes, white ones cuts of the camera, and red dots frames that flicker.
"""

from __future__ import annotations

import bisect
import dataclasses

from ..drawn_icons import DrawnIcons
from ..engine.shared.coverage_records import Coverage

TILE = 64
"""Pixels of a side of a tile; the strip is a row of them."""
_Colour = tuple[int, int, int, int]
UNSEEN: _Colour = (38, 38, 38, 255)
SEEN: _Colour = (86, 128, 194, 255)
WEAK: _Colour = (196, 122, 62, 255)
KEY: _Colour = (255, 216, 60, 255)
WAITING: _Colour = (150, 132, 60, 255)
CUT: _Colour = (235, 235, 235, 255)
FLICKERS: _Colour = (230, 60, 60, 255)
LINE, DOT = 4, 10
"""Pixels of the width of a line, and of a side of a dot."""
ENOUGH = 0.9
"""From this share on a frame is drawn as seen well."""


@dataclasses.dataclass(frozen=True)
class Strip:
    """What the strip shows."""

    first: int
    last: int
    shares: tuple[tuple[int, float], ...]
    """Frames and the shares of them that are seen, in order."""
    keys: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    """Keyframes that are not painted yet."""
    cuts: tuple[int, ...] = ()
    unsteady: tuple[int, ...] = ()

    @classmethod
    def of(cls, coverage: Coverage, unsteady: tuple[int, ...] = ()) -> Strip:
        """Return the strip of a coverage and of the frames that flicker."""
        shares = tuple(sorted(coverage.frames.items()))
        waiting = tuple(one.frame for one in coverage.suggestions if one.is_keyframe)
        ends = (shares[0][0], shares[-1][0]) if shares else (1, 1)
        keys, cuts = tuple(coverage.keys), tuple(coverage.cuts)
        return cls(*ends, shares, keys, waiting, cuts, unsteady)

    def share(self, frame: int) -> float:
        """Return the share of a frame; between frames that were looked at, that of the nearer."""
        frames = [one for one, _ in self.shares]
        after = min(bisect.bisect_left(frames, frame), len(frames) - 1)
        before = max(after - 1, 0)
        near = before if abs(frames[before] - frame) < abs(frames[after] - frame) else after
        return self.shares[near][1]

    def column(self, frame: int, width: int) -> int:
        """Return the column of a frame's middle in a strip so many pixels wide."""
        count = self.last - self.first + 1
        return min(max(int((frame - self.first + 0.5) * width / count), 0), width - 1)

    def pixels(self, width: int, height: int) -> list[list[_Colour]]:
        """Return the rows of the strip, from the bottom up."""
        rows = [[UNSEEN] * width for _ in range(height)]
        count = self.last - self.first + 1
        for column in range(width if self.shares else 0):
            share = self.share(self.first + int((column + 0.5) * count / width))
            colour = SEEN if share >= ENOUGH else WEAK
            for line in rows[: round(share * height)]:
                line[column] = colour
        for frames, colour in ((self.cuts, CUT), (self.waiting, WAITING), (self.keys, KEY)):
            self._mark(rows, frames, colour, LINE)
        self._mark(rows[-DOT:], self.unsteady, FLICKERS, DOT)
        return rows

    def _mark(
        self, rows: list[list[_Colour]], frames: tuple[int, ...], colour: _Colour, wide: int
    ) -> None:
        """Draw a mark so many pixels wide at each of some frames."""
        for frame in frames:
            left = max(self.column(frame, len(rows[0])) - wide // 2, 0)
            for line in rows:
                line[left : left + wide] = [colour] * len(line[left : left + wide])


class Tiles:
    """The strip as icons of Blender, made anew when it or its width changes."""

    def __init__(self) -> None:
        self._icons = DrawnIcons()
        self._shown: tuple[Strip, int] | None = None

    def open(self) -> None:
        """Make Blender's collection of icons."""
        self._icons.open()
        self._shown = None

    def icons(self, strip: Strip, count: int) -> list[int]:
        """Return the icons of so many tiles, from left to right."""
        if self._shown != (strip, count):
            self._icons.clear()
            rows = strip.pixels(count * TILE, TILE)
            for number in range(count):
                cut = slice(number * TILE, (number + 1) * TILE)
                values = bytes([value for row in rows for pixel in row[cut] for value in pixel])
                self._icons.add(str(number), TILE, TILE, values, in_text_size=True)
            self._shown = strip, count
        return list(self._icons.ids().values())

    def close(self) -> None:
        """Free the icons."""
        self._icons.close()


_tiles = Tiles()


def icons(strip: Strip, count: int) -> list[int]:
    """Return the icons of a strip of so many square tiles, from left to right."""
    return _tiles.icons(strip, count)


def register() -> None:
    _tiles.open()


def unregister() -> None:
    _tiles.close()
