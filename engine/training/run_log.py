# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs in the folder of a style, and the loss curve of training as a table."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.files import append, write_bytes
from ..shared.names import one_line


def add_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines, each with date and time, to a log. Errors of the file system are ignored."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    text = "".join(f"{stamp} {one_line(line)}\n" for line in lines)
    with suppress(OSError, PaintoverError):
        append(path, text.encode("utf-8", "backslashreplace"))


class RunLog:
    """Writes ``train.log`` and ``curve.csv`` of a style.

    Args:
        folder: ``styles/NAME``; made if needed.
        again: add to the existing log (a resumed run) instead of starting a new one.

    Raises:
        PaintoverError: the folder cannot be written.
    """

    def __init__(self, folder: Path, *, again: bool) -> None:
        self._folder = folder
        self._path = folder / "train.log"
        if not again:
            write_bytes(self._path, b"")

    def say(self, line: str) -> None:
        """Add a line with date and time. Errors of the file system are ignored."""
        add_lines(self._path, [line])

    def curve(self, rows: list[list[float]]) -> None:
        """Write the loss curve.

        Args:
            rows: step, seconds, training loss and held-out loss; −1 for no value.

        Raises:
            PaintoverError: the file cannot be written.
        """
        lines = ["step,seconds,loss,held_out", *(",".join(map(str, row)) for row in rows)]
        write_bytes(self._folder / "curve.csv", ("\n".join(lines) + "\n").encode())
