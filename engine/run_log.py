# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training run leaves to read: ``train.log`` and ``curve.csv`` in the style's folder."""

from __future__ import annotations

import time
from pathlib import Path

from .errors import PaintoverError
from .files import write_bytes


class RunLog:
    """Writes a style's log and loss curve.

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
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError:
            return

    def curve(self, rows: list[list[float]]) -> None:
        """Write the loss curve: step, seconds, training loss, held-out loss (−1: none)."""
        lines = ["step,seconds,loss,held_out", *(",".join(map(str, row)) for row in rows)]
        write_bytes(self._folder / "curve.csv", ("\n".join(lines) + "\n").encode())
