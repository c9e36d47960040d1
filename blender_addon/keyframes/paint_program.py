# SPDX-License-Identifier: GPL-3.0-or-later
"""The paint program of Blender's preferences, and files opened in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy

from ..engine.shared.errors import PaintoverError

_running: list[subprocess.Popen[bytes]] = []
"""Programs that were started; kept, so that Python does not warn of those that still run."""


def chosen() -> Path:
    """Return the program.

    Raises:
        PaintoverError: none is named, or it is not there.
    """
    preferences: Any = bpy.context.preferences
    name = preferences.filepaths.image_editor.strip()
    if not name:
        raise PaintoverError(
            "No paint program is chosen; name it in Preferences, File Paths, Applications, Image "
            "Editor."
        )
    found = shutil.which(bpy.path.abspath(name)) or shutil.which(name)
    if found:
        return Path(found)
    if _is_mac_bundle(Path(name)):
        return Path(name)
    raise PaintoverError(
        f"The paint program {name} is not there or is no program; name another one in Preferences, "
        "File Paths, Applications, Image Editor."
    )


def open_file(program: Path, path: Path) -> None:
    """Open a file in the program, which goes on by itself. Raises PaintoverError if it fails."""
    command = [str(program), str(path)]
    if _is_mac_bundle(program):
        command = ["open", "-a", *command]
    _running[:] = [process for process in _running if process.poll() is None]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=path.parent,
            # Ctrl C in the terminal that Blender runs in is not meant for it.
            start_new_session=True,
        )
    except OSError as error:
        raise PaintoverError(
            f"The paint program {program} cannot be started ({error.strerror or error}); name "
            "another one in Preferences, File Paths, Applications, Image Editor."
        ) from error
    _running.append(process)


def _is_mac_bundle(path: Path) -> bool:
    return sys.platform == "darwin" and path.suffix == ".app" and path.is_dir()
