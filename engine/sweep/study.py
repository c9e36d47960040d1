# SPDX-License-Identifier: GPL-3.0-or-later
"""A sweep's Optuna study in the shot folder, which several processes and machines may share.

Trials are asked for and told one by one. Optuna's journal is a file that only grows, and a lock
file beside it works on network drives, too.
"""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from ..shared.checked import Digest, Pattern, from_data
from ..shared.claims import Claims
from ..shared.errors import DamagedError
from ..shared.files import append, cannot_write, write_bytes
from ..shared.names import one_line
from ..shared.reading import MOST_JSON, open_file
from ..shared.training_settings import Value
from .judge import Scores
from .trial import GivenUp, Outcome

JOURNAL = "journal.log"
_NAME = "sweep"
_WHY, _STYLES = "why", "styles"
"""Attributes of trials and of the study."""
_FIXED = "fixed_params"
"""Optuna's attribute of a trial that holds the values it was to try first."""
STARTUP = 5
"""Trials before the sampler learns from them, and before any is given up for its score."""


_OF_DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError),
    *(ValueError, optuna.exceptions.OptunaError),
)
"""What Optuna raises where a journal is not as it wrote it."""
_Line = Annotated[str, Pattern(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,2000}")]


@dataclasses.dataclass
class _Notes:
    """What is noted of a trial."""

    scores: dict[_Line, float | None] = dataclasses.field(default_factory=dict)
    steps: int | None = None
    seconds: float | None = None
    why: _Line = ""


@dataclasses.dataclass
class _Trial:
    """What is used of a trial in a journal, which may come from anyone."""

    value: float | None
    params: dict[_Line, bool | int | float | _Line]
    notes: _Notes


class SweepStudy:
    """The study of a sweep.

    Args:
        folder: of the sweep; it exists.
        seed: of the sampler.

    Raises:
        PaintoverError: the journal cannot be written, or is damaged.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._path, self._seed, self._claims = folder / JOURNAL, seed, Claims()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self._errors():
            append(self._path, b"")
            _check_size(self._path)
            lock = JournalFileOpenLock(str(self._path))
            _drop_torn_line(self._path, lock)
            storage = JournalStorage(JournalFileBackend(str(self._path), lock))
            self.optuna = optuna.create_study(
                storage=storage,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
                study_name=_NAME,
                load_if_exists=True,
            )
            self._recover()

    def begin(self, points: Sequence[Mapping[str, Value]]) -> None:
        """Try these values first, if nothing was tried yet."""
        with self._errors():
            if not self.trials():
                for point in points:
                    self.optuna.enqueue_trial(dict(point), skip_if_exists=True)

    def ask(self) -> optuna.Trial:
        """Return the next trial."""
        with self._errors(), self._asking():
            begun = sum(trial.state is not TrialState.WAITING for trial in self.trials())
            self.optuna.sampler = optuna.samplers.TPESampler(
                n_startup_trials=STARTUP,
                multivariate=True,
                constant_liar=True,
                seed=(self._seed + begun) % (1 << 32),  # two processes must not draw the same
            )
            trial = self.optuna.ask()
            self._claims.take(self._claim(trial.number))
            return trial

    def reached(self, trial: optuna.Trial, rung: int, scores: Scores) -> None:
        """Note the scores of a trial on its way.

        Raises:
            GivenUp: others were better at this point.
        """
        with self._errors():
            try:
                trial.report(scores.total, rung)
                if not trial.should_prune():
                    return
                trial.set_user_attr("scores", _as_data(scores))
            except UpdateFinishedTrialError:
                raise GivenUp("another process has taken it over") from None
            raise GivenUp("others were better by then")

    def tell(self, trial: optuna.Trial, outcome: Outcome) -> None:
        """Note the outcome of a trial."""
        with self._errors(), suppress(UpdateFinishedTrialError):
            trial.set_user_attr("scores", _as_data(outcome.scores))
            trial.set_user_attr("steps", outcome.steps)
            trial.set_user_attr("seconds", round(outcome.seconds, 2))
            self.optuna.tell(trial, outcome.scores.total, skip_if_finished=True)
        self._claims.release(self._claim(trial.number))

    def give_up(self, trial: optuna.Trial, why: str) -> None:
        """Note that a trial was given up."""
        with self._errors(), suppress(UpdateFinishedTrialError):
            trial.set_user_attr(_WHY, one_line(why))
            self.optuna.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
        self._claims.release(self._claim(trial.number))

    def interrupt(self, trial: optuna.Trial) -> None:
        """Note that a trial was interrupted; its values are tried again first."""
        with self._errors(), suppress(UpdateFinishedTrialError):
            self._interrupt(trial.number)
        self._claims.release(self._claim(trial.number))

    def trials(self) -> list[FrozenTrial]:
        """Return all trials so far, of all processes, each checked."""
        with self._errors():
            trials = self.optuna.get_trials(deepcopy=False)
            for trial in trials:
                noted = {"value": trial.value, "params": trial.params, "notes": trial.user_attrs}
                from_data(_Trial, noted)
            return trials

    def best(self) -> FrozenTrial | None:
        """Return the best trial that was trained to its end; None if there is none."""
        done = [trial for trial in self.trials() if trial.state is TrialState.COMPLETE]
        return min(done, key=lambda trial: (trial.value or 0.0, trial.number), default=None)

    @property
    def styles(self) -> dict[str, int]:
        """Digests of the style files that this sweep wrote → the trial they are of."""
        with self._errors():
            return from_data(dict[Digest, int], self.optuna.user_attrs.get(_STYLES, {}))

    def note_style(self, digest: str, trial: int) -> None:
        """Note that a style was written with the settings of a trial."""
        with self._errors():
            self.optuna.set_user_attr(_STYLES, {**self.styles, digest: trial})

    def close(self) -> None:
        """Give back what shows others that this process works on a trial."""
        self._claims.close()

    def _claim(self, trial: int) -> Path:
        return self._path.parent / f".trial-{trial}.claim"

    def _recover(self) -> None:
        """Interrupt the trials of processes that were killed; see ``Claims.take``."""
        with self._asking():
            for number in self._running():
                path = self._claim(number)
                if self._claims.take(path) is None:
                    if number in self._running():  # it may just have ended
                        self._interrupt(number)
                    self._claims.release(path)

    def _running(self) -> list[int]:
        trials = self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [trial.number for trial in trials]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Let no other process ask: in between, a trial that runs has its claim."""
        path = self._path.parent / ".asking.claim"
        while self._claims.take(path) is not None:
            time.sleep(0.1)
        try:
            yield
        finally:
            self._claims.release(path)

    def _interrupt(self, number: int) -> None:
        trial = self.optuna.get_trials(deepcopy=False)[number]
        values = {**trial.system_attrs.get(_FIXED, {}), **trial.params}
        self.optuna.tell(number, state=TrialState.FAIL, skip_if_finished=True)
        if values:
            self.optuna.enqueue_trial(values)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the journal into sentences, and silence notes on new functions."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            try:
                yield
            except OSError as error:
                raise cannot_write(self._path, error) from error
            except _OF_DAMAGE as error:
                raise DamagedError(
                    f"{self._path} is damaged; rename the folder {self._path.parent}, and begin "
                    "the sweep again."
                ) from error


def state_in_words(trial: FrozenTrial) -> str:
    """Return what became of a trial, and why."""
    words = {
        TrialState.COMPLETE: "done",
        TrialState.PRUNED: "given up",
        TrialState.FAIL: "interrupted",
        TrialState.RUNNING: "running",
        TrialState.WAITING: "waiting",
    }
    why = trial.user_attrs.get(_WHY, "")
    return words[trial.state] + (f": {why}" if why else "")


def _as_data(scores: Scores) -> dict[str, float | None]:
    return {"held_out": scores.held_out, "strokes": scores.strokes, "flicker": scores.flicker}


def _check_size(path: Path) -> None:
    with open_file(path) as file:
        if file.seek(0, 2) > MOST_JSON:
            raise ValueError("too long")


def _drop_torn_line(path: Path, lock: JournalFileOpenLock) -> None:
    """Drop the last line of a journal if its writer was killed while it wrote it."""
    lock.acquire()
    try:
        with open_file(path) as file:
            text = file.read()
        if text and not text.endswith(b"\n"):
            write_bytes(path, text[: text.rfind(b"\n") + 1])
    finally:
        lock.release()
