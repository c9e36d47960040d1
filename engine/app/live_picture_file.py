# SPDX-License-Identifier: GPL-3.0-or-later
"""The file through which Blender gets the live picture of a training, as the engine writes it."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from ..shared.protocol import LivePicture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class LivePictureFile:
    """The memory-mapped file of a ``LivePicture``, open for writing.

    Args:
        place: path and size of the picture.

    Raises:
        OSError: the file does not exist or cannot be written.
        ValueError: the file is smaller than ``place.size``.
    """

    def __init__(self, place: LivePicture) -> None:
        self._place = place
        with Path(place.path).open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), place.size)
        self._sequence: int = place.HEADER.unpack_from(self._map)[0] & ~1

    def write(self, rgba: npt.NDArray[np.uint8]) -> int:
        """Write a picture.

        Args:
            rgba: (height, width, 4) uint8, display-referred, straight alpha, top row first.

        Returns:
            Its sequence number, which is even.

        Raises:
            ValueError: ``rgba`` does not have the size of the live picture.
        """
        place = self._place
        if rgba.shape != (place.height, place.width, 4):
            raise ValueError(
                f"its shape must be {(place.height, place.width, 4)}, not {rgba.shape}"
            )
        self._put_header(self._sequence + 1)
        self._map[place.HEADER.size : place.size] = rgba.tobytes()
        self._sequence = (self._sequence + 2) & 0xFFFFFFFF
        self._put_header(self._sequence)
        return self._sequence

    def close(self) -> None:
        """Close the file."""
        self._map.close()

    def _put_header(self, sequence: int) -> None:
        place = self._place
        place.HEADER.pack_into(self._map, 0, sequence, place.width, place.height)
