# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary files and folders beside what they are to become.

Their names are random, since containers and machines that share a folder also share process
numbers, and they are opened exclusively. Their maker holds a lock on them, which ends with it, so
that the next job knows what a killed one has left over, whatever the clocks say.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from .folders import remove_tree, walk
from .links import is_link
from .locks import is_at, try_lock
from .places import linked_folders

OLD = 24 * 3600.0
"""Where there are no locks, this many seconds before the last change in its folder is left over."""
_NAME = re.compile(r"\..+\.[0-9a-f]{16}\.tmp(\..*)?")
_FOLDER = ".d"


def is_temporary(name: str) -> bool:
    """Return whether a file or folder of this name is a temporary one of Paintover's."""
    return _NAME.fullmatch(name) is not None


def free_name(path: Path) -> Path:
    """Return a random temporary name beside a path, with its suffix."""
    return path.with_name(f".{path.stem}.{secrets.token_hex(8)}.tmp{path.suffix}")


@contextlib.contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Make an empty file beside a path, and delete it afterwards unless it was moved.

    Args:
        path: what it is to become. Its name keeps the suffix, because image writers choose the
            format by it.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary, descriptor = _made(path)
    if os.name == "nt":  # which moves no open files
        os.close(descriptor)
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if os.name != "nt":
            os.close(descriptor)


def _made(path: Path) -> tuple[Path, int]:
    """Make a temporary file, and return its path and its descriptor, which is locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    while True:
        temporary = free_name(path)
        try:
            descriptor = os.open(temporary, flags, 0o666)
        except FileExistsError:
            continue
        # A job that removes what is left over may have been first.
        if try_lock(descriptor) is not False and is_at(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)


@contextlib.contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder beside a path, and delete it afterwards unless it was moved.

    Raises:
        OSError: the folder cannot be written.
    """
    with temporary_file(path.with_suffix("")) as guard:
        folder = guard.with_name(guard.name + _FOLDER)
        folder.mkdir()
        try:
            yield folder
        finally:
            remove_tree(folder)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files and folders below a folder whose makers were killed.

    Folders right inside a shot that are links to another disk count as in it; other links do not.
    """
    for start in (folder, *linked_folders(folder)):
        _remove_below(start)


def _remove_below(folder: Path) -> None:
    for place, names, files in walk(folder):
        for name in filter(is_temporary, files):
            _remove_if_left_over(place / name)
        for name in filter(is_temporary, names):
            guard = place / name.removesuffix(_FOLDER)
            if name.endswith(_FOLDER) and not guard.exists():
                remove_tree(place / name)
        names[:] = [name for name in names if not is_temporary(name)]


def _remove_if_left_over(path: Path) -> None:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with contextlib.suppress(OSError):
        if is_link(path):
            is_free = None
        else:
            descriptor = os.open(path, flags)
            try:
                is_free = try_lock(descriptor)
                if is_free:
                    _remove(path)
            finally:
                os.close(descriptor)
        if is_free is None and path.parent.stat().st_mtime - path.lstat().st_mtime > OLD:
            _remove(path)


def _remove(path: Path) -> None:
    remove_tree(path.with_name(path.name + _FOLDER))
    path.unlink()
