# SPDX-License-Identifier: GPL-3.0-or-later
"""Links to other files and folders: symbolic ones, and the junctions of Windows."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_STANDS_FOR_ANOTHER = 0x20000000
"""Bit in the tag of a reparse point; files that wait in a cloud lack it, and are no links."""


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link, a junction or a mounted folder of Windows."""
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return False
    tag = getattr(found, "st_reparse_tag", 0)
    return stat.S_ISLNK(found.st_mode) or bool(tag & _STANDS_FOR_ANOTHER)


def refuse_link(path: Path) -> None:
    """Raise OSError if a path is a link, as ``O_NOFOLLOW`` does where the system has it."""
    if is_link(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
