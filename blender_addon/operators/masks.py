# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of keyframes: painted in Blender, and removed."""

from __future__ import annotations

import bpy

from ..engine.shared.shot import Shot
from ..keyframes import image_editors, images, masks
from .keyframe_operator import KeyframeOperator


class PAINTOVER_OT_mask_paint(KeyframeOperator):
    bl_idname = "paintover.mask_paint"
    bl_label = "Paint Mask"
    bl_description = (
        "Paint in the Image Editor which part of the painting is learnt: what is white. A new "
        "mask is white; paint black what shall not be learnt"
    )
    # Else the first undo after a stroke would take the mask out of the editor.
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        images.load(shot, frame)  # the painting, which is drawn over its mask
        image = masks.load(shot, frame)
        if not bpy.app.background:
            image_editors.show(context.area, image, "PAINT")
        return "Paint black what shall not be learnt, white what shall; training saves it"


class PAINTOVER_OT_mask_remove(KeyframeOperator):
    bl_idname = "paintover.mask_remove"
    bl_label = "Remove Mask"
    bl_description = "Learn all of the painting again. The mask is kept in keys/versions"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context, shot: Shot, frame: int) -> str:
        return masks.remove(shot, frame)


classes = (PAINTOVER_OT_mask_paint, PAINTOVER_OT_mask_remove)
