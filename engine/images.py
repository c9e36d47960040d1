# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing pictures and multilayer EXR. The only module that uses OpenImageIO.

Pictures inside the engine are display-referred with straight alpha. PNG, JPEG and TIFF hold them
as codes. OpenEXR holds them with the sRGB curve undone and premultiplied alpha.
"""

from __future__ import annotations

import dataclasses
import errno
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio  # noqa: N813  (the library's own module name is too long to repeat)

from .compiled import compiled
from .errors import PaintoverError
from .files import write_bytes, written_beside
from .window import Window, seen_window

FloatArray = npt.NDArray[np.float32]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr")


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture as the artist sees it.

    Attributes:
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, display-referred, straight alpha, top row
            first.
        bits: 8 or 16, how finely the file stores a channel (16 for EXR and floating point).
        window: the part of the picture that was asked for.
    """

    pixels: FloatArray
    bits: int
    window: Window

    @property
    def rgb(self) -> FloatArray:
        """The colours, (H, W, 3)."""
        return self.pixels[..., :3]

    @property
    def alpha(self) -> FloatArray | None:
        """The alpha, (H, W), or None where the file has none."""
        return self.pixels[..., 3] if self.pixels.shape[2] == 4 else None

    def cut(self, window: Window) -> Picture:
        """Return the part of it in a window inside its own."""
        return Picture(self.pixels[window.within(self.window)], self.bits, window)


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
    with _opened(path) as file:
        spec = file.spec()
        if _is_exr(path):
            return spec.full_width, spec.full_height
        return spec.width, spec.height


def has_alpha(path: Path) -> bool:
    """Tell, from its header alone, whether a picture has an alpha channel.

    Raises:
        PaintoverError: the file is missing, or not a picture.
    """
    with _opened(path) as file:
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
    with _opened(path) as file:
        number, spec, wanted = _colour_channels(path, file)
        codes = _read_all(path, file, number, spec)
    bits = 8 if codes.dtype == np.uint8 else 16
    if wanted != list(range(codes.shape[2])):
        codes = codes[..., wanted]
    if _is_exr(path):
        codes = _to_display_window(codes, spec)
    window = Window.whole(*codes.shape[:2])
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
        pixels = np.clip(pixels, 0, 1) if not _is_exr(path) else pixels
    if pixels.shape[2] <= 2:
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    if _is_exr(path):
        pixels = np.clip(_display_from_linear(pixels), 0, 1)
    return Picture(np.ascontiguousarray(pixels), bits, window)


def write_picture(
    path: Path, pixels: FloatArray, bits: int = 8, window: Window | None = None
) -> None:
    """Write a display-referred picture; a suffix of ``.exr`` means half-float EXR, else PNG.

    Args:
        path: where to; replaced whole or not at all.
        pixels: (H, W, 3) or (H, W, 4) float32, 0..1, straight alpha. Values are clipped and
            rounded to the nearest code without dither; colours under zero alpha are kept in PNG.
        bits: 8 or 16 bits a channel of PNG.
        window: the part of the picture that the pixels show; it is 0 elsewhere. None: all.

    Raises:
        PaintoverError: the folder is read-only or the disk is full.
    """
    window = window or Window.whole(*pixels.shape[:2])
    whole = Window.whole(window.height, window.width)
    if path.suffix.lower() == ".exr":
        _write_exr(path, window.spread(_linear_from_display(pixels), whole))
        return
    codes = _codes(pixels, bits)
    order = cv2.COLOR_RGBA2BGRA if codes.shape[2] == 4 else cv2.COLOR_RGB2BGR
    codes = window.spread(cv2.cvtColor(codes, order), whole)
    # By default OpenCV compresses fast and takes one filter for all rows. With any level named,
    # it tries all five on each row, which takes nearly three times as long and saves 5 %.
    _, data = cv2.imencode(".png", codes)
    write_bytes(path, data.tobytes())


def as_written(path: Path, pixels: FloatArray, bits: int = 8) -> FloatArray:
    """Return pixels as ``read_picture`` gives them after ``write_picture``."""
    if path.suffix.lower() == ".exr":
        halves = _linear_from_display(pixels).astype(np.float16)
        return np.clip(_display_from_linear(halves.astype(np.float32)), 0, 1)
    return _from_codes(_codes(pixels, bits))


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


def channel_names(path: Path) -> list[str]:
    """List the channels of all parts of an EXR. Raises PaintoverError as ``read_layers`` does."""
    with _opened(path) as file:
        return [name for _, spec in _parts(file) for name in spec.channelnames]


def read_layers(
    path: Path, wanted: Collection[str] | None = None, window: Window | None = None
) -> dict[str, FloatArray]:
    """Read channels of a multilayer EXR, of one part or many.

    Args:
        path: the file.
        wanted: full names of channels (``ViewLayer.Depth.Z``); None reads all. Names that the
            file lacks are left out of the result.
        window: the part of the display window to read; None: all.

    Returns:
        Channel name → (H, W) float32 as stored, over the window; 0 where the data window doesn't
        reach. They are views, and several may share one array.

    Raises:
        PaintoverError: the file is missing, damaged, cut short, or not an EXR.
    """
    layers: dict[str, FloatArray] = {}
    with _opened(path) as file:
        for part, spec in _parts(file):
            indices = [
                index
                for index, name in enumerate(spec.channelnames)
                if wanted is None or name in wanted
            ]
            if not indices:
                continue
            first, last = indices[0], indices[-1] + 1
            if window is None or spec.tile_width:
                values = _read_all(path, file, part, spec, first, last)
                values = _to_display_window(values, spec)
                values = values[window.inside] if window else values
            else:
                values = _read_window(path, file, part, spec, first, last, window)
            for index in indices:
                layers[spec.channelnames[index]] = values[..., index - first]
    return layers


def _is_exr(path: Path) -> bool:
    return path.suffix.lower() == ".exr"


def _damaged(path: Path) -> PaintoverError:
    return PaintoverError(
        f"{path} is damaged or cut short; make it again, or take it from a backup."
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise PaintoverError(f"There is no picture {path}; make it again, or restore it.")
    hints = oiio.ImageSpec()
    hints["oiio:UnassociatedAlpha"] = 1  # else PNG is premultiplied, which loses codes
    file = oiio.ImageInput.open(str(path), hints)
    if file is None:
        oiio.geterror()
        raise _damaged(path)
    try:
        yield file
    finally:
        file.close()


def _parts(file: Any) -> Iterator[tuple[int, Any]]:
    part = 0
    while file.seek_subimage(part, 0):
        yield part, file.spec()
        part += 1
    file.geterror()


def _read_all(
    path: Path, file: Any, part: int, spec: Any, first: int = 0, last: int | None = None
) -> npt.NDArray[Any]:
    last = spec.nchannels if last is None else last
    kind = spec.format if not _is_exr(path) else oiio.TypeDesc("float")
    values = file.read_image(part, 0, first, last, kind)
    if values is None or file.has_error:
        file.geterror()
        raise _damaged(path)
    array: npt.NDArray[Any] = np.asarray(values).reshape(spec.height, spec.width, last - first)
    return array


def _read_window(
    path: Path, file: Any, part: int, spec: Any, first: int, last: int, window: Window
) -> FloatArray:
    """Read the rows of a window and cut it out of them, 0 where the data window doesn't reach."""
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    y0, y1 = max(window.top, top), min(window.bottom, top + spec.height)
    x0, x1 = max(window.left, left), min(window.right, left + spec.width)
    result = np.zeros((*window.shape, last - first), np.float32)
    if y0 >= y1 or x0 >= x1:
        return result
    begin, end = y0 + spec.full_y, y1 + spec.full_y
    rows = file.read_scanlines(part, 0, begin, end, 0, first, last, oiio.TypeDesc("float"))
    if rows is None or file.has_error:
        file.geterror()
        raise _damaged(path)
    rows = np.asarray(rows).reshape(y1 - y0, spec.width, last - first)
    inside = slice(y0 - window.top, y1 - window.top), slice(x0 - window.left, x1 - window.left)
    result[inside] = rows[:, x0 - left : x1 - left]
    return result


def _colour_channels(path: Path, file: Any) -> tuple[int, Any, list[int]]:
    """Find a picture's grey, grey and alpha, RGB or RGBA: part, its header, channel indices.

    Of a multilayer EXR it is the layer without a name, else Blender's Combined, else the first.
    """
    spec = file.spec()
    if not _is_exr(path):
        colours = [index for index in range(spec.nchannels) if index != spec.alpha_channel]
        colours = colours[: 3 if len(colours) >= 3 else 1]
        return 0, spec, colours + ([spec.alpha_channel] if spec.alpha_channel >= 0 else [])
    found: list[tuple[bool, bool, int, Any, list[int]]] = []
    for part, header in _parts(file):
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


def _to_display_window(values: FloatArray, spec: Any) -> FloatArray:
    height, width = spec.full_height, spec.full_width
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    if (left, top, spec.width, spec.height) == (0, 0, width, height):
        return values
    result = np.zeros((height, width, values.shape[2]), np.float32)
    x0, x1 = max(left, 0), min(left + spec.width, width)
    y0, y1 = max(top, 0), min(top + spec.height, height)
    if x0 < x1 and y0 < y1:
        result[y0:y1, x0:x1] = values[y0 - top : y1 - top, x0 - left : x1 - left]
    return result


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


def _write_exr(path: Path, values: FloatArray) -> None:
    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, "half")
    spec["compression"] = "zip"
    with written_beside(path) as temporary:
        file = oiio.ImageOutput.create(str(temporary))
        written = file.open(str(temporary), spec) and file.write_image(values)
        written = file.close() and written
        reason = file.geterror()
        if not written or reason:
            full = shutil.disk_usage(path.parent).free < values.nbytes
            code = errno.ENOSPC if full else errno.EIO
            raise OSError(code, "No space left on device" if full else "writing failed")
