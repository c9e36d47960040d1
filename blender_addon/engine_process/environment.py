# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that runs the engine."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import bpy

from .. import user_folders
from ..engine.shared.errors import PaintoverError
from ..engine_setup import places, record

VARIABLE = "PAINTOVER_ENGINE_PYTHON"
ADDON_FOLDER = Path(__file__).parent.parent

# Imports the package "engine" from the add-on, even if this Python has another one, and hides the
# add-on's other modules (-I: no PYTHONPATH, no user site, no current folder).
_BOOTSTRAP = """\
import runpy, sys
folder, *extra = sys.argv.pop(1).split("\\n")
sys.path += extra
sys.path.insert(0, folder)
import engine
del sys.path[0]
runpy.run_module("engine", run_name="__main__", alter_sys=True)
"""


@dataclasses.dataclass(frozen=True)
class EnginePython:
    """A Python that can run the engine."""

    path: Path
    origin: str
    """Where it comes from, for the user."""
    folders: tuple[str, ...] = ()
    """Folders with packages that this Python does not search by itself."""


@dataclasses.dataclass
class _Given:
    """The Python that the command line names, or ""."""

    path: str = ""


_given = _Given()


def find() -> EnginePython:
    """Return the Python that runs the engine.

    In this order: the one given to ``use``, the preferences, the environment that the add-on
    installed, the environment variable ``PAINTOVER_ENGINE_PYTHON``, Blender's own Python with
    bundled wheels.

    Raises:
        PaintoverError: there is none, or the chosen one does not exist.
    """
    if _given.path:
        return _existing(Path(_given.path), "from --python")
    named = preferences().engine_python if preferences() else ""
    if named:
        return _existing(Path(bpy.path.abspath(named)), "from the preferences")
    if is_installed():
        return EnginePython(installed_python(), "installed by the add-on")
    if os.environ.get(VARIABLE):
        return _existing(Path(os.environ[VARIABLE]), f"from {VARIABLE}")
    if _blender_has_packages():
        folders = tuple(path for path in sys.path if path.endswith("site-packages"))
        return EnginePython(Path(sys.executable), "Blender's own", folders)
    raise PaintoverError(
        "The engine is not set up yet; press Install Engine in the Paintover panel, or choose a "
        "Python with PyTorch in the add-on's preferences."
    )


def use(path: str) -> None:
    """Let ``find`` return this Python from now on; "" as before."""
    _given.path = path


def _blender_has_packages() -> bool:
    return all(importlib.util.find_spec(name) for name in ("torch", "OpenImageIO"))


def is_found() -> bool:
    """Return whether there is a Python that runs the engine."""
    try:
        find()
    except PaintoverError:
        return False
    return True


def _existing(path: Path, origin: str) -> EnginePython:
    if not path.is_file():
        raise PaintoverError(
            f"The engine's Python {path} ({origin}) does not exist; choose another one."
        )
    return EnginePython(path, origin)


def preferences() -> Any:
    """Return the add-on's preferences; None where it was enabled without any, as on farms."""
    blender: Any = bpy.context.preferences
    entry = blender.addons.get(user_folders.ADDON)
    return entry.preferences if entry else None


def preference(name: str) -> str:
    """Return a text of the add-on's preferences; "" where there are none."""
    return str(getattr(preferences(), name, ""))


def installed_python() -> Path:
    """Return the Python of the environment that the add-on installs."""
    return places.environment_python()


def is_installed() -> bool:
    """Return whether the add-on's environment is complete and meets the current requirements."""
    found = record.installed()
    return found is not None and record.fits(found)


def engine_command(python: EnginePython, *words: str) -> list[str]:
    """Return the command that runs the add-on's engine in a Python, such as with ``worker``."""
    folders = "\n".join([str(ADDON_FOLDER), *python.folders])
    return [str(python.path), "-I", "-X", "utf8", "-c", _BOOTSTRAP, folders, *words]
