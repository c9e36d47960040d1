# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover: paint over one frame of a shot, and every frame follows that painting."""

from __future__ import annotations

import sys

# When Blender reloads the add-on, no module of the previous version may stay.
for _name in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
    del sys.modules[_name]
    globals().pop(_name.rpartition(".")[2], None)

from . import (  # noqa: E402
    capture,
    command,
    compositor,
    example_files,
    jobs,
    keymaps,
    logs,
    manual_links,
    operators,
    preferences,
    properties,
    shot_links,
    ui,
    undo,
    unreadable_text,
)
from .assistant import background as assistant_background  # noqa: E402
from .assistant import strip as assistant_strip  # noqa: E402
from .assistant import timeline as assistant_timeline  # noqa: E402
from .engine_process import client as engine_client  # noqa: E402
from .engine_process import live_picture  # noqa: E402
from .keyframes import images as keyframe_images  # noqa: E402
from .keyframes import mask_overlay, uv_wires  # noqa: E402
from .live import control as live_control  # noqa: E402
from .live import overlay as live_overlay  # noqa: E402
from .live import settings as live_settings  # noqa: E402
from .training_view import chart as training_chart  # noqa: E402
from .training_view import overlay as training_overlay  # noqa: E402
from .training_view import settings as training_settings  # noqa: E402
from .training_view import view as training_view  # noqa: E402
from .ui import thumbnails, watcher  # noqa: E402

_modules = (
    logs,
    properties,
    unreadable_text,
    live_settings,
    training_settings,
    preferences,
    operators,
    manual_links,
    keymaps,
    ui,
    capture,
    keyframe_images,
    undo,
    mask_overlay,
    uv_wires,
    example_files,
    shot_links,
    compositor,
    live_picture,
    training_chart,
    training_overlay,
    training_view,
    jobs,
    thumbnails,
    watcher,
    engine_client,
    assistant_strip,
    assistant_background,
    assistant_timeline,
    live_overlay,
    live_control,
    command,
)


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    for module in _modules:
        module.register()


def unregister() -> None:
    """Called by Blender when the add-on is disabled."""
    jobs.cancel_now()  # before what the job needs is unregistered
    for module in reversed(_modules):
        module.unregister()
