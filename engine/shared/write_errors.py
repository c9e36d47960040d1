# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a file cannot be written, and the way out: chosen by the error, in one place."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)
IN_THE_WAY = (
    *(errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.ELOOP, errno.ENXIO),
)
"""Errors of a place that something else has taken."""
_FURTHER = {
    errno.ENOENT: "check that its folder and its drive are there",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.EXDEV: "keep this folder on one drive",
    errno.EBUSY: "close the programs that use it",
}


def why_not_written(path: Path, error: OSError) -> str:
    """Return what follows on “Cannot write FILE”: the reason and the way out, without a full stop.

    Args:
        path: the file or folder.
        error: that came up while it, or a folder on the way to it, was written.
    """
    if error.errno in IN_THE_WAY:
        place = _in_the_way(path)
        if place == path and path.is_dir():
            return ", as a folder has that name; rename the folder"
        return f", as {place} is in the way; move it elsewhere"
    return f": {error.strerror or error}; {_way_out(error)}"


def _way_out(error: OSError) -> str:
    if error.errno in _FULL:
        return "free some space"
    if error.errno in _RIGHTS:
        return "choose a folder that you may write to"
    further = _FURTHER.get(error.errno or 0)
    return further or "free some space, or choose a folder on another disk"


def _in_the_way(path: Path) -> Path:
    """Return the first part of a path that is there and is no folder, else the path."""
    for place in (*reversed(path.parents), path):
        if os.path.lexists(place) and not os.path.isdir(place):  # noqa: PTH112 - raises nothing
            return place
    return path
