# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a machine keeps what may be lost: logs, live pictures, compiled loops.

Workers of a farm may have nothing that can be written but the shot folder and the system's
temporary folder: the add-on and the home folder are read-only there.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

VARIABLE = "PAINTOVER_CACHE"
"""Environment variable that names a folder for all of it, used before any other."""


def named_folder(name: str) -> Path | None:
    """Return ``PAINTOVER_CACHE/NAME``, None where the variable is not set."""
    named = os.environ.get(VARIABLE)
    return Path(named).absolute() / name if named else None


def first_writable(folders: Iterable[Path | None]) -> Path | None:
    """Make and return the first folder that can be written; None: there is none."""
    return next((folder for folder in folders if folder is not None and _can_write(folder)), None)


def temporary_folder(name: str) -> Path | None:
    """Make and return a folder in the system's temporary folder that is this user's alone.

    Compiled loops are code, so a folder of another user, or a link, is not taken.

    Returns:
        None where it cannot be made, or is somebody else's.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir()) / f"paintover-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or found.st_mode & 0o022):
        return None
    return first_writable([folder / name]) if stat.S_ISDIR(found.st_mode) else None


def cannot_keep(what: str, where: Path | None) -> str:
    """Return the sentence about what is not kept in its usual folder.

    Args:
        what: such as ``Compiled loops``.
        where: the folder that is used instead; None: nothing is kept.
    """
    if where is None:
        instead = "are not kept, so each start takes longer"
    else:
        instead = f"are kept in {where}"
    return f"{what} {instead}; set {VARIABLE} to a folder that can be written."


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
