# SPDX-License-Identifier: GPL-3.0-or-later
"""Log files, each for one engine, although several Blenders of one user share their folder."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import IO

from ..engine.shared.locks import try_lock

_NEW = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


def open_log(path: Path) -> tuple[Path, IO[bytes]]:
    """Open an empty log that no other engine writes; the one before becomes ``*.old``.

    It stays this engine's while the file is open, here or in the process that inherits it.

    Args:
        path: the log. Where another engine writes it, ``engine-2.log`` is taken, and so on.

    Returns:
        The path that was taken, and the file.

    Raises:
        OSError: the folder cannot be written.
    """
    for number in itertools.count(1):
        place = path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        file = _take(place)
        if file is not None:
            return place, file
    raise AssertionError


def _take(path: Path) -> IO[bytes] | None:
    """Open a new log, and rename the one that is there; None if an engine writes it."""
    try:
        with os.fdopen(os.open(path, _NEW, 0o666), "rb") as before:
            if try_lock(before.fileno()) is False:
                return None
            path.replace(path.with_name(f"{path.name}.old"))
            file = os.fdopen(os.open(path, _NEW | os.O_EXCL, 0o666), "ab", buffering=0)
    except FileExistsError:
        return None
    except PermissionError:  # Windows moves no open file
        if os.name == "nt" and path.exists():
            return None
        raise
    if try_lock(file.fileno()) is False:
        file.close()
        return None
    return file
