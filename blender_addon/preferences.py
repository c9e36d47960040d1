# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the engine's Python, its build, and where it is downloaded from."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, PointerProperty, StringProperty

from . import jobs, keymaps, manual_links
from .live import settings as live
from .ui import engine_status

_BUILDS = (
    ("AUTO", "Automatic", "The one for the graphics card of this machine"),
    ("cpu", "Processor", "Works everywhere"),
    ("cu130", "NVIDIA Card (CUDA 13)", "Cards from 2018 on, with a driver from 580 on"),
    ("cu126", "NVIDIA Card (CUDA 12.6)", "Older cards, or a driver from 525 on"),
    ("rocm7.2", "AMD Card (ROCm)", "On Linux"),
    ("xpu", "Intel Card (XPU)", "Arc cards"),
    ("metal", "Apple Graphics (Metal)", "Macs with an Apple chip"),
)


def _redraw(_: Any, __: bpy.types.Context) -> None:
    jobs.redraw()


class PAINTOVER_preferences(bpy.types.AddonPreferences):
    bl_idname = __package__ or ""

    engine_python: StringProperty(
        name="Engine Python",
        description="Python 3.11 or later with PyTorch and the other packages of the engine. "
        "Leave empty to use the one that the add-on installs",
        subtype="FILE_PATH",
    )
    live: PointerProperty(type=live.PAINTOVER_PG_live_preferences)
    build: EnumProperty(
        name="Engine For",
        description="What the engine that is installed computes on",
        items=_BUILDS,
    )
    package_index: StringProperty(
        name="Package Index",
        description="Address of the index of Python packages, such as that of a studio. "
        "Leave empty to use https://pypi.org/simple",
    )
    torch_index: StringProperty(
        name="PyTorch Index",
        description="Address of the index of PyTorch's builds. "
        "Leave empty to use https://download.pytorch.org/whl",
    )

    timeline_strip: BoolProperty(
        name="Strip in the Timeline",
        description="Show at the bottom of timelines how much of each frame your paintings show, "
        "the keyframes, the cuts of the camera and the frames that flicker",
        update=_redraw,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.operator("wm.url_open", text="Manual", icon="HELP").url = manual_links.page(
            "index.html"
        )
        engine_status.draw(layout, context)
        advanced = layout.column()
        advanced.use_property_split = True
        preferences: Any = context.preferences
        advanced.prop(preferences.filepaths, "image_editor", text="Paint Program")
        advanced.prop(self, "engine_python")
        advanced.prop(self, "package_index")
        advanced.prop(self, "torch_index")
        layout.prop(self, "timeline_strip")
        keymaps.draw(layout, context)


def register() -> None:
    bpy.utils.register_class(PAINTOVER_preferences)


def unregister() -> None:
    bpy.utils.unregister_class(PAINTOVER_preferences)
