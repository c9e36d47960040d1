# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels, and the lists in them."""

from __future__ import annotations

import bpy

from . import lists, panels

classes = (*lists.classes, *panels.classes)


def register() -> None:
    for cls in classes:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
