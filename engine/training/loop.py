# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: steps until the budget is spent, with progress, validation and saving."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NoReturn

from ..shared.errors import Cancelled
from ..shared.reporter import Reporter
from ..shared.trainings.record import CONVERGED, FINISHED, STOPPED
from .budget import Budget, Stopwatch
from .live_preview import LivePreview
from .requests import TrainingRequests
from .run_log import RunLog
from .run_record import RunRecord
from .trainer import Trainer

SAVE_INTERVAL = 30.0
"""Seconds between two saves of the state, in case the process is killed."""
PROGRESS_INTERVAL = 0.25
"""Seconds between two reports of progress."""

MIN_STEPS_TO_STOP = 400
"""Training does not stop early before this many steps."""
_ENDED = {
    FINISHED: "done",
    CONVERGED: "stopped early, since the held-out loss no longer fell",
    STOPPED: "stopped by the user, to be kept",
}


class TrainingLoop:
    """Runs the steps of a training run.

    Args:
        trainer: takes the steps.
        budget: how long; marked as finished at the end.
        watch: measures the seconds of the run.
        curve: the training curve (``StyleHeader.curve``); each validation adds a row.
        preview: shows live pictures.
        log: gets the curve and how the run ended.
        record: notes the curve too, for those who watch.
        requests: what is asked meanwhile.
        report: hears the progress, and may cancel.
        save_state: writes the state that a run resumes from.
        save_style: writes the style file with the best weights so far, unless a better one is
            there; is told whether the training is finished.
    """

    def __init__(
        self,
        trainer: Trainer,
        budget: Budget,
        watch: Stopwatch,
        curve: list[list[float]],
        preview: LivePreview,
        log: RunLog,
        record: RunRecord,
        requests: TrainingRequests,
        report: Reporter,
        save_state: Callable[[], None],
        save_style: Callable[[bool], None],
    ) -> None:
        self._trainer, self._budget, self._watch = trainer, budget, watch
        self._curve, self._preview, self._log, self._report = curve, preview, log, report
        self._save_state, self._save_style = save_state, save_style
        self._record, self._requests = record, requests

    def run(self) -> str:
        """Train until the budget is spent, then save.

        Returns:
            How the training ended: ``FINISHED``, ``CONVERGED`` or ``STOPPED`` to be kept.

        Raises:
            PaintoverError: the training loss is not finite, or a file cannot be written.
            Cancelled: the job was told to stop; state and style are saved if a step was taken.
        """
        trainer, budget, watch = self._trainer, self._budget, self._watch
        last_report = last_save = last_validated = time.monotonic()
        ended = FINISHED
        while (spent := budget.spent(trainer.steps, watch.seconds())) < 1 and ended == FINISHED:
            if self._report.cancelled():
                self._cancel()
            trainer.step(spent)
            now = time.monotonic()
            if budget.is_time_to_validate(trainer.steps, now - last_validated):
                self._validate()
                last_validated = time.monotonic()
                if _has_converged(trainer, budget.first_step):
                    ended = CONVERGED
            if now - last_report > PROGRESS_INTERVAL:
                self._report_progress(spent)
                last_report = now
            if now - last_save > SAVE_INTERVAL:
                self._save_state()
                last_save = time.monotonic()
            self._requests.take()
            if self._requests.keep:
                ended = STOPPED
            if self._requests.show:
                self._preview.show(self._requests.show)
                self._requests.show = None
            self._preview.update(trainer.averaged)
        self._validate()
        budget.finished = True
        self._save_style(True)
        self._save_state()  # last, as resuming a finished run trains for the whole budget again
        skipped = f", {trainer.skipped} of them skipped" if trainer.skipped else ""
        self._log.say(f"{_ENDED[ended]}: {trainer.steps} steps{skipped}, {watch.seconds():.1f} s")
        return ended

    def _validate(self) -> None:
        held_out = self._trainer.validate()
        row = [float(self._trainer.steps), self._watch.seconds(), self._trainer.loss, held_out]
        self._curve.append([round(value, 5) if math.isfinite(value) else -1.0 for value in row])
        self._log.curve(self._curve)
        self._record.note(self._trainer, self._watch.seconds())

    def _report_progress(self, spent: float) -> None:
        words = self._record.words
        text = f"Step {self._trainer.steps}, {words[0].lower()}{words[1:]}"
        left = self._budget.seconds_left(spent, self._watch.seconds())
        self._report.progress("train", spent, left, text)

    def _cancel(self) -> NoReturn:
        if self._trainer.steps:
            self._save_state()
            self._validate()
            self._save_style(False)
        self._log.say(f"cancelled after {self._trainer.steps} steps")
        raise Cancelled(resumes=self._trainer.steps > 0)


def _has_converged(trainer: Trainer, first_step: int) -> bool:
    """Return whether the lowest held-out loss of a long run lies before its middle.

    Args:
        trainer: of the run.
        first_step: step at which the budget began; a run that is continued has so many before it.
    """
    if not math.isfinite(trainer.best_loss):
        return False
    taken = trainer.steps - first_step
    return taken > MIN_STEPS_TO_STOP and trainer.best_step < first_step + taken / 2
