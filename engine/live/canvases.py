# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the canvases that Blender fills while the artist paints."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..images.colour.srgb import encode_srgb
from ..images.types import FloatArray
from ..shared.errors import PaintoverError
from ..shared.live_files import Canvas

TRIES = 50
"""Readings of a canvas that is written meanwhile, at most; Blender writes one in milliseconds."""


class Pixels(NamedTuple):
    """The pixels of a canvas: (H, W, 3) colours and (H, W) alpha, float32, 0..1, top row first.

    Colours are display-referred with straight alpha.
    """

    paint: FloatArray
    alpha: FloatArray


class CanvasReader:
    """Keeps canvases open, and reads them as often as needed."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Canvas, int]] = {}

    def read(self, path: str, size: tuple[int, int] | None, *, linear: bool) -> Pixels:
        """Read a canvas.

        Args:
            path: of the file.
            size: width and height that it must have; None: those of its header.
            linear: as in ``LivePaint``.

        Raises:
            PaintoverError: it cannot be read, or has another size.
        """
        try:
            canvas = self._opened(path, size)
            return _converted(_whole(canvas), linear=linear)
        except (OSError, ValueError) as error:
            raise PaintoverError(
                f"The canvas {path} cannot be read ({error}); turn Live off and on again."
            ) from error

    def _opened(self, path: str, size: tuple[int, int] | None) -> Canvas:
        found, identity = Canvas.size_of(Path(path)), Path(path).stat().st_ino
        if size is not None and found != size:
            raise ValueError(f"it is {found[0]}×{found[1]}, not {size[0]}×{size[1]}")
        canvas, before = self._open.get(path, (None, 0))
        if canvas and (before != identity or found != (canvas.width, canvas.height)):
            del self._open[path]
            canvas.close()
            canvas = None
        if canvas is None:
            canvas = Canvas(Path(path), *found)
            self._open[path] = canvas, identity
        return canvas

    def close(self) -> None:
        """Close all canvases."""
        for canvas, _ in self._open.values():
            canvas.close()
        self._open.clear()


def _whole(canvas: Canvas) -> FloatArray:
    """Return a copy (H, W, 4) of the pixels, top row first, that was not written meanwhile."""
    shape = canvas.height, canvas.width, 4
    for _ in range(TRIES):
        before = canvas.header()
        copy = np.array(canvas.pixels, np.float32).reshape(shape)[::-1]
        if before.sequence % 2 == 0 and canvas.header() == before:
            break
    return np.ascontiguousarray(copy)


def _converted(pixels: FloatArray, *, linear: bool) -> Pixels:
    pixels = np.nan_to_num(pixels, copy=False, nan=0.0, posinf=1.0, neginf=0.0)
    alpha = np.clip(pixels[..., 3], 0, 1)
    paint = pixels[..., :3]
    if linear:
        paint = encode_srgb(paint / np.where(alpha > 0, alpha, 1)[..., None])
    return Pixels(np.ascontiguousarray(np.clip(paint, 0, 1)), np.ascontiguousarray(alpha))
