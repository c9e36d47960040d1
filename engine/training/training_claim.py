# SPDX-License-Identifier: GPL-3.0-or-later
"""One training of a style at a time, whichever machine it runs on."""

from __future__ import annotations

from ..shared.claim_file import Holder
from ..shared.claims import Claims, holder_of
from ..shared.errors import PaintoverError
from ..shared.reporter import Reporter
from ..shared.shot import Shot


class TrainingClaim:
    """The claim on a style while it is trained, for ``with``.

    Args:
        shot: the shot.
        style: name of the style.
        report: hears that it waits, and may cancel.

    Raises:
        PaintoverError: on entry, if the style is being trained.
        Cancelled: on entry, if the job was told to stop.
    """

    def __init__(self, shot: Shot, style: str, report: Reporter) -> None:
        self._style, self._report = style, report
        self._path = shot.training_claim_path(style)
        self._claims = Claims()

    def __enter__(self) -> TrainingClaim:
        """Take the claim, or wait until it is known that another training lives."""
        try:
            self._enter()
        except BaseException:
            self._claims.close()
            raise
        return self

    def _enter(self) -> None:
        def wait(holder: Holder) -> None:
            text = f"Waiting for signs of an earlier training by {holder}"
            self._report.progress("train", 0.0, -1.0, text)

        what = f'The style "{self._style}" is being trained'
        self._claims.take_or_refuse(self._path, what, wait, self._report.cancelled)

    def __exit__(self, *_: object) -> None:
        """Give the claim back."""
        self._claims.close()

    def check(self) -> None:
        """Raise PaintoverError if another training has begun; call it before anything is written.

        It may have begun where this process was suspended for long.
        """
        if self._claims.is_ours(self._path):
            return
        holder = holder_of(self._path) or "another process"
        raise PaintoverError(
            f'The style "{self._style}" is now trained by {holder}, as this training has stood '
            "still for long; it ends here, and what it has saved before stays."
        )
