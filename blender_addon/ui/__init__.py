# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels, and the lists in them."""

from __future__ import annotations

import bpy

from . import lists, live_panel, panels

classes = (*lists.classes, *panels.classes, *live_panel.classes)


def register() -> None:
    for cls in classes:
        bpy.utils.register_class(cls)
    live_panel.register()


def unregister() -> None:
    live_panel.unregister()
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
