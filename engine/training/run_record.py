# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the record of a training while it runs, and keeps its style when it has ended."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator

from ..shared.errors import PaintoverError
from ..shared.files import digest_json
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA, StyleHeader
from ..shared.trainings.kept import (
    free_training_name,
    keep_present_style,
    keep_training,
    record_path,
)
from ..shared.trainings.record import RUNNING, TrainingRecord, thinned, write_record
from ..shared.trainings.verdict import in_words
from .trainer import Trainer

WRITE_INTERVAL = 1.0
"""Minimum seconds between two writes."""


class RunRecord:
    """The record of the training that runs.

    The style that is there is kept first, if no training has kept it.

    Args:
        shot: the shot.
        style: name of the style.
        header: of the style to be.
        continues: whether the training continues one on the same paintings, whose curve the header
            has. Else the header's rows are of other paintings, and are left out.
        report: is warned where files cannot be written; the training goes on.
    """

    def __init__(
        self, shot: Shot, style: str, header: StyleHeader, *, continues: bool, report: Reporter
    ) -> None:
        self._shot, self._style, self._report = shot, style, report
        self._curve = header.curve
        self._first_row = 0 if continues else len(header.curve)
        self._first_second = header.curve[-1][1] if self._first_row else 0.0
        judged = [sorted(header.trained_on.items()), header.settings.get("patch")]
        judged += [header.settings.get("seed"), header.settings.get(ALPHA)]
        began = time.time()
        self._record = TrainingRecord(
            began, RUNNING, header.network, header.trained_on, digest_json(judged)
        )
        self._last = -math.inf
        with self._warning():
            keep_present_style(shot, style)
        self.name = free_training_name(shot, style, began)

    def note(self, trainer: Trainer, seconds: float) -> None:
        """Note what the curve and the trainer tell now, at most every ``WRITE_INTERVAL``.

        Args:
            trainer: of the training.
            seconds: of the training, with those that it continues.
        """
        rows = self._curve[self._first_row :]
        self._record = dataclasses.replace(
            self._record,
            curve=thinned([[row[0], row[1] - self._first_second, *row[2:]] for row in rows]),
            steps=trainer.steps,
            seconds=round(seconds, 2),
            held_out=trainer.best_loss if math.isfinite(trainer.best_loss) else None,
        )
        now = time.monotonic()
        if now - self._last >= WRITE_INTERVAL:
            self._last = now
            self._write()

    @property
    def words(self) -> str:
        """How the training goes on, in words."""
        return in_words(self._record)

    def end(self, state: str, *, is_style: bool) -> str:
        """Write the record for good.

        Args:
            state: how the training ended.
            is_style: whether what it has learnt is the style now, which is kept then.

        Returns:
            How the training went, in words.
        """
        self._record = dataclasses.replace(self._record, state=state)
        if is_style:
            with self._warning():
                keep_training(self._shot, self._style, self.name, self._record)
        else:
            self._write()
        return self.words

    def _write(self) -> None:
        with contextlib.suppress(PaintoverError):  # the style's own files tell of a full disk
            write_record(record_path(self._shot, self._style, self.name), self._record)

    @contextlib.contextmanager
    def _warning(self) -> Iterator[None]:
        try:
            yield
        except PaintoverError as error:
            self._report.warned(f"The training is not kept: {error}")
