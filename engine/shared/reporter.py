# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress reporting and cancellation of long-running jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Reporter(Protocol):
    """Receives the reports of a job: a terminal, the worker or a test."""

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Report progress.

        Args:
            step: ``import``, ``train``, ``stylize`` or ``preview``.
            fraction: 0..1.
            seconds_left: below 0: unknown.
            text: short text for the user.
        """

    def frame_done(self, frame: int, path: Path) -> None:
        """Report that a stylized frame is written."""

    def warned(self, sentence: str) -> None:
        """Warn the user; the job continues."""

    def picture(self, frame: int, rgba: npt.NDArray[np.uint8]) -> None:
        """Show a live picture: (height, width, 4) uint8 RGBA, display-referred, straight alpha."""

    def cancelled(self) -> bool:
        """Return whether the job should stop. Jobs ask often, and raise ``Cancelled`` if so."""
        ...


class Silent:
    """A reporter that ignores everything and never cancels."""

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Ignore it."""

    def frame_done(self, frame: int, path: Path) -> None:
        """Ignore it."""

    def warned(self, sentence: str) -> None:
        """Ignore it."""

    def picture(self, frame: int, rgba: npt.NDArray[np.uint8]) -> None:
        """Ignore it."""

    def cancelled(self) -> bool:
        """Never."""
        return False
