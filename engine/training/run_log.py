# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs leave to read in the style's folder: logs, and the loss curve of training."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.files import write_bytes


def add_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines with the time of day to a log. A log that can't be written stops nothing."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    with suppress(OSError), path.open("a", encoding="utf-8") as file:
        file.writelines(f"{stamp} {line}\n" for line in lines)


class RunLog:
    """Writes ``train.log`` and ``curve.csv`` of a style.

    Args:
        folder: ``styles/NAME``; made if needed.
        again: add to the log that is there (a resumed run).

    Raises:
        PaintoverError: the folder cannot be written.
    """

    def __init__(self, folder: Path, *, again: bool) -> None:
        self._folder = folder
        self._path = folder / "train.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not again:
                self._path.write_text("", encoding="utf-8")
        except OSError as error:
            raise PaintoverError(
                f"Cannot write {self._path}: {error.strerror}; choose a shot folder that you may "
                "write to."
            ) from error

    def say(self, line: str) -> None:
        """Add a line with the time of day. A log that can't be written stops nothing."""
        add_lines(self._path, [line])

    def curve(self, rows: list[list[float]]) -> None:
        """Write the loss curve: step, seconds, training loss, held-out loss (−1: none)."""
        lines = ["step,seconds,loss,held_out", *(",".join(map(str, row)) for row in rows)]
        write_bytes(self._folder / "curve.csv", ("\n".join(lines) + "\n").encode())
