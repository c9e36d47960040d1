# SPDX-License-Identifier: GPL-3.0-or-later
"""The cells whose sight is counted: places in the frames of a shot, on a coarse grid."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..images.array_files import Arrays
from ..images.types import BoolArray, FloatArray
from ..shared.shot import Shot

REDUCED_WIDTH = 256
"""Width in pixels to which frames are reduced at most."""
MOST_CELLS = 250_000
"""Cells of all frames together, about."""
WIDEST, NARROWEST = 128, 32
"""Most and fewest cells in a row of a frame."""


class Grid(NamedTuple):
    """How frames are reduced, and where cells lie in the reduced frames.

    Attributes:
        step: a pixel of a reduced frame for so many of a frame, in both directions.
        cell: a cell for so many pixels of a reduced frame, in both directions.
        shape: height and width of a reduced frame.
    """

    step: int
    cell: int
    shape: tuple[int, int]

    @classmethod
    def of(cls, shot: Shot, frames: int) -> Grid:
        """Return the grid for so many frames of a shot."""
        width, height = shot.manifest.width, shot.manifest.height
        step = max(1, -(-width // REDUCED_WIDTH))
        shape = -(-height // step), -(-width // step)
        fits = math.sqrt(MOST_CELLS / max(frames, 1) * shape[1] / shape[0])
        row = min(max(fits, NARROWEST), WIDEST)
        return cls(step, max(1, round(shape[1] / row)), shape)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of cells in a frame."""
        return -(-self.shape[0] // self.cell), -(-self.shape[1] // self.cell)

    def picked(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the values of a frame, (H, W) or (H, W, C), at the pixels of the reduced one."""
        return np.ascontiguousarray(values[:: self.step, :: self.step])


class Views(ABC):
    """The cells of a shot, and which of them a frame sees.

    Attributes:
        grid: where the cells lie.
        frame: (N,) int32, the number of each cell's frame.
        row, column: (N,), its pixel in the reduced frame.
        weight: (N,) float32, how much the cell counts.
    """

    grid: Grid
    frame: npt.NDArray[np.int32]
    row: npt.NDArray[Any]
    column: npt.NDArray[Any]
    weight: FloatArray

    @abstractmethod
    def seen(self, key: int, mask: BoolArray | None) -> BoolArray:
        """Return (N,) bool, True for the cells whose point a frame shows.

        Args:
            key: number of the frame.
            mask: (h, w) bool in the reduced size, the part of it that counts; None: all.
        """

    def is_whole(self, key: int, mask: BoolArray) -> bool:
        """Return whether all cells of a frame are in a mask (h, w) of it."""
        own = self.frame == key
        return bool(mask[self.row[own], self.column[own]].all())

    @abstractmethod
    def arrays(self) -> Arrays:
        """Return the arrays that the views can be made from again, to be kept."""
