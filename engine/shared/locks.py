# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of the operating system, which end with the process that holds them."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import PaintoverError
from .links import refuse_link
from .write_errors import IN_THE_WAY, why_not_written

_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file for as long as it stays open, here or in a process that inherits it.

    Returns:
        Whether it is locked now: False if another process has locked it, None where there are no
        such locks: on some network drives, and on Windows, whose locks keep others from writing.
    """
    if sys.platform == "win32":
        return None
    import fcntl  # noqa: PLC0415

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _BUSY else None
    return True


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether an open file is still the one at a path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def held_alone(path: Path) -> Iterator[bool]:
    """Yield whether no other process holds a lock; this one then holds it within the block.

    Where the file system knows no locks, each process holds it.

    Args:
        path: a file for the lock, in a folder that exists; it is deleted afterwards.

    Raises:
        OSError: the file cannot be written.
        PaintoverError: something else is in its place.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        refuse_link(path)
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:  # callers tell of the file or folder that the lock is for
        if error.errno in IN_THE_WAY and os.path.lexists(path):
            raise PaintoverError(f"Cannot write {path}{why_not_written(path, error)}.") from error
        raise
    try:
        is_held = _lock(descriptor) and is_at(path, descriptor)
        try:
            yield is_held
        finally:
            if is_held and sys.platform != "win32":
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    if sys.platform == "win32" and is_held:
        with suppress(OSError):  # another process has just opened it
            path.unlink(missing_ok=True)


@contextmanager
def held_in_turn(path: Path, seconds: float) -> Iterator[bool]:
    """Wait until no other process holds a lock, but not for ever; then as ``held_alone``.

    Args:
        path: as in ``held_alone``.
        seconds: the longest wait; after it, yield False.

    Raises:
        OSError, PaintoverError: as ``held_alone``.
    """
    end = time.monotonic() + seconds
    while True:
        with held_alone(path) as is_held:
            if is_held or time.monotonic() > end:
                yield is_held
                return
        time.sleep(0.005)


def _lock(descriptor: int) -> bool:
    """Lock an open file; return False if another process has locked it."""
    if sys.platform != "win32":
        return try_lock(descriptor) is not False
    import msvcrt  # noqa: PLC0415

    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return error.errno not in _BUSY
    return True
