# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that are dropped onto the sidebar become paintings."""

from __future__ import annotations

from typing import Any

import bpy

from . import watcher
from .spaces import SPACES


class PAINTOVER_FH_keyframe(bpy.types.FileHandler):
    bl_idname = "PAINTOVER_FH_keyframe"
    bl_label = "Use as Keyframe"
    bl_import_operator = "paintover.keyframe_drop"
    bl_file_extensions = ".png;.exr"

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        # In the main region of an editor Blender's own handler comes first.
        area, region = context.area, context.region
        if area is None or region is None or watcher.current()[0].shot is None:
            return False
        return area.type in SPACES and (region.type == "UI" or area.type == "IMAGE_EDITOR")


classes = (PAINTOVER_FH_keyframe,)
