# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves the engine into another folder, such as on another disk."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import IO

from ..engine.shared.errors import PaintoverError
from ..jobs import Job, Progress
from . import commands, faults, places
from .folder_lock import held_folder
from .removal import delete_own
from .threads import in_thread


def move(target: Path) -> Job[str]:
    """Move the engine into another folder; without an engine, choose where it will be.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the folder is not empty, cannot be written, or has no room.
    """
    source = places.folder()
    if target == source:
        raise PaintoverError(f"The engine is in {target} already; choose another folder.")
    if source in target.parents:
        raise PaintoverError(f"{target} is inside the engine's own folder; choose another folder.")
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise PaintoverError(f"{target} is not empty; choose an empty folder, or a new one.")
        probe = target / places.LOCK
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise faults.disk_error(error, target) from error
    yield from _move(source, target)
    return f"The engine is in {target}"


def _move(source: Path, target: Path) -> Job[None]:
    if not any((source / name).exists() for name in places.OWN):
        _choose(target)
        return
    with held_folder(source):
        measuring = Progress(0.0, text="Measuring")
        size = yield from in_thread(lambda: _size(source), measuring)
        free = shutil.disk_usage(target).free
        if free < size + places.SPARE:
            raise PaintoverError(
                f"The disk of {target} has {faults.megabytes(free)} free, but the engine needs "
                f"{faults.megabytes(size + places.SPARE)}; choose another folder."
            )
        moving = Progress(0.1, text=f"Copying {faults.megabytes(size)}")
        try:
            yield from in_thread(lambda: _copy(source, target), moving)
            with commands.new_log(target / "install.log") as log:
                yield from _fit(source, target, log)
        except BaseException:
            for name in places.OWN:
                shutil.rmtree(target / name, ignore_errors=True)
                with contextlib.suppress(OSError):
                    (target / name).unlink()
            raise
        _choose(target)
    with contextlib.suppress(OSError):
        delete_own(source)


def _choose(target: Path) -> None:
    try:
        places.choose(target)
    except OSError as error:
        raise faults.disk_error(error, places.usual_folder()) from error


def _fit(source: Path, target: Path, log: IO[str]) -> Job[None]:
    """Make the environment find its Python again, which may have moved with it."""
    settings = target / "env" / "pyvenv.cfg"
    if not settings.is_file():
        return
    lines = settings.read_text(encoding="utf-8").splitlines()
    home = next((line.partition("=")[2].strip() for line in lines if line.startswith("home")), "")
    if not home or not commands.uv_path(target).is_file():
        return
    name = "python.exe" if os.name == "nt" else "python3"
    base = Path(home.replace(str(source), str(target))) / name
    command = ["venv", "--allow-existing", "--no-project", "--no-python-downloads"]
    command += [f"--python={base}", str(target / "env")]
    fitting = Progress(0.9, text="Checking")
    yield from commands.run(commands.uv_command(target, *command), target, log, fitting)
    python = str(places.environment_python(target))
    yield from commands.run([python, "-I", "-c", "import numpy"], target, log, fitting)


def _copy(source: Path, target: Path) -> None:
    for name in places.OWN:
        path = source / name
        if name == places.LOCK:
            continue
        if path.is_dir():
            shutil.copytree(path, target / name, symlinks=True)
        elif path.is_file():
            shutil.copy2(path, target / name)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
