# SPDX-License-Identifier: GPL-3.0-or-later
"""Walking through and deleting folders that others may have made: of any depth, without links."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from .links import is_link

DEEPEST = 16
"""Folders in folders that ``walk`` enters; a shot has less than half as many."""


def walk(
    folder: Path, unread: Callable[[OSError], None] = lambda _: None
) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield a folder and those in it: its path, the names of its folders, and of all else.

    Names of folders that are taken out of the list are not entered, nor is what lies deeper than
    ``DEEPEST``. Links are no folders here.

    Args:
        folder: the folder.
        unread: is told why a folder cannot be read; it is then empty.
    """
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        names, files = _entries(place, unread)
        yield place, names, files
        if depth < DEEPEST:
            waiting += [(place / name, depth + 1) for name in names]


def remove_tree(folder: Path) -> None:
    """Delete a folder with all in it, as far as that can be done; what is no folder stays."""
    if is_link(folder) or not os.path.isdir(folder):  # noqa: PTH112 - as in ``places``
        return  # ``shutil.rmtree`` of Python 3.11 would wait for someone to write to a pipe
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        _remove_deep(folder)


def _remove_deep(folder: Path) -> None:
    # ``shutil.rmtree`` of Python 3.11 calls itself for each folder in a folder.
    found = [folder]
    for place in found:
        names, files = _entries(place, lambda _: None)
        for name in files:
            _unlink(place / name)
        found += [place / name for name in names]
    for place in reversed(found):
        with contextlib.suppress(OSError):
            place.rmdir()


def _unlink(path: Path) -> None:
    for remove in (path.unlink, path.rmdir):  # a junction of Windows is a folder to its disk
        with contextlib.suppress(OSError):
            remove()
            return


def _entries(place: Path, unread: Callable[[OSError], None]) -> tuple[list[str], list[str]]:
    """Return the names of the folders in a folder, and of all else."""
    names: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False) and not is_link(place / entry.name)
                (names if is_folder else files).append(entry.name)
    except OSError as error:
        unread(error)
        return [], []
    return names, files
