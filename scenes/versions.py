# SPDX-License-Identifier: GPL-3.0-or-later
"""All differences between the supported versions of Blender (4.5 to 5.2) for scenes of ours."""

from __future__ import annotations

from typing import Any

import bpy

_IS_5 = bpy.app.version >= (5, 0, 0)
_MEDIA_TYPES = {"FFMPEG": "VIDEO", "OPEN_EXR_MULTILAYER": "MULTI_LAYER_IMAGE"}


def use_nodes(owner: Any) -> None:
    """Give a material or world its node tree (from Blender 5.0 on it always has one)."""
    if not _IS_5:
        owner.use_nodes = True


def set_file_format(image_settings: Any, file_format: str) -> None:
    """Set the format of rendered files, such as ``PNG`` or ``FFMPEG``.

    From Blender 5.0 on the media type comes first, since it limits the formats.
    """
    if _IS_5:
        image_settings.media_type = _MEDIA_TYPES.get(file_format, "IMAGE")
    image_settings.file_format = file_format


def compositor_tree(scene: Any) -> Any | None:
    """Return the scene's compositor tree, or None."""
    return scene.compositing_node_group if _IS_5 else scene.node_tree
