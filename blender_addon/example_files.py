# SPDX-License-Identifier: GPL-3.0-or-later
"""The example that comes with the add-on: copied where it may be worked on, and opened."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import user_folders
from .engine.shared.files import cannot_write
from .handlers import Handlers

_SOURCE = Path(__file__).resolve().parent / "example"
_BLEND = "fox.blend"


def blend() -> Path:
    """Return where the example is worked on; it may not be there yet."""
    return user_folders.user_folder("example") / _BLEND


def copy(*, anew: bool = False) -> Path:
    """Copy the example, unless it is there already.

    Args:
        anew: put the one that is there aside, under another name, and copy it again.

    Returns:
        The .blend to open.

    Raises:
        PaintoverError: it cannot be written.
    """
    path = blend()
    try:
        if anew and path.parent.exists():
            path.parent.rename(_free_folder(path.parent))
        if not path.is_file():
            # What is left of the example, such as paintings whose .blend was deleted, stays.
            shutil.copytree(_SOURCE, path.parent, dirs_exist_ok=True, copy_function=_copy_new)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return path


def _free_folder(folder: Path) -> Path:
    number = 2
    while folder.with_name(f"{folder.name}-{number}").exists():
        number += 1
    return folder.with_name(f"{folder.name}-{number}")


def _copy_new(source: str, target: str) -> None:
    """Copy a file that is not there yet; the copy may be written to, whatever the source is."""
    if not Path(target).exists():
        shutil.copyfile(source, target)


def open_blend(path: Path) -> None:
    """Open the .blend in Blender; where the open one has unsaved changes, Blender asks first."""
    if bpy.app.background:
        bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
        return
    # The user's own windows stay; their viewports look through the camera.
    bpy.ops.wm.open_mainfile(
        "INVOKE_DEFAULT", filepath=str(path), load_ui=False, display_file_selector=False
    )


@persistent  # type: ignore[untyped-decorator]
def _look_through_camera(*_: Any) -> None:
    """Let all viewports look through the camera when the example was opened."""
    if not bpy.data.filepath or Path(bpy.data.filepath) != blend():
        return
    manager: Any = bpy.context.window_manager
    for window in manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.region_3d.view_perspective = "CAMERA"


_HANDLERS = Handlers(load_post=_look_through_camera)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
