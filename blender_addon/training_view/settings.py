# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user has chosen to see of a training; never saved."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, PointerProperty

from . import view


class PAINTOVER_PG_training_view(bpy.types.PropertyGroup):
    """The frame and the pictures of it that are shown."""

    frame: IntProperty(
        name="Frame",
        description="Frame that the training shows, painted or not",
        update=view.frame_chosen,
    )
    pictures: EnumProperty(
        name="Pictures",
        description="What the large picture of the training shows",
        items=(
            (view.ALL, "All", "Render, painting and result side by side"),
            ("RENDER", "Render", "The frame as it was captured"),
            ("PAINTING", "Painting", "The painting of the nearest keyframe"),
            ("RESULT", "Result", "The frame as it is painted by what is learnt so far"),
        ),
        update=view.pictures_chosen,
    )


def register() -> None:
    bpy.utils.register_class(PAINTOVER_PG_training_view)
    manager: Any = bpy.types.WindowManager
    manager.paintover_training = PointerProperty(type=PAINTOVER_PG_training_view)


def unregister() -> None:
    manager: Any = bpy.types.WindowManager
    del manager.paintover_training
    bpy.utils.unregister_class(PAINTOVER_PG_training_view)
