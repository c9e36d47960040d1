# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of the parts of a sweep, told as progress of the whole."""

from __future__ import annotations

from ..shared.reporter import Reporter, Silent


class Beginning(Silent):
    """Reports the reading of the shot as the begin of the sweep."""

    def __init__(self, report: Reporter, seconds: float) -> None:
        self._report, self._seconds = report, seconds
        self.progress("", 0.0, -1.0, "Reading the keyframes")

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Pass the text on."""
        self._report.progress("sweep", 0.0, self._seconds, text)

    def warned(self, sentence: str) -> None:
        """Pass it on."""
        self._report.warned(sentence)

    def cancelled(self) -> bool:
        """Return whether the job should stop."""
        return self._report.cancelled()


class Ending(Beginning):
    """Reports the training of the style as the end of the sweep."""

    def __init__(self, report: Reporter, share: float) -> None:
        self._share = share
        super().__init__(report, -1.0)

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Pass it on as a part of the whole."""
        done = self._share + (1 - self._share) * fraction
        self._report.progress("sweep", min(done, 0.99), seconds_left, f"Training the style: {text}")
