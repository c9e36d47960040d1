# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the live session: those of this computer, and those of this Blender session."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty

from ..engine_process import environment as engine_python
from . import timings

AS_SHOWN = "AS_SHOWN"


class PAINTOVER_PG_live_preferences(bpy.types.PropertyGroup):
    """Part of the add-on's preferences."""

    share: FloatProperty(
        name="Processor Share",
        description="Most of the time that the engine computes while you paint. The rest is left "
        "to Blender and other programs",
        default=1.0,
        min=0.05,
        max=1.0,
        subtype="FACTOR",
    )
    low_priority: BoolProperty(
        name="Low Priority",
        description="Let Blender and other programs go first where the processor is busy",
        default=True,
    )
    opacity: FloatProperty(
        name="Opacity",
        description="Opacity of the stylized picture over the camera view",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    picture_size: EnumProperty(
        name="Picture Size",
        description="Size of the live pictures. It applies when Live is turned on",
        items=(
            ("AUTO", "Automatic", "The size of the frames, but at most that of 960 by 540 pixels"),
            ("FULL", "Full", "The size of the frames"),
            ("HALF", "Half", "Half of their width and height"),
            ("QUARTER", "Quarter", "A quarter of their width and height"),
        ),
    )
    view_scale: FloatProperty(
        name="Viewport Size",
        description="Size at which the viewport is painted. It applies when Live is turned on",
        default=0.5,
        min=0.1,
        max=1.0,
        subtype="FACTOR",
    )
    view_rate: FloatProperty(
        name="Viewport Rate",
        description="Most pictures of the viewport in a second",
        default=10.0,
        min=0.5,
        max=10.0,
    )
    view_shading: EnumProperty(
        name="Viewport Shading",
        description="Shading of the picture of the viewport that is painted",
        items=(
            ("SOLID", "Solid", "Fast on every computer"),
            (AS_SHOWN, "As Shown", "The shading of the viewport, which may be slow"),
        ),
    )


def _redraw_viewports(_: Any, __: bpy.types.Context) -> None:
    manager: Any = bpy.context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


class PAINTOVER_PG_live(bpy.types.PropertyGroup):
    """State of this Blender session; never saved."""

    preferences: PointerProperty(type=PAINTOVER_PG_live_preferences)

    overlay: BoolProperty(
        name="Overlay",
        description="Show the stylized picture over the camera view",
        default=True,
        update=_redraw_viewports,
    )
    viewport: BoolProperty(
        name="Paint the Viewport",
        description="Stylize the 3D viewport as you look around and move things",
        update=_redraw_viewports,
    )
    paused: BoolProperty(
        name="Pause",
        description="Compute nothing until you go on. What you paint meanwhile is taken in then",
    )


SCALES = {"AUTO": 0.0, "FULL": 1.0, "HALF": 0.5, "QUARTER": 0.25}
"""Picture size → share of the frame's width and height; 0: chosen automatically."""
classes = (PAINTOVER_PG_live_preferences, PAINTOVER_PG_live)


def preferences() -> Any:
    """Return the settings in the add-on's preferences; without these, those of this session."""
    found = engine_python.preferences()
    return found.live if found else of_session().preferences


def of_session() -> Any:
    """Return the state of this Blender session."""
    manager: Any = bpy.context.window_manager
    return manager.paintover_live


def register() -> None:
    timings.clear()
    for cls in classes:
        bpy.utils.register_class(cls)
    manager: Any = bpy.types.WindowManager
    manager.paintover_live = PointerProperty(type=PAINTOVER_PG_live)


def unregister() -> None:
    manager: Any = bpy.types.WindowManager
    del manager.paintover_live
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
