# SPDX-License-Identifier: GPL-3.0-or-later
"""The example that comes with the add-on: copied where it may be worked on, and opened."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import user_folders
from .engine.shared.files import cannot_write, written_beside
from .engine.shared.folders import walk
from .engine.shared.temporary import remove_leftovers
from .handlers import Handlers

_SOURCE = Path(__file__).resolve().parent / "example"
_BLEND = "fox.blend"


def blend() -> Path:
    """Return where the example is worked on; it may not be there yet."""
    return user_folders.user_folder("example") / _BLEND


def copy(*, anew: bool = False) -> Path:
    """Copy the example, unless it is there already.

    What is left of an example, such as paintings whose .blend was deleted, stays; a file that is
    only the beginning of the one that comes with the add-on is a copy that was cut short.

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
        is_there = path.is_file() and not _is_cut_short(path, _SOURCE / _BLEND)
        for source in _shipped():
            target = path.parent / source.relative_to(_SOURCE)
            if _is_cut_short(target, source) or not (is_there or target.exists()):
                _copy(source, target)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return path


def _shipped() -> list[Path]:
    """Return the files that come with the add-on; the .blend is last, as it tells that all is."""
    files = [folder / name for folder, _, names in walk(_SOURCE) for name in names]
    return sorted(files, key=lambda path: (path.name == _BLEND, path))


def _is_cut_short(path: Path, source: Path) -> bool:
    """Return whether a file is the beginning of another, which none that was worked on is."""
    if not path.is_file() or path.stat().st_size >= source.stat().st_size:
        return False
    return source.read_bytes().startswith(path.read_bytes())


def _copy(source: Path, target: Path) -> None:
    """Copy a file; the copy may be written to, whatever the source is."""
    with written_beside(target) as temporary:
        remove_leftovers(target.parent)
        shutil.copyfile(source, temporary)


def _free_folder(folder: Path) -> Path:
    number = 2
    while folder.with_name(f"{folder.name}-{number}").exists():
        number += 1
    return folder.with_name(f"{folder.name}-{number}")


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
