# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing pictures.

Pictures inside the engine are display-referred with straight alpha. PNG, JPEG and TIFF hold them
as codes. OpenEXR holds them with the sRGB curve undone and premultiplied alpha.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..shared.errors import PaintoverError
from ..shared.files import write_bytes
from .jit import compiled
from .oiio_files import is_exr, opened, parts, read_all, to_display_window, write_exr
from .types import FloatArray
from .window import Window, seen_window

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture as the artist sees it.

    Attributes:
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, display-referred, straight alpha, top row
            first.
        bits: 8 or 16, how finely the file stores a channel (16 for EXR and floating point).
        window: the part of the picture that was asked for.
        size: width and height of the whole picture.
    """

    pixels: FloatArray
    bits: int
    window: Window
    size: tuple[int, int]

    @property
    def rgb(self) -> FloatArray:
        """The colours, (H, W, 3), without gaps in memory."""
        if self.pixels.shape[2] == 3:
            return np.ascontiguousarray(self.pixels)
        return np.asarray(cv2.cvtColor(self.pixels, cv2.COLOR_RGBA2RGB), np.float32)

    @property
    def alpha(self) -> FloatArray | None:
        """The alpha, (H, W), or None where the file has none."""
        return self.pixels[..., 3] if self.pixels.shape[2] == 4 else None

    def cut(self, window: Window) -> Picture:
        """Return the part of it in a window inside its own."""
        return Picture(self.pixels[window.within(self.window)], self.bits, window, self.size)


def encode_srgb(linear: npt.ArrayLike) -> FloatArray:
    """Apply the sRGB curve (IEC 61966-2-1) to linear values; the result is clipped to 0..1."""
    x = np.clip(np.asarray(linear, np.float32), 0, 1)
    result = np.asarray(12.92 * x, np.float32)
    curved = ~(x <= 0.0031308)
    result[curved] = 1 + 1.055 * (np.power(x[curved], 1 / 2.4, dtype=np.float32) - 1)  # 1 at 1
    return result


def decode_srgb(display: npt.ArrayLike) -> FloatArray:
    """Undo the sRGB curve (IEC 61966-2-1) of values in 0..1, to linear 0..1."""
    x = np.clip(np.asarray(display, np.float32), 0, 1)
    curve = np.power((x + 0.055) / 1.055, 2.4, dtype=np.float32)
    return np.where(x <= 0.04045, x / 12.92, curve).astype(np.float32)


def picture_size(path: Path) -> tuple[int, int]:
    """Read width and height of a picture without its pixels.

    Raises:
        PaintoverError: the file is missing, or not a picture.
    """
    with opened(path) as file:
        spec = file.spec()
        if is_exr(path):
            return spec.full_width, spec.full_height
        return spec.width, spec.height


def has_alpha(path: Path) -> bool:
    """Tell, from its header alone, whether a picture has an alpha channel.

    Raises:
        PaintoverError: the file is missing, or not a picture.
    """
    with opened(path) as file:
        return len(_colour_channels(path, file)[2]) in (2, 4)


def read_picture(path: Path, around: int | None = None, part: Window | None = None) -> Picture:
    """Read a PNG, JPEG, TIFF or EXR as a display-referred picture.

    Grey becomes RGB. Codes of PNG, JPEG and TIFF are divided by the largest code, and their alpha
    is taken as straight. EXR is divided by its alpha (where that is above zero), then goes through
    the sRGB curve. Values above 1, infinity included, become 1, those below 0 become 0.

    Args:
        path: the file.
        around: return only the window of what is not fully transparent and so many pixels around
            it; None returns all.
        part: return only this window.

    Raises:
        PaintoverError: the file is missing, damaged, cut short, not a picture, or holds NaN.
    """
    with opened(path) as file:
        number, spec, wanted = _colour_channels(path, file)
        codes = read_all(path, file, number, spec)
    bits = 8 if codes.dtype == np.uint8 else 16
    if wanted != list(range(codes.shape[2])):
        codes = codes[..., wanted]
    if is_exr(path):
        codes = to_display_window(codes, spec)
    height, width = codes.shape[:2]
    window = Window.whole(height, width)
    if around is not None and len(wanted) in (2, 4):
        window = seen_window(codes[..., -1], around)
    if part is not None:
        window = part
    codes = codes[window.inside]
    if np.issubdtype(codes.dtype, np.integer):
        pixels = _from_codes(codes)
    else:
        pixels = codes.astype(np.float32, copy=False)
        if np.isnan(pixels).any():
            raise PaintoverError(f"{path} holds NaN (not a number) pixels; save it again without.")
        pixels = np.clip(pixels, 0, 1) if not is_exr(path) else pixels
    if pixels.shape[2] <= 2:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    if is_exr(path):
        pixels = np.clip(_display_from_linear(pixels), 0, 1)
    return Picture(np.ascontiguousarray(pixels), bits, window, (width, height))


def write_picture(
    path: Path, pixels: FloatArray, bits: int = 8, window: Window | None = None
) -> FloatArray:
    """Write a display-referred picture; a suffix of ``.exr`` means half-float EXR, else PNG.

    Args:
        path: where to; replaced whole or not at all.
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, straight alpha. Values are clipped and
            rounded to the nearest code without dither; colours under zero alpha are kept in PNG.
        bits: 8 or 16 bits a channel of PNG.
        window: the part of the picture that the pixels show; it is 0 elsewhere. None: all.

    Returns:
        The colours (H, W, 3) of the window as ``read_picture`` gives them from now on.

    Raises:
        PaintoverError: the folder is read-only or the disk is full.
    """
    window = window or Window.whole(*pixels.shape[:2])
    whole = Window.whole(window.height, window.width)
    if is_exr(path):
        halves = _linear_from_display(pixels).astype(np.float16)
        write_exr(path, window.spread(halves, whole))
        return np.clip(_display_from_linear(halves.astype(np.float32)), 0, 1)[..., :3]
    codes = _codes(pixels, bits)
    order = cv2.COLOR_RGBA2BGRA if codes.shape[2] == 4 else cv2.COLOR_RGB2BGR
    # By default OpenCV compresses fast and takes one filter for all rows. With any level named,
    # it tries all five on each row, which takes nearly three times as long and saves 5 %.
    _, data = cv2.imencode(".png", window.spread(cv2.cvtColor(codes, order), whole))
    write_bytes(path, data.tobytes())
    return _from_codes(codes[..., :3])


def _from_codes(codes: npt.NDArray[Any]) -> FloatArray:
    values: FloatArray = codes.astype(np.float32)
    values /= np.float32(np.iinfo(codes.dtype).max)
    return values


def _codes(pixels: FloatArray, bits: int) -> npt.NDArray[Any]:
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


def _colour_channels(path: Path, file: Any) -> tuple[int, Any, list[int]]:
    """Find a picture's grey, grey and alpha, RGB or RGBA: part, its header, channel indices.

    Of a multilayer EXR it is the layer without a name, else Blender's Combined, else the first.
    """
    spec = file.spec()
    if not is_exr(path):
        colours = [index for index in range(spec.nchannels) if index != spec.alpha_channel]
        colours = colours[: 3 if len(colours) >= 3 else 1]
        return 0, spec, colours + ([spec.alpha_channel] if spec.alpha_channel >= 0 else [])
    found: list[tuple[bool, bool, int, Any, list[int]]] = []
    for part, header in parts(file):
        names = list(header.channelnames)
        for layer in (name[:-1] for name in names if name == "R" or name.endswith(".R")):
            if {f"{layer}G", f"{layer}B"} <= set(names):
                indices = [names.index(layer + c) for c in "RGBA" if layer + c in names]
                named = layer != "", "Combined" not in layer
                found.append((*named, part, header, indices))
        if "Y" in names:
            indices = [names.index(name) for name in ("Y", "A") if name in names]
            found.append((False, False, part, header, indices))
    if not found:
        raise PaintoverError(
            f"{path} has no colours (channels R, G, B); save it as an RGB picture."
        )
    return min(found, key=lambda entry: entry[:3])[2:]


def _display_from_linear(pixels: FloatArray) -> FloatArray:
    if pixels.shape[2] == 3:
        return encode_srgb(pixels)
    alpha = np.clip(pixels[..., 3:], 0, 1)
    straight = pixels[..., :3] / np.where(alpha > 0, alpha, 1)
    return np.concatenate([encode_srgb(straight), alpha], axis=2)


def _linear_from_display(pixels: FloatArray) -> FloatArray:
    values = decode_srgb(pixels[..., :3])
    if pixels.shape[2] == 3:
        return values
    alpha = np.clip(pixels[..., 3:], 0, 1).astype(np.float32)
    return np.concatenate([values * alpha, alpha], axis=2)
