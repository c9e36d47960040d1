# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the engine lies: in one folder of the user, for all versions of Blender.

The folder may have been moved to another disk; then ``location.json`` in the usual one names it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import tempfile
from pathlib import Path

from ..engine.shared.checked import extensible, from_data
from ..engine.shared.files import read_by_state, write_bytes
from ..engine.shared.reading import read_json

_POINTER = "location.json"
LOCK = "install.lock"
"""Held in the folder by the Blender that changes the engine."""
OWN = ("env", "uv", "downloads", "cache", "python", "engine.json", "install.log", LOCK)
"""What is in the folder of the engine; nothing else in it is ever deleted."""
SPARE = 100 << 20
"""Bytes that its disk should have left."""


def usual_folder() -> Path:
    """Return the folder of the engine where the user has chosen none.

    With ``BLENDER_USER_RESOURCES`` it is in that folder, as all else of Blender's.
    """
    resources = os.environ.get("BLENDER_USER_RESOURCES")
    if resources:
        return Path(resources) / "paintover"
    try:
        home = Path.home()
    except RuntimeError:  # an account without a home, as on farms
        home = Path(tempfile.gettempdir())
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local") / "Paintover"
    if sys.platform == "darwin":
        return home / "Library/Application Support/Paintover"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "paintover"


@extensible
@dataclasses.dataclass(frozen=True)
class _Location:
    folder: str


def _read_pointer(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return from_data(_Location, read_json(path)).folder
    return ""


_pointed = read_by_state(_read_pointer, "")


def folder() -> Path:
    """Return the folder of the engine; it need not exist."""
    chosen = _pointed(usual_folder() / _POINTER)
    return Path(chosen) if chosen else usual_folder()


def choose(place: Path) -> None:
    """Remember another folder for the engine, for all versions of Blender. Raises OSError."""
    pointer = usual_folder() / _POINTER
    if place == usual_folder():
        pointer.unlink(missing_ok=True)
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(pointer, json.dumps({"folder": str(place)}).encode())


def environment_python(place: Path | None = None) -> Path:
    """Return the Python of the engine's environment; it need not exist."""
    inside = "env/Scripts/python.exe" if sys.platform == "win32" else "env/bin/python"
    return (place or folder()) / inside


def site_packages(place: Path | None = None) -> Path | None:
    """Return the folder of the installed packages, None if there is none."""
    environment = (place or folder()) / "env"
    found = [environment / "Lib/site-packages", *environment.glob("lib/python3.*/site-packages")]
    return next((path for path in found if path.is_dir()), None)
