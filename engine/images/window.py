# SPDX-License-Identifier: GPL-3.0-or-later
"""Rectangular windows of pictures.

Only the part of a frame where something is visible has to be read and computed. Large pictures are
processed in bands to bound the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

LARGE = 1 << 22
"""Pictures of more pixels than this are processed in bands."""
HUGE = 1 << 25
"""Of pictures of more pixels than this, such as 12K and 16K, less is kept in memory."""
BAND = 5 << 17
"""Approximate number of pixels of a band."""
STEP = 16
"""Grown windows and bands are aligned to multiples of this many pixels, or end at the border."""


class Window(NamedTuple):
    """A rectangle of pixels in a picture.

    Attributes:
        top, left: first row and column.
        bottom, right: last row and column, plus 1.
        height, width: size of the whole picture.
    """

    top: int
    left: int
    bottom: int
    right: int
    height: int
    width: int

    @classmethod
    def whole(cls, height: int, width: int) -> Window:
        """Return the window that covers a whole picture."""
        return cls(0, 0, height, width, height, width)

    @property
    def inside(self) -> tuple[slice, slice]:
        """Slices (rows, columns) of the window in arrays of the whole picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the window."""
        return self.bottom - self.top, self.right - self.left

    def within(self, larger: Window) -> tuple[slice, slice]:
        """Return slices (rows, columns) of this window in arrays of a larger one."""
        top, left = self.top - larger.top, self.left - larger.left
        return slice(top, top + self.shape[0]), slice(left, left + self.shape[1])

    def grown(self, by: int) -> Window:
        """Return the window grown by this many pixels on each side, aligned, inside the picture."""
        return Window(
            max(0, (self.top - by) // STEP * STEP),
            max(0, (self.left - by) // STEP * STEP),
            min(self.height, -(-(self.bottom + by) // STEP) * STEP),
            min(self.width, -(-(self.right + by) // STEP) * STEP),
            self.height,
            self.width,
        )

    def parts(self, around: int) -> Iterator[tuple[Window, Window]]:
        """Split the window into bands of rows if it is large.

        Args:
            around: rows above and below a band that its computation needs.

        Yields:
            Each band, and the same band grown by these rows inside the window.
        """
        height, width = self.shape
        if height * width <= LARGE:
            yield self, self
            return
        margin = -(-around // STEP) * STEP
        high = max(STEP, BAND // width // STEP * STEP)
        if self.is_of_huge:
            high = max(high, 2 * margin)
        for top in range(self.top, self.bottom, high):
            bottom = min(top + high, self.bottom)
            first, last = max(self.top, top - margin), min(self.bottom, bottom + margin)
            yield self._replace(top=top, bottom=bottom), self._replace(top=first, bottom=last)

    def squares(self, side: int) -> Iterator[Window]:
        """Yield sample squares: four inside the window, or the window itself if it is small.

        Args:
            side: side of a square in pixels; windows of at most four such areas are small.
        """
        height, width = self.shape
        if height * width <= 4 * side * side:
            yield self
            return
        high, wide = min(side, height), min(side, width)
        for down in (0.25, 0.75):
            for across in (0.25, 0.75):
                top = self.top + int((height - high) * down)
                left = self.left + int((width - wide) * across)
                yield self._replace(top=top, left=left, bottom=top + high, right=left + wide)

    @property
    def spare(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Cropped margins ((top, bottom), (left, right)), in pixels."""
        return (self.top, self.height - self.bottom), (self.left, self.width - self.right)

    @property
    def halved(self) -> Window:
        """The same window in a picture of half the size."""
        return Window(*(size // 2 for size in self))

    @property
    def is_of_large(self) -> bool:
        """Whether the whole picture has more than ``LARGE`` pixels."""
        return self.height * self.width > LARGE

    @property
    def is_of_huge(self) -> bool:
        """Whether the whole picture has more than ``HUGE`` pixels."""
        return self.height * self.width > HUGE

    def joined(self, other: Window) -> Window:
        """Return the smallest window that contains both."""
        return Window(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
            self.height,
            self.width,
        )

    def spread(self, values: npt.NDArray[Any], larger: Window) -> npt.NDArray[Any]:
        """Place values (h, w, …) of this window in an array of a larger one, 0 elsewhere."""
        if self == larger:
            return values
        result = np.zeros((*larger.shape, *values.shape[2:]), values.dtype)
        result[self.within(larger)] = values
        return result


def seen_window(alpha: npt.NDArray[Any], around: int) -> Window:
    """Return the bounding window of the pixels that are not fully transparent, grown.

    Args:
        alpha: (H, W) of any number type; 0 is transparent.
        around: pixels to grow the window by on each side (see ``Window.grown``).
    """
    height, width = alpha.shape
    shown = np.ascontiguousarray(alpha if alpha.dtype == np.uint8 else alpha > 0).view(np.uint8)
    left, top, across, down = cv2.boundingRect(shown)
    if not across:
        across = down = 1
    return Window(top, left, top + down, left + across, height, width).grown(around)


def is_empty_around(values: npt.NDArray[Any], window: Window, band: int = 1) -> bool:
    """Return whether a window's border shows that the picture is empty all around it.

    That is so where all pixels of the border are equal, as around a single object on nothing.

    Args:
        values: (H, W) or (H, W, C), of the window; pixels of NaN alone are equal.
        window: the window; pixels on the picture's own border need not be equal.
        band: width of the border in pixels.
    """
    (above, below), (before, after) = window.spare
    sides = [
        (above, values[:band]),
        (below, values[-band:]),
        (before, values[:, :band]),
        (after, values[:, -band:]),
    ]
    borders = [side for goes_on, side in sides if goes_on]
    if not borders:
        return True
    first = borders[0][0, 0]
    if np.isnan(first).all():
        return all(np.isnan(border).all() for border in borders)
    return all((border == first).all() for border in borders)
