# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files that others may have made: files alone, no devices or pipes, and bounded."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from .checked import TooMuchError, check_amount, parse_json

_NO_WAITING = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
MOST_JSON = 32 << 20
"""Most bytes of a JSON file."""


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or a device, which may never end, is refused.

    Raises:
        OSError: there is no such file, or it may not be read or is none.
    """
    _check_kind(path, path.stat().st_mode)  # opening some devices has effects
    descriptor = os.open(path, _NO_WAITING)
    try:
        _check_kind(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_json(path: Path, most: int = MOST_JSON) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        most: most bytes that it may have.

    Raises:
        OSError: there is no such file, or it may not be read or is none.
        ValueError: it is no JSON as ``parse_json`` reads it, or too long.
    """
    with open_file(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise TooMuchError("too long")
    return parse_json(data)


def check_length(text: str, times: int = 1) -> None:
    """Raise TooMuchError if JSON, or so many times it, is more than ``read_json`` reads."""
    if times * len(text.encode()) > MOST_JSON:
        raise TooMuchError("too long")
    check_amount(text, times)


def _check_kind(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe and no file", str(path))
