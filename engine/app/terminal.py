# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress and messages on the command line: on a terminal, in a file, or for a render farm.

Progress and results go to the standard output, warnings and errors to the standard error. Farm
lines follow Open Job Description (``openjd_progress`` etc.).
"""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..shared.durations import format_seconds
from ..shared.names import one_line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STYLES = ("auto", "plain", "openjd", "none")

_REWRITE = "\r\x1b[K"
_TERMINAL_INTERVAL = 0.1
_PLAIN_INTERVAL = 5.0
_PLAIN_FRACTION = 0.1
_FARM_INTERVAL = 0.5


class Terminal:
    """The ``Reporter`` of the command line.

    Args:
        style: ``auto`` (one line rewritten on a terminal, plain lines elsewhere), ``plain``,
            ``openjd``, or ``none``.
        out: stream for progress and results; by default the standard output.
        err: stream for warnings and errors; by default the standard error.
    """

    def __init__(
        self, style: str = "auto", out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        if style == "auto":
            style = "terminal" if self._out.isatty() else "plain"
        self._style = style
        self._stop = threading.Event()
        self._line_open = False
        self._last = ("", -1.0, float("-inf"))

    def stop(self) -> None:
        """Cancel the job; safe in a signal handler."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Return whether the job should stop."""
        return self._stop.is_set()

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Show progress; see ``Reporter.progress``."""
        if not self._is_due(step, fraction):
            return
        left = f", {format_seconds(seconds_left)} left" if seconds_left >= 0 else ""
        text = one_line(text)
        line = f"{step} {fraction:4.0%}  {text}{left}"
        if self._style == "terminal":
            columns = shutil.get_terminal_size().columns
            self._write(f"{_REWRITE}{line[: columns - 1]}", end="")
            self._line_open = True
        elif self._style == "openjd":
            self._write(f"openjd_progress: {100 * fraction:.1f}")
            self._write(f"openjd_status: {step}: {text}{left}")
        else:
            self._write(line)

    def frame_done(self, frame: int, path: Path) -> None:
        """Do nothing: the progress line counts the frames."""

    def picture(self, frame: int, rgba: npt.NDArray[np.uint8]) -> None:
        """Do nothing: a terminal shows no pictures."""

    def warned(self, sentence: str) -> None:
        """Print a warning."""
        self._end_line()
        print(f"Warning: {one_line(sentence)}", file=self._err, flush=True)

    def finished(self, sentence: str) -> None:
        """Print the result of the job."""
        self._end_line()
        sentence = one_line(sentence)
        if self._style == "openjd":
            self._write("openjd_progress: 100.0")
            sentence = f"openjd_status: {sentence}"
        if self._style != "none":
            self._write(sentence)

    def began(self, sentence: str) -> None:
        """Print what begins now."""
        self._end_line()
        if self._style != "none":
            status = "openjd_status: " if self._style == "openjd" else ""
            self._write(f"{status}{one_line(sentence)}")

    def failed(self, sentence: str) -> None:
        """Print why the job failed, also for the farm with ``openjd``."""
        self._end_line()
        sentence = one_line(sentence)
        if self._style == "openjd":
            self._write(f"openjd_fail: {sentence}")
        print(sentence, file=self._err, flush=True)

    def _is_due(self, step: str, fraction: float) -> bool:
        """Return whether to show progress now; a new step and the end always are."""
        last_step, last_fraction, last_time = self._last
        now = time.monotonic()
        elapsed = now - last_time
        due = step != last_step or (fraction >= 1 > last_fraction)
        if self._style == "terminal":
            due = due or elapsed >= _TERMINAL_INTERVAL
        elif self._style == "openjd":
            due = due or elapsed >= _FARM_INTERVAL
        else:
            due = due or elapsed >= _PLAIN_INTERVAL or fraction - last_fraction >= _PLAIN_FRACTION
        if self._style == "none" or not due:
            return False
        self._last = (step, fraction, now)
        return True

    def _end_line(self) -> None:
        if self._line_open:
            self._write("")
            self._line_open = False

    def _write(self, text: str, end: str = "\n") -> None:
        print(text, file=self._out, end=end, flush=True)


class LoggedWarnings(logging.Handler):
    """Prints warnings that modules log, such as where compiled loops are kept."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Print a warning."""
        self._terminal.warned(record.getMessage())
