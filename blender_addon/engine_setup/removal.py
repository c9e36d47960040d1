# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the engine, and what earlier versions of the add-on left of it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from .. import user_folders
from ..engine.shared.errors import PaintoverError
from . import places, record
from .folder_lock import held_folder


def remove() -> None:
    """Delete the engine, and what earlier versions of the add-on left.

    Raises:
        PaintoverError: a file cannot be deleted, or another Blender installs the engine.
    """
    folder = places.folder()
    if folder.is_dir():
        with held_folder(folder):
            _remove(folder)
    with contextlib.suppress(OSError):
        folder.rmdir()  # if nothing else is in it
    try:
        places.choose(places.usual_folder())
    except OSError as error:
        raise _cannot_remove(folder, error) from error
    remove_older()


def _remove(folder: Path) -> None:
    try:
        with contextlib.suppress(FileNotFoundError):
            record.forget()
        delete_own(folder)
    except OSError as error:
        raise _cannot_remove(folder, error) from error


def _cannot_remove(folder: Path, error: OSError) -> PaintoverError:
    return PaintoverError(
        f"Cannot remove {error.filename or folder}: {error.strerror or error}; close programs "
        "that use it, and try again."
    )


def delete_own(folder: Path) -> None:
    """Delete what is the engine's in its folder, and the folder if it is empty. Raises OSError.

    The lock stays: whoever holds it deletes it.
    """
    for name in places.OWN:
        path = folder / name
        if name == places.LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()  # if nothing else is in it


def remove_older() -> None:
    """Delete the engine that earlier versions of the add-on installed, if there is one."""
    older = user_folders.user_folder("engine")
    if (older / "env").is_dir():
        shutil.rmtree(older, ignore_errors=True)
