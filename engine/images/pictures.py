# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing pictures.

Pictures inside the engine are display-referred float32, 0..1, with straight alpha. PNG, JPEG,
TIFF and the like store them as integers. OpenEXR stores them linear (the sRGB curve undone) with
premultiplied alpha.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..shared.errors import PaintoverError
from ..shared.files import write_bytes
from .colour.exr import find_colours
from .colour.srgb import decode_srgb, encode_srgb
from .jit import compiled
from .oiio_files import (
    holds_exr,
    is_exr,
    opened,
    parts,
    read_channels,
    to_display_window,
    write_exr,
)
from .types import FloatArray
from .window import Window, seen_window


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture, or a window of one, as the artist sees it.

    Attributes:
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, display-referred, straight alpha, top row
            first.
        bits: bits a channel in the file, 8 or 16 (16 for EXR and floating point).
        window: the part of the picture that ``pixels`` shows.
        size: width and height of the whole picture, in pixels.
    """

    pixels: FloatArray
    bits: int
    window: Window
    size: tuple[int, int]

    @property
    def rgb(self) -> FloatArray:
        """The colours, (H, W, 3) float32, contiguous."""
        if self.pixels.shape[2] == 3:
            return np.ascontiguousarray(self.pixels)
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGBA2RGB), np.float32)

    @property
    def alpha(self) -> FloatArray | None:
        """The alpha, (H, W) float32, or None if the file has none."""
        return self.pixels[..., 3] if self.pixels.shape[2] == 4 else None

    def cut(self, window: Window) -> Picture:
        """Return the part in a window that lies inside its own."""
        return Picture(self.pixels[window.within(self.window)], self.bits, window, self.size)


def picture_size(path: Path) -> tuple[int, int]:
    """Read the width and height of a picture from its header.

    Raises:
        PaintoverError: the file is missing, or not a picture.
    """
    with opened(path) as file:
        spec = file.spec()
        if holds_exr(file):
            return spec.full_width, spec.full_height
        return spec.width, spec.height


def has_alpha(path: Path) -> bool:
    """Read from its header whether a picture has an alpha channel.

    Raises:
        PaintoverError: the file is missing, or not a picture.
    """
    with opened(path) as file:
        return len(colour_channels(path, file)[2]) in (2, 4)


def read_picture(path: Path, around: int | None = None, part: Window | None = None) -> Picture:
    """Read a PNG, JPEG, TIFF or EXR as a display-referred picture.

    Grey becomes RGB. Integers are divided by their largest value, and their alpha is taken as
    straight. EXR is divided by its alpha (where that is above 0), then goes through the sRGB curve.
    Values are clipped to 0..1.

    Args:
        path: the file.
        around: return only the window of pixels that are not fully transparent, grown by this many
            pixels; None returns all.
        part: return only this window.

    Raises:
        PaintoverError: the file is missing, damaged, truncated, not a picture, or contains NaN.
    """
    codes, is_linear, spec, channels = _stored(path, keep=part is not None)
    bits = 8 if codes.dtype == np.uint8 else 16
    if is_linear:
        codes = to_display_window(codes, spec)
    height, width = codes.shape[:2]
    window = Window.whole(height, width)
    if around is not None and channels in (2, 4):
        window = seen_window(codes[..., -1], around)
    if part is not None:
        window = part
    codes = codes[window.inside]
    if np.issubdtype(codes.dtype, np.integer):
        pixels = from_codes(codes)
    else:
        pixels = codes.astype(np.float32, copy=False)
        if np.isnan(pixels).any():
            raise PaintoverError(f"{path} holds NaN (not a number) pixels; save it again without.")
        pixels = np.clip(pixels, 0, 1) if not is_linear else pixels
    if pixels.shape[2] <= 2:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    if is_linear:
        pixels = np.clip(_display_from_linear(pixels), 0, 1)
    return Picture(np.ascontiguousarray(pixels), bits, window, (width, height))


class _Kept(NamedTuple):
    """The stored values of a large picture, of which parts are read one after another."""

    state: tuple[str, int, int]
    values: npt.NDArray[Any]


_kept: list[_Kept] = []


def _stored(path: Path, *, keep: bool) -> tuple[npt.NDArray[Any], bool, Any, int]:
    """Read the stored values of a picture, or take those of the large picture that was kept.

    Returns:
        (H, W, C) of the data window, whether they are linear, the header (None if not linear), and
        the number of channels.
    """
    state = _state(path)
    for one in _kept[:]:
        if one.state == state:
            return one.values, False, None, one.values.shape[2]
    with opened(path) as file:
        is_linear = holds_exr(file)
        number, spec, wanted = colour_channels(path, file)
        values = read_channels(path, file, number, spec, wanted)
    if keep and not is_linear and Window.whole(*values.shape[:2]).is_of_large:
        _kept[:] = [_Kept(state, values)]
    return values, is_linear, spec if is_linear else None, len(wanted)


def _state(path: Path) -> tuple[str, int, int]:
    with suppress(OSError):
        found = path.stat()
        return str(path), found.st_size, found.st_mtime_ns
    return str(path), -1, -1


def write_picture(
    path: Path,
    pixels: FloatArray,
    bits: int = 8,
    window: Window | None = None,
    ready: Callable[[Path], None] | None = None,
) -> FloatArray:
    """Write a display-referred picture, atomically: half-float EXR for ``.exr``, otherwise PNG.

    Args:
        path: the file to write or replace.
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, straight alpha. For PNG, values are clipped
            and rounded without dither; colours where alpha is 0 are kept.
        bits: bits a channel of PNG, 8 or 16.
        window: the part of the picture that the pixels show; the rest becomes 0. None: all.
        ready: as ``written_beside``.

    Returns:
        The colours (H, W, 3) float32 of the window as ``read_picture`` will return them.

    Raises:
        PaintoverError: the folder is read-only or the disk is full.
    """
    window = window or Window.whole(*pixels.shape[:2])
    whole = Window.whole(window.height, window.width)
    if is_exr(path):
        halves = _linear_from_display(pixels).astype(np.float16)
        write_exr(path, window.spread(halves, whole), ready)
        return np.clip(_display_from_linear(halves.astype(np.float32)), 0, 1)[..., :3]
    codes = _codes(pixels, bits)
    order = cv2.COLOR_RGBA2BGRA if codes.shape[2] == 4 else cv2.COLOR_RGB2BGR
    # By default OpenCV uses one PNG filter for all rows. With an explicit compression level it
    # tries all five on each row, which takes nearly three times as long and saves 5 %.
    _, data = cv2.imencode(".png", window.spread(cv2.cvtColor(codes, order), whole))
    write_bytes(path, data.tobytes(), ready)
    return from_codes(codes[..., :3])


def from_codes(codes: npt.NDArray[Any]) -> FloatArray:
    """Convert integers, of which the largest is full, to 0..1."""
    values: FloatArray = codes.astype(np.float32)
    values /= np.float32(np.iinfo(codes.dtype).max)
    return values


def _codes(pixels: FloatArray, bits: int) -> npt.NDArray[Any]:
    """Convert 0..1 to unsigned integers of 8 or 16 bits."""
    kind, most = (np.uint8, 255) if bits == 8 else (np.uint16, 65535)
    codes: npt.NDArray[Any] = np.empty(pixels.shape, kind)
    _round(np.ascontiguousarray(pixels, np.float32), np.float32(most), codes)
    return codes


@compiled
def _round(pixels: FloatArray, most: np.float32, codes: npt.NDArray[Any]) -> None:
    height, width, channels = pixels.shape
    for row in range(height):
        for column in range(width):
            for channel in range(channels):
                value = min(max(pixels[row, column, channel], np.float32(0)), np.float32(1))
                codes[row, column, channel] = np.rint(value * most)


def colour_channels(path: Path, file: Any) -> tuple[int, Any, list[int]]:
    """Find the channels of a picture: Y, YA, RGB or RGBA; see ``find_colours`` for EXR.

    Returns:
        Number and header of the part, and indices of the channels.

    Raises:
        PaintoverError: an EXR has no colours.
    """
    if holds_exr(file):
        found = find_colours(path, [header for _, header in parts(file)])
        return found.part, found.header, found.indices
    spec = file.spec()
    colours = [index for index in range(spec.nchannels) if index != spec.alpha_channel]
    colours = colours[: 3 if len(colours) >= 3 else 1]
    return 0, spec, colours + ([spec.alpha_channel] if spec.alpha_channel >= 0 else [])


def _display_from_linear(pixels: FloatArray) -> FloatArray:
    """Convert linear, premultiplied (H, W, 3 or 4) to display-referred with straight alpha."""
    if pixels.shape[2] == 3:
        return encode_srgb(pixels)
    alpha = np.clip(pixels[..., 3:], 0, 1)
    straight = pixels[..., :3] / np.where(alpha > 0, alpha, 1)
    return np.concatenate([encode_srgb(straight), alpha], axis=2)


def _linear_from_display(pixels: FloatArray) -> FloatArray:
    """Convert display-referred (H, W, 3 or 4) with straight alpha to linear, premultiplied."""
    values = decode_srgb(pixels[..., :3])
    if pixels.shape[2] == 3:
        return values
    alpha = np.clip(pixels[..., 3:], 0, 1).astype(np.float32)
    return np.concatenate([values * alpha, alpha], axis=2)
