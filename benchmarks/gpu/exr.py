# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites multilayer EXR files, without some passes or as large frames made of small ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio  # noqa: N813  (the library's own module name is too long to repeat)

from engine.images.types import FloatArray
from engine.shared.errors import PaintoverError

Change = Callable[[FloatArray, str], FloatArray]
"""Function from the pixels (H, W, C) and the name of a pass to the pixels to write."""


def rewrite(
    source: Path,
    target: Path,
    *,
    keeps: Callable[[str], bool] = lambda channel: True,
    change: Change | None = None,
) -> None:
    """Copy an EXR file, with the same parts and compression.

    Args:
        source: an EXR written by capture.
        target: the file to write.
        keeps: returns whether to keep a channel, given its name, such as ``ViewLayer.Depth.Z``.
        change: returns the new pixels of each pass.

    Raises:
        PaintoverError: a file cannot be read or written.
    """
    file = oiio.ImageInput.open(str(source))
    if file is None:
        raise PaintoverError(f"Cannot read {source}: {oiio.geterror()}.")
    specs, pixels, part = [], [], 0
    while file.seek_subimage(part, 0):
        spec = oiio.ImageSpec(file.spec())
        chosen = [i for i, channel in enumerate(spec.channelnames) if keeps(channel)]
        if chosen:
            values = file.read_image(part, 0, 0, spec.nchannels, oiio.TypeDesc("float"))
            values = np.asarray(values).reshape(spec.height, spec.width, spec.nchannels)
            name = spec.channelnames[0].split(".")[1]
            spec.channelformats = ()
            spec.channelnames = tuple(spec.channelnames[i] for i in chosen)
            spec.nchannels = len(chosen)
            specs.append(spec)
            pixels.append(change(values[..., chosen], name) if change else values[..., chosen])
        part += 1
    file.close()
    for spec, values in zip(specs, pixels, strict=True):
        spec.height = spec.full_height = values.shape[0]
        spec.width = spec.full_width = values.shape[1]
    _write(target, specs, pixels)


def _write(target: Path, specs: list[Any], pixels: list[FloatArray]) -> None:
    file = oiio.ImageOutput.create(str(target))
    written = file.open(str(target), tuple(specs))
    for number, values in enumerate(pixels):
        if number:
            written = written and file.open(str(target), specs[number], "AppendSubimage")
        written = written and file.write_image(np.ascontiguousarray(values))
    if not (file.close() and written):
        raise PaintoverError(f"Cannot write {target}: {file.geterror()}.")
