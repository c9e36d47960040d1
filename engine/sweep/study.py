# SPDX-License-Identifier: GPL-3.0-or-later
"""A sweep's Optuna study in the shot folder, which several processes and machines may share.

Trials are asked for and told one by one. The journal (``journal.py``) is a file that only grows,
and a claim beside it works on network drives, too.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import JournalStorage
from optuna.trial import FrozenTrial, TrialState

from ..shared.claims import Claims
from ..shared.errors import Cancelled, DamagedError
from ..shared.files import append, cannot_write
from ..shared.names import one_line
from ..shared.training_settings import Value
from .journal import Journal
from .judge import Scores
from .space import Axis, Choice, Fixed, Suggests
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
_PATIENCE, _LOOK = 1.0, 0.01
"""Seconds for which a cancelled sweep still waits for another process, and between two looks."""


class SweepStudy:
    """The study of a sweep.

    Args:
        folder: of the sweep; it exists.
        seed: of the sampler.
        axes: of the search, by name; the journal may have no others.
        cancelled: asked while another process is waited for.

    Raises:
        PaintoverError: the journal cannot be written, or is damaged.
        Cancelled: ``cancelled`` said so.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        axes: Mapping[str, Axis],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path, self._seed, self._claims = folder / JOURNAL, seed, Claims()
        self._cancelled = cancelled
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self.errors():
            append(self._path, b"")
            storage = JournalStorage(Journal(self._path, axes, lambda: self._alone("journal")))
            self.optuna = optuna.create_study(
                storage=storage,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
                study_name=_NAME,
                load_if_exists=True,
            )
            with self._alone("asking"):
                self._recover()

    def begin(self, points: Sequence[Mapping[str, Value]]) -> None:
        """Try these values first, if nothing was tried yet."""
        with self.errors():
            if not self.trials():
                for point in points:
                    self.optuna.enqueue_trial(dict(point), skip_if_exists=True)

    def ask(self) -> optuna.Trial:
        """Return the next trial: first one whose process was killed, as far as that is known."""
        with self.errors(), self._alone("asking"):
            self._recover()
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

    def suggest(self, trial: optuna.Trial, chosen: Callable[[Suggests], Choice]) -> Choice:
        """Return what is chosen by the values of a trial."""
        with self.errors():
            return chosen(trial)

    def again(self, trial: FrozenTrial, chosen: Callable[[Suggests], Choice]) -> Choice:
        """Return what was chosen by the values of a trial that has them all."""
        with self.errors():
            return chosen(Fixed(trial.params))

    def reached(self, trial: optuna.Trial, rung: int, scores: Scores) -> None:
        """Note the scores of a trial on its way.

        Raises:
            GivenUp: others were better at this point.
        """
        if not math.isfinite(scores.total):
            raise GivenUp("its scores are no numbers")
        with self.errors():
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
        with self.errors(), suppress(UpdateFinishedTrialError):
            trial.set_user_attr("scores", _as_data(outcome.scores))
            trial.set_user_attr("steps", outcome.steps)
            trial.set_user_attr("seconds", round(outcome.seconds, 2))
            self.optuna.tell(trial, outcome.scores.total, skip_if_finished=True)
        self._claims.release(self._claim(trial.number))

    def give_up(self, trial: optuna.Trial, why: str) -> None:
        """Note that a trial was given up."""
        with self.errors(), suppress(UpdateFinishedTrialError):
            trial.set_user_attr(_WHY, one_line(why))
            self.optuna.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)
        self._claims.release(self._claim(trial.number))

    def interrupt(self, trial: optuna.Trial) -> None:
        """Note that a trial was interrupted; its values are tried again first."""
        with self.errors(), suppress(UpdateFinishedTrialError):
            self._interrupt(trial.number)
        self._claims.release(self._claim(trial.number))

    def trials(self) -> list[FrozenTrial]:
        """Return all trials so far, of all processes."""
        with self.errors():
            return self.optuna.get_trials(deepcopy=False)

    def best(self) -> FrozenTrial | None:
        """Return the best trial that was trained to its end; None if there is none."""
        done = [trial for trial in self.trials() if trial.state is TrialState.COMPLETE]
        return min(done, key=lambda trial: (trial.value or 0.0, trial.number), default=None)

    @property
    def styles(self) -> dict[str, int]:
        """Digests of the style files that this sweep wrote → the trial they are of."""
        with self.errors():
            found: dict[str, int] = self.optuna.user_attrs.get(_STYLES, {})
            return found

    def note_style(self, digest: str, trial: int) -> None:
        """Note that a style was written with the settings of a trial."""
        with self.errors():
            self.optuna.set_user_attr(_STYLES, {**self.styles, digest: trial})

    def close(self) -> None:
        """Give back what shows others that this process works on a trial."""
        self._claims.close()

    def _claim(self, trial: int) -> Path:
        return self._path.parent / f".trial-{trial}.claim"

    def _recover(self) -> None:
        """Interrupt the trials of processes that were killed; see ``Claims.take``."""
        for number in self._running():
            if self._cancelled():
                raise Cancelled
            path = self._claim(number)
            if self._claims.take(path) is None:
                if number in self._running():  # it may just have ended
                    self._interrupt(number)
                self._claims.release(path)

    def _running(self) -> list[int]:
        trials = self.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [trial.number for trial in trials]

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """Let no other process do the same: write, or ask, so that a trial that runs is claimed."""
        path = self._path.parent / f".{what}.claim"
        end = time.monotonic() + _PATIENCE
        while self._claims.take(path) is not None:
            if self._cancelled() and time.monotonic() > end:
                raise Cancelled
            time.sleep(_LOOK)
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
    def errors(self) -> Iterator[None]:
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
