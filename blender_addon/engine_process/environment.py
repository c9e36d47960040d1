# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that runs the engine, and the environment that the add-on installs for it."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

import bpy

from .. import logs, user_folders
from ..engine import __version__
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write, digest_file, write_bytes
from ..engine.shared.locks import held_alone
from ..jobs import Job, Progress

_log = logs.logger(__name__)

VARIABLE = "PAINTOVER_ENGINE_PYTHON"
ADDON_FOLDER = Path(__file__).parent.parent
REQUIREMENTS = ADDON_FOLDER / "engine" / "requirements.txt"
_MARKER = "installed.json"
_CHECK = "import numpy, torch, OpenImageIO, cv2, safetensors, scipy, numba"
_LEAST_PYTHON = (3, 11)


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
    if importlib.util.find_spec("torch") and importlib.util.find_spec("OpenImageIO"):
        folders = tuple(path for path in sys.path if path.endswith("site-packages"))
        return EnginePython(Path(sys.executable), "Blender's own", folders)
    raise PaintoverError(
        "The engine is not set up yet; press Install Engine in the Paintover panel, or choose a "
        "Python with PyTorch in the add-on's preferences."
    )


def use(path: str) -> None:
    """Let ``find`` return this Python from now on; "" as before."""
    _given.path = path


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


def environment_folder() -> Path:
    """Return the folder of the environment that the add-on installs; it may not exist."""
    return user_folders.user_folder("engine")


def installed_python() -> Path:
    """Return the Python of the environment that the add-on installs."""
    windows = sys.platform == "win32"
    return environment_folder() / ("env/Scripts/python.exe" if windows else "env/bin/python")


def is_installed() -> bool:
    """Return whether the add-on's environment is complete and meets the current requirements."""
    try:
        marker = json.loads((environment_folder() / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    current = bool(marker.get("requirements") == digest_file(REQUIREMENTS))
    return current and installed_python().is_file()


def install(python: str = "", wheels_folder: str = "") -> Job[str]:
    """Install the engine's environment; continue an interrupted installation.

    Args:
        python: Python that makes the environment; empty: Blender's own.
        wheels_folder: install the packages from this folder, without a network.

    Returns:
        The message to report.

    Raises:
        PaintoverError: online access is off, or a command failed.
    """
    if not wheels_folder and not bpy.app.online_access:
        raise PaintoverError(
            "Blender's online access is off; allow online access in Preferences > System, or "
            "install the engine from a folder of wheels."
        )
    if wheels_folder and not Path(bpy.path.abspath(wheels_folder)).is_dir():
        raise PaintoverError(f"There is no folder {wheels_folder}; choose the folder of wheels.")
    if not python and sys.version_info < _LEAST_PYTHON:
        raise PaintoverError(
            "The engine needs Python 3.11 or later; choose one in the add-on's preferences."
        )
    return _install(python or sys.executable, wheels_folder)


def _install(python: str, wheels_folder: str) -> Job[str]:
    folder = environment_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    with held_alone(folder / "install.lock") as is_alone:
        if not is_alone:
            raise PaintoverError(
                "Another Blender is installing the engine; wait until it has ended."
            )
        yield from _install_alone(folder, python, wheels_folder)
    return "The engine is installed"


def _install_alone(folder: Path, python: str, wheels_folder: str) -> Job[None]:
    log = folder / "install.log"
    (folder / _MARKER).unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    with log.open("x", encoding="utf-8") as file:
        yield Progress(0.0, text="Making the environment")
        if not installed_python().is_file():
            yield from _command(
                [python, "-I", "-m", "venv", "--clear", str(folder / "env")], file, 0.02
            )
        own = str(installed_python())
        pip = [own, "-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        pip += ["--prefer-binary", "--progress-bar=off", "--requirement", str(REQUIREMENTS)]
        if wheels_folder:
            pip += ["--no-index", "--find-links", bpy.path.abspath(wheels_folder)]
        yield from _command(pip, file, 0.05)
        yield Progress(0.95, text="Checking")
        yield from _command([own, "-I", "-c", _CHECK], file, 0.95)
    marker = {"requirements": digest_file(REQUIREMENTS), "version": __version__}
    write_bytes(folder / _MARKER, json.dumps(marker).encode())


def _command(command: list[str], log: IO[str], start: float) -> Job[None]:
    """Run a command of the installation; write its output to the log and report it as progress."""
    _log.info("Runs %s", " ".join(command))
    log.write(f"$ {' '.join(command)}\n")
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise PaintoverError(f"Cannot start {command[0]}: {error.strerror or error}.") from error
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    assert process.stdout
    threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True).start()
    progress = Progress(start)
    last = ""
    try:
        while True:
            ended = process.poll() is not None
            while not lines.empty():
                last = lines.get().strip()
                log.write(f"{last}\n")
                fraction = min(0.9, progress.fraction + 0.01)
                progress = Progress(max(start, fraction), text=last[:60])
            log.flush()
            if ended:
                break
            yield progress
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode:
        raise PaintoverError(
            f"Installing the engine failed ({last[:120] or process.returncode}); see {log.name}; "
            "installing again goes on where it stopped."
        )


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    for line in stream:
        lines.put(line)


def remove() -> None:
    """Delete the environment that the add-on installed. Raises PaintoverError if that fails."""
    folder = environment_folder()
    (folder / _MARKER).unlink(missing_ok=True)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise PaintoverError(
            f"Cannot remove {folder}: {error.strerror or error}; close programs that use it, and "
            "try again."
        ) from error
