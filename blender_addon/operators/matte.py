# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of painted objects: adds and removes them."""

from __future__ import annotations

from typing import Any

import bpy

from .. import mattes, properties
from ..jobs import Status
from . import polls


class _MatteOperator(polls.PolledOperator):
    """Base of operators that change the list; scenes that are linked cannot be changed."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        if not properties.scene_of(context).is_editable:
            return "This scene is linked; open its file to change it"
        return polls.idle()


class PAINTOVER_OT_matte_add(_MatteOperator):
    bl_idname = "paintover.matte_add"
    bl_label = "Add to Matte"
    bl_description = (
        "Add the selected objects to those that are painted. If there are none, add an empty row"
    )

    def execute(self, context: bpy.types.Context) -> Status:
        settings = properties.of(properties.scene_of(context)).matte
        known = {item.object for item in settings.objects}
        selected: Any = context.selected_objects
        new = [obj for obj in selected if obj not in known and mattes.can_be_chosen(obj)]
        for obj in new or [None]:
            settings.objects.add().object = obj
        settings.source = mattes.OBJECTS
        settings.active = len(settings.objects) - 1
        return {"FINISHED"}


class PAINTOVER_OT_matte_remove(_MatteOperator):
    bl_idname = "paintover.matte_remove"
    bl_label = "Remove from Matte"
    bl_description = "Remove the chosen row from the objects that are painted"

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        settings = properties.of(properties.scene_of(context)).matte
        empty = "" if settings.objects else "The list is empty"
        return empty or super().remedy(context)

    def execute(self, context: bpy.types.Context) -> Status:
        settings = properties.of(properties.scene_of(context)).matte
        settings.objects.remove(min(settings.active, len(settings.objects) - 1))
        settings.active = max(0, min(settings.active, len(settings.objects) - 1))
        return {"FINISHED"}


classes = (PAINTOVER_OT_matte_add, PAINTOVER_OT_matte_remove)
