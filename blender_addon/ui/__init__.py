# SPDX-License-Identifier: GPL-3.0-or-later
"""Panels, and the lists in them."""

from __future__ import annotations

import bpy

from . import (
    dropped_files,
    engine_panel,
    keyframe_list,
    keyframes_panel,
    live_panel,
    main_panel,
    matte_list,
    output_panel,
    source_panel,
    style_panel,
    training_panel,
)

classes = (
    *matte_list.classes,
    *keyframe_list.classes,
    *dropped_files.classes,
    *main_panel.classes,
    *source_panel.classes,
    *keyframes_panel.classes,
    *style_panel.classes,
    *training_panel.classes,
    *output_panel.classes,
    *live_panel.classes,
    *engine_panel.classes,
)


def register() -> None:
    for cls in classes:
        bpy.utils.register_class(cls)
    live_panel.register()


def unregister() -> None:
    live_panel.unregister()
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
