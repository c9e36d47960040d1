# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier paintings of keyframes as images in Blender, only to be looked at."""

from __future__ import annotations

import re
from typing import Any

import bpy

from .. import colour_names
from ..engine.shared.errors import PaintoverError
from ..engine.shared.keyframes.versions import Version, find_version
from ..engine.shared.pictures.colour_tags import has_own_colours
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.places import real_path
from ..engine.shared.shot import Shot
from . import images


def load(shot: Shot, frame: int, version: Version) -> Any:
    """Return an earlier painting as an image, only to be looked at.

    Raises:
        PaintoverError: its file cannot be read.
    """
    image: Any = images.find_image(version.path)
    if image is None:
        check_before_loading(version.path, shot.manifest.size)
        image = bpy.data.images.load(str(version.path), check_existing=False)
        if 0 in image.size:
            bpy.data.images.remove(image)
            raise PaintoverError(f"{version.path} cannot be read; look at another version.")
        is_linear, display = version.path.suffix == ".exr", shot.manifest.colour.display
        is_for_display = not is_linear and not colour_names.is_srgb_display(display)
        space = colour_names.of_painting(display, is_linear=is_linear)
        if space and (is_for_display or not has_own_colours(version.path)):
            image.colorspace_settings.name = space
    image.name = f"Keyframe {frame}, {version.date:%d %b %Y %H:%M}"
    image.use_view_as_render = False
    return image


def of_image(image: Any | None) -> tuple[Shot, int, Version] | None:
    """Return the shot, the frame and the version of an image that is an earlier painting."""
    if image is None or image.source != "FILE" or not image.filepath:
        return None
    path = images.given_path(image)
    folder, name = path.parent, path.name.partition(".")[0]
    if folder.parts[-2:] != ("keys", "versions") or not re.fullmatch(r"-?[0-9]+", name):
        return None
    try:
        shot = Shot.open(real_path(folder.parent.parent))
        return shot, int(name), find_version(shot, int(name), path.name)
    except PaintoverError:
        return None
