# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the channels of multilayer EXR files, which hold the passes of a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .oiio_files import opened, parts, read_all, read_window, to_display_window
from .types import FloatArray
from .window import Window


class Layers:
    """An open multilayer EXR file with one part or many; made by ``opened_layers``."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path, self._file = path, file
        self._parts = list(parts(file))

    @property
    def names(self) -> list[str]:
        """The full names of all channels, such as ``ViewLayer.Depth.Z``."""
        return [name for _, spec in self._parts for name in spec.channelnames]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the display window, in pixels."""
        spec = self._parts[0][1]
        return spec.full_width, spec.full_height

    def read(
        self, groups: Mapping[str, Sequence[str]], window: Window | None = None
    ) -> dict[str, FloatArray]:
        """Read groups of channels.

        Args:
            groups: any name → full names of channels; channels that the file lacks are left out.
            window: the part of the display window to read; None reads all.

        Returns:
            Name → (H, W, C) float32, values as stored; 0 outside the data window. Groups without
            any channel are left out. The arrays are views and may share memory.

        Raises:
            PaintoverError: the file is damaged or truncated.
        """
        wanted = {channel for group in groups.values() for channel in group}
        layers: dict[str, tuple[FloatArray, int]] = {}
        for part, spec in self._parts:
            indices = [i for i, name in enumerate(spec.channelnames) if name in wanted]
            if not indices:
                continue
            first, last = indices[0], indices[-1] + 1
            if window is None or spec.tile_width:
                values = read_all(self._path, self._file, part, spec, first, last)
                values = to_display_window(values, spec)
                values = values[window.inside] if window else values
            else:
                values = read_window(self._path, self._file, part, spec, first, last, window)
            layers.update({spec.channelnames[index]: (values, index - first) for index in indices})
        return {
            name: _together([layers[channel] for channel in group if channel in layers])
            for name, group in groups.items()
            if any(channel in layers for channel in group)
        }


@contextmanager
def opened_layers(path: Path) -> Iterator[Layers]:
    """Open a multilayer EXR file.

    Raises:
        PaintoverError: the file is missing, damaged or not an EXR.
    """
    with opened(path) as file:
        yield Layers(path, file)


def _together(channels: Sequence[tuple[FloatArray, int]]) -> FloatArray:
    """Combine channels, each given as an array (H, W, C) and an index into it, to (H, W, N)."""
    values, first = channels[0]
    if all(other is values and i == first + n for n, (other, i) in enumerate(channels)):
        return values[..., first : first + len(channels)]
    return np.stack([values[..., index] for values, index in channels], -1)
