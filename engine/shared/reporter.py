# SPDX-License-Identifier: GPL-3.0-or-later
"""How long jobs tell of themselves and hear that they should stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Reporter(Protocol):
    """What ``import``, ``train`` and ``stylize`` report to: a terminal, the worker, a test."""

    def progress(self, step: str, fraction: float, seconds_left: float, text: str) -> None:
        """Tell how far a job is: 0..1, seconds left (below zero: unknown), a text for people."""

    def frame_done(self, frame: int, path: Path) -> None:
        """Tell that a stylized frame is in its place."""

    def warned(self, sentence: str) -> None:
        """Tell the user something that does not stop the job."""

    def picture(self, frame: int, rgba: npt.NDArray[np.uint8]) -> None:
        """Show a live picture: (height, width, 4) codes, display-referred, straight alpha."""

    def cancelled(self) -> bool:
        """Tell whether the job should stop. Asked often; the job then raises ``Cancelled``."""
        ...


class Silent:
    """A reporter that tells nobody and never stops the job."""

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
