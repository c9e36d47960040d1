# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads multilayer EXR with the OpenImageIO that comes with Blender."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

Passes = dict[str, npt.NDArray[np.float32]]


def _openimageio() -> Any:
    try:
        import OpenImageIO
    except ImportError:
        local = Path(bpy.utils.resource_path("LOCAL"))
        sys.path.append(str(next(local.glob("python/lib/python3*/site-packages"))))
        import OpenImageIO
    return OpenImageIO


def read_passes(path: Path) -> Passes:
    """Read pass → (height, width, components), top row first, components X Y Z W or R G B A."""
    file = _openimageio().ImageInput.open(str(path))
    channels: dict[str, dict[str, npt.NDArray[np.float32]]] = {}
    part = 0
    while file.seek_subimage(part, 0):
        spec = file.spec()
        values = file.read_image(part, 0, 0, spec.nchannels, "float")
        for index, name in enumerate(spec.channelnames):
            _, pass_name, component = name.rsplit(".", 2)
            channels.setdefault(pass_name, {})[component] = values[..., index]
        part += 1
    file.close()
    order = "XYZWRGBAV"
    return {
        name: np.stack([parts[key] for key in sorted(parts, key=order.index)], -1)
        for name, parts in channels.items()
    }


def count_parts(path: Path) -> int:
    """Return how many parts an EXR has."""
    file = _openimageio().ImageInput.open(str(path))
    part = 0
    while file.seek_subimage(part, 0):
        part += 1
    file.close()
    return part
