# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of the operating system, which end with the process that holds them."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def held_alone(path: Path) -> Iterator[bool]:
    """Yield whether no other process holds a lock; this one then holds it within the block.

    Where the file system knows no locks, each process holds it.

    Args:
        path: a file for the lock, in a folder that exists; it is deleted afterwards.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("ab") as file:
        is_held = _lock(file.fileno()) and _is_at(path, file.fileno())
        try:
            yield is_held
        finally:
            if is_held and sys.platform != "win32":
                path.unlink(missing_ok=True)
    if sys.platform == "win32" and is_held:
        with suppress(OSError):  # another process has just opened it
            path.unlink(missing_ok=True)


def _lock(descriptor: int) -> bool:
    """Lock an open file; return False if another process has locked it."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
