# SPDX-License-Identifier: GPL-3.0-or-later
"""Log files, each for one engine, although several Blenders of one user share their folder."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import IO

from ..engine.shared.locks import try_lock

_NEW = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class LogFile:
    """An empty log that no other Blender's engine writes; the one before becomes ``*.old``.

    Args:
        path: the log. Where another Blender has it, ``engine-2.log`` is taken, and so on.

    Attributes:
        path: the path that was taken. It is this Blender's until ``close``.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        for number in itertools.count(1):
            self.path = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            held = _take(self.path)
            if held is not None:
                self._held: IO[bytes] = held
                return

    def open(self) -> IO[bytes]:
        """Open it for an engine, which may outlive ``close``. Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        return os.fdopen(os.open(self.path, flags), "ab", buffering=0)

    def close(self) -> None:
        """Leave it to the next engine."""
        self._held.close()


def _take(path: Path) -> IO[bytes] | None:
    """Make a new log, and rename the one that is there; None if another Blender has it."""
    try:
        with os.fdopen(os.open(path, _NEW, 0o666), "rb") as before:
            if try_lock(before.fileno()) is False:
                return None
            path.replace(path.with_name(f"{path.name}.old"))
            held = os.fdopen(os.open(path, _NEW | os.O_EXCL, 0o666), "rb")
    except FileExistsError:
        return None
    except PermissionError:  # Windows moves no open file
        if os.name == "nt" and path.exists():
            return None
        raise
    if try_lock(held.fileno()) is False:
        held.close()
        return None
    return held
