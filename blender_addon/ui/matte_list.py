# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of painted objects."""

from __future__ import annotations

from typing import Any

import bpy


class PAINTOVER_UL_matte_objects(bpy.types.UIList):
    # Blender checks the number of arguments, so the unused ones cannot be *arguments.
    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None,
        flt_flag: int | None,
    ) -> None:
        row = layout.row(align=True)
        gone = item.object is None or data.id_data not in item.object.users_scene
        row.alert = gone
        text = "" if item.object else item.name  # which one was deleted
        row.prop(item, "object", text=text, icon="ERROR" if gone else "OBJECT_DATA")


classes = (PAINTOVER_UL_matte_objects,)
