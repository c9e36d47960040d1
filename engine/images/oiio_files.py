# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing picture files without colour conversion, by OpenImageIO.

The only module that uses OpenImageIO.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio  # noqa: N813  (the library's own module name is too long to repeat)

from ..shared.errors import PaintoverError
from ..shared.files import written_beside
from ..shared.pictures.exr_header import LARGEST_AREA
from ..shared.pictures.header_bounds import check_header
from ..shared.pictures.kinds import readable_kind
from ..shared.places import is_file, is_there
from .types import FloatArray, HalfArray
from .window import Window

_COLOR_SPACES = "OCIO"
"""Environment variable of OpenColorIO."""
_AROUND, _MOST_AROUND = 1 << 22, 9
"""Pixels that an EXR may store whatever it shows, and how many times as many as it shows."""


@contextmanager
def decoded_where_read() -> Iterator[None]:
    """Decode EXR files in the reading thread alone while the block runs, in the whole process.

    This is faster where several threads each read a file.
    """
    before = oiio.get_int_attribute("exr_threads")
    oiio.attribute("exr_threads", -1)
    try:
        yield
    finally:
        oiio.attribute("exr_threads", before)


def is_exr(path: Path) -> bool:
    """Return whether a file is an OpenEXR, by its suffix."""
    return path.suffix.lower() == ".exr"


def holds_exr(file: Any) -> bool:
    """Return whether an open file is an OpenEXR, by its content."""
    return bool(file.format_name() == "openexr")


def damaged(path: Path) -> PaintoverError:
    """Return the error for a file that cannot be read."""
    return PaintoverError(
        f"{path} is damaged or cut short; make it again, or take it from a backup."
    )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a picture for reading.

    Raises:
        PaintoverError: the file is missing, not a picture, deep, or its header asks for far more
            than pictures have, or OCIO names something that is no file.
    """
    if not path.is_file():
        raise PaintoverError(f"There is no picture {path}; make it again, or restore it.")
    try:
        kind = readable_kind(path)  # else OpenImageIO would try to read it as whatever it knows
    except PaintoverError:
        raise damaged(path) from None
    check_header(path, kind)
    _check_color_spaces()
    hints = oiio.ImageSpec()
    hints["oiio:UnassociatedAlpha"] = 1  # else PNG is premultiplied, which loses precision
    file = oiio.ImageInput.open(str(path), hints)
    if file is None:
        oiio.geterror()
        raise damaged(path)
    try:
        if file.spec().deep:
            raise PaintoverError(
                f"{path} holds deep data (several depths a pixel); render it without deep, or "
                "flatten it."
            )
        yield file
    finally:
        file.close()


def _check_color_spaces() -> None:
    """Check the file of color spaces that OpenImageIO reads when it opens its first picture.

    Raises:
        PaintoverError: it is something that may never end, such as a pipe.
    """
    place = os.environ.get(_COLOR_SPACES, "")
    if place and is_there(Path(place)) and not is_file(Path(place)):
        raise PaintoverError(
            f"The environment variable {_COLOR_SPACES} names {place}, which is no file; let it "
            "name a file of color spaces, or remove it."
        )


def parts(file: Any) -> Iterator[tuple[int, Any]]:
    """Yield number and header (``ImageSpec``) of each part of an open file."""
    part = 0
    while file.seek_subimage(part, 0):
        yield part, file.spec()
        part += 1
    file.geterror()


def read_all(
    path: Path, file: Any, part: int, spec: Any, first: int = 0, last: int | None = None
) -> npt.NDArray[Any]:
    """Read channels ``first`` to ``last`` - 1 of a part over its data window.

    Returns:
        (H, W, C), in the stored type; float32 for EXR.

    Raises:
        PaintoverError: the file is damaged, truncated or huge.
    """
    _check_extent(path, spec)
    last = spec.nchannels if last is None else last
    kind = spec.format if not holds_exr(file) else oiio.TypeDesc("float")
    values = file.read_image(part, 0, first, last, kind)
    if values is None or file.has_error:
        file.geterror()
        raise damaged(path)
    array: npt.NDArray[Any] = np.asarray(values).reshape(spec.height, spec.width, last - first)
    return array


def _check_extent(path: Path, spec: Any) -> None:
    """Refuse a picture with more stored pixels than any that Paintover reads, or far around it."""
    stored, shown = spec.width * spec.height, spec.full_width * spec.full_height
    if stored > LARGEST_AREA or stored > max(_AROUND, _MOST_AROUND * shown):
        raise PaintoverError(
            f"{path} claims to have {spec.width}×{spec.height} pixels, so it is damaged or far too "
            "large; make it again in a smaller size."
        )


def read_channels(
    path: Path, file: Any, part: int, spec: Any, wanted: Sequence[int]
) -> npt.NDArray[Any]:
    """Read chosen channels of a part, in this order, and none far from them; see ``read_all``."""
    first, last = min(wanted), max(wanted) + 1
    values = read_all(path, file, part, spec, first, last)
    order = [index - first for index in wanted]
    return values if order == list(range(last - first)) else values[..., order]


def read_window(
    path: Path, file: Any, part: int, spec: Any, first: int, last: int, window: Window
) -> FloatArray:
    """Read channels ``first`` to ``last`` - 1 of an EXR's part in a window of its display window.

    Returns:
        (H, W, C) float32, values as stored; 0 outside the data window.

    Raises:
        PaintoverError: the file is damaged or truncated.
    """
    _check_extent(path, spec)
    left, top = spec.x - spec.full_x, spec.y - spec.full_y
    y0, y1 = max(window.top, top), min(window.bottom, top + spec.height)
    x0, x1 = max(window.left, left), min(window.right, left + spec.width)
    if y0 >= y1 or x0 >= x1:
        return np.zeros((*window.shape, last - first), np.float32)
    begin, end = y0 + spec.full_y, y1 + spec.full_y
    rows = file.read_scanlines(part, 0, begin, end, 0, first, last, oiio.TypeDesc("float"))
    if rows is None or file.has_error:
        file.geterror()
        raise damaged(path)
    found = np.asarray(rows).reshape(y1 - y0, spec.width, last - first)[:, x0 - left : x1 - left]
    if found.shape[:2] == window.shape:
        return found
    result = np.zeros((*window.shape, last - first), np.float32)
    result[y0 - window.top : y1 - window.top, x0 - window.left : x1 - window.left] = found
    return result


def to_display_window(values: FloatArray, spec: Any) -> FloatArray:
    """Place values (H, W, C) of the data window in the display window, 0 elsewhere."""
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


def write_exr(path: Path, values: HalfArray, ready: Callable[[Path], None] | None = None) -> None:
    """Write values (H, W, C) as a half-float EXR, atomically; ``ready`` as ``written_beside``.

    Raises:
        PaintoverError: the folder is read-only or the disk is full.
    """
    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, "half")
    spec["compression"] = "zip"
    with written_beside(path, ready) as temporary:
        file = oiio.ImageOutput.create(str(temporary))
        written = file.open(str(temporary), spec) and file.write_image(values)
        written = file.close() and written
        reason = file.geterror()
        if not written or reason:
            full = shutil.disk_usage(path.parent).free < values.nbytes
            code = errno.ENOSPC if full else errno.EIO
            raise OSError(code, "No space left on device" if full else "writing failed")
