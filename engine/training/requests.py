# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a training while it runs: another frame to show, or to end and keep."""

from __future__ import annotations

import queue

from ..shared.protocol import Request, TrainKeep, TrainShow
from ..shared.reporter import Reporter


class TrainingRequests:
    """Takes in the requests that have come for a training.

    Args:
        report: of the job; requests come in its ``inbox``, if it has one.

    Attributes:
        keep: whether to end now and keep what is learnt.
        show: the latest request to show a frame; whoever does so sets it to None.
    """

    def __init__(self, report: Reporter) -> None:
        self._inbox: queue.SimpleQueue[Request | None] | None = getattr(report, "inbox", None)
        self.keep = False
        self.show: TrainShow | None = None

    def take(self) -> None:
        """Take in all requests that have come."""
        while self._inbox is not None and not self._inbox.empty():
            request = self._inbox.get_nowait()
            if isinstance(request, TrainKeep):
                self.keep = True
            elif isinstance(request, TrainShow):
                self.show = request
