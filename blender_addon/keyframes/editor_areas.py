# SPDX-License-Identifier: GPL-3.0-or-later
"""The Image Editors of all windows."""

from __future__ import annotations

from typing import Any

import bpy


def image_editors() -> list[Any]:
    """Return the areas of all windows that are Image Editors."""
    manager: Any = bpy.context.window_manager
    areas = [area for window in manager.windows for area in window.screen.areas]
    return [area for area in areas if area.type == "IMAGE_EDITOR"]
