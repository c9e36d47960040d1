# SPDX-License-Identifier: GPL-3.0-or-later
"""The sweep: searches for the training settings of one shot, then trains a style with the best.

A trial is a short training, judged on paint that was left out, on strokes and on flicker
(``sweep/judge.py``). Trials are kept in ``sweeps/NAME/`` in the shot folder, so a sweep goes on
where it was stopped, and several processes and machines may search together.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..networks.device import Device, choose_device
from ..shared.claims import Claims
from ..shared.errors import Cancelled, PaintoverError
from ..shared.files import digest_file
from ..shared.protocol import Sweep, Train
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.temporary import remove_leftovers
from ..sweep.judge import Judge, Scores
from ..sweep.material import Material, read_material
from ..sweep.packages import check_packages
from ..sweep.record import SweepRecord, read_record, write_record
from ..sweep.reporters import Beginning, Ending
from ..sweep.space import PAPER, SHOT, Choice, Suggests, axes, starting_points, suggest
from ..sweep.trial import GivenUp, run_trial
from ..training.budget import Budget
from ..training.run_log import add_lines
from ..training.settings import default_guides, default_settings
from .train import train

if TYPE_CHECKING:
    from ..sweep.report import Results
    from ..sweep.study import SweepStudy

DEFAULT_NAME, DEFAULT_PAPER_NAME = "sweep", "sweep-paper"
TRIALS_WANTED = 8
"""Trials that fit into the time if it is long enough …"""
TRIAL_SECONDS = (5.0, 60.0)
"""… for trials of at least and at most so many seconds."""
FINAL_SHARE, FINAL_SECONDS = 0.2, (15.0, 300.0)
"""Share of the time for the training of the style, and its least and most seconds."""
FINAL_STEPS = 4
"""Steps of that training, in those of a trial, where trials are given by steps."""
JUDGING = 1.3
"""Time that a trial takes, in that of its training, as judging takes time, too."""


def sweep(request: Sweep, report: Reporter) -> dict[str, Any]:
    """Search for the settings of a shot, and train a style with the best ones.

    Returns:
        ``name`` of the sweep and its style, ``folder``, ``style`` (path; "" if none was trained),
        ``trials`` (their number, of all processes), ``results`` (as ``results.json``), ``table``
        as text, ``plots`` (paths).

    Raises:
        PaintoverError: there is too little paint, a file is damaged, or a style of that name was
            made by something else.
        Cancelled: the job was told to stop; all trials that were finished stay.
    """
    check_packages()
    began = time.monotonic()
    shot = Shot.open(Path(request.shot))
    remove_leftovers(shot.folder)
    device = choose_device(request.device)
    search = _Search.of(request, shot, device, Beginning(report, 60 * request.minutes))
    end = began + 60 * request.minutes
    try:
        search.try_settings(end, report)
    except Cancelled:
        search.write("")
        raise
    finally:
        search.study.close()
    style = ""
    if request.train_style and search.study.best() is not None:
        search.write("")
        style = search.train_best(end, Ending(report, search.share_of_trials))
    found, plots = search.write(style)
    report.progress("sweep", 1.0, 0.0, f"{len(found.data['trials'])} trials")
    return {
        "name": search.name,
        "folder": str(search.folder),
        "style": style,
        "trials": len(found.data["trials"]),
        "results": found.data,
        "table": found.table(),
        "plots": [str(search.folder / plot) for plot in plots],
    }


@dataclasses.dataclass(frozen=True)
class _Search:
    """A sweep that is under way."""

    request: Sweep
    shot: Shot
    device: Device
    name: str
    record: SweepRecord
    material: Material
    judge: Judge
    study: SweepStudy

    @classmethod
    def of(cls, request: Sweep, shot: Shot, device: Device, report: Reporter) -> _Search:
        """Begin a sweep, or go on with the one of the same name."""
        from ..sweep.study import SweepStudy  # noqa: PLC0415  (its packages may be missing)

        keys = sorted(set(request.keys)) or shot.painted_keys()
        space = PAPER if request.paper else SHOT
        network = "paper" if request.paper else "fast"
        guides = default_guides(network, shot)
        radius = default_settings(network).filter
        material = read_material(shot, keys, guides, radius, device, request.seed, report)
        learnt = {key: shot.key_digest(key) for key in keys}
        steps, seconds = _length_of_trials(request)
        words = "" if steps else device.describe()
        guides = material.training_set.guides
        wanted = SweepRecord(space, learnt, guides, steps, seconds, words)
        name, record = _name_for(request, shot, wanted, report)
        folder = shot.sweep_folder(name)
        write_record(folder, record)
        judge = Judge(material)
        study = SweepStudy(folder, request.seed, axes(space, guides), report.cancelled)
        study.begin(starting_points(space, guides, has_motion=bool(material.pairs)))
        search = cls(request, shot, device, name, record, material, judge, study)
        search.refuse_other_style()
        return search

    @property
    def folder(self) -> Path:
        """The sweep's folder."""
        return self.shot.sweep_folder(self.name)

    def refuse_other_style(self) -> None:
        """Raise PaintoverError if the sweep would replace a style that it has not made."""
        path = self.shot.style_path(self.name)
        if self.request.train_style and digest_file(path) not in ("", *self.study.styles):
            raise PaintoverError(
                f'There is a style "{self.name}" that this sweep has not made; give the sweep '
                "another name with --style."
            )

    @property
    def share_of_trials(self) -> float:
        """Share of the job that the trials take."""
        return 1 - self._final_seconds / self._total_seconds

    def try_settings(self, end: float, report: Reporter) -> None:
        """Run trials until their number or the time for them is reached, at least the first."""
        begun, began = 0, time.monotonic()
        end -= self._final_seconds if self.request.train_style else 0.0
        most = self.request.trials
        none_yet = self.study.best() is None
        while begun < most if most else _fits(self.record, begun, began, end) or none_yet:
            none_yet = False
            self._try_one(begun, end, report)
            begun += 1

    def _try_one(self, begun: int, end: float, report: Reporter) -> None:
        trial, best = self.study.ask(), self.study.best()
        budget = Budget.of(self.record.steps, self.record.seconds)
        total = self._total_seconds

        def told(spent: float) -> None:
            known = "" if best is None else f", best score {best.value:.2f}"
            text = f"Trial {trial.number + 1}{known}"
            if self.request.trials:
                done = self.share_of_trials * (begun + spent) / self.request.trials
                report.progress("sweep", done, -1.0, text)
                return
            left = max(0.0, end - time.monotonic()) + self._final_seconds
            report.progress("sweep", max(0.0, 1 - left / total), left, text)

        def reached(rung: int, scores: Scores) -> None:
            self.study.reached(trial, rung, scores)

        try:
            choice = self.study.suggest(trial, self._chosen)
            told(0.0)
            outcome = run_trial(
                self.material,
                self.judge,
                choice,
                budget,
                self.device,
                self.request.seed,
                report,
                reached,
                told,
            )
        except GivenUp as why:
            self.study.give_up(trial, str(why))
            self._say(f"trial {trial.number} given up: {why}; {trial.params}")
            return
        except BaseException:
            self.study.interrupt(trial)
            raise
        self.study.tell(trial, outcome)
        self._say(f"trial {trial.number}: {outcome.scores.total:.3f}; {trial.params}")

    def _chosen(self, trial: Suggests) -> Choice:
        guides, has_motion = self.material.training_set.guides, bool(self.material.pairs)
        return suggest(self.record.space, trial, guides, has_motion=has_motion)

    def train_best(self, end: float, report: Reporter) -> str:
        """Train the style with the best settings on all keyframes; return its path."""
        best = self.study.best()
        assert best is not None
        path = self.shot.style_path(self.name)
        if self.study.styles.get(digest_file(path)) == best.number:
            return str(path)  # another process has done it
        with Claims() as claims:
            trainer = claims.take(self.shot.training_claim_path(self.name))
        if trainer is not None and trainer.is_sure:
            report.warned(f'The style "{self.name}" is being trained by {trainer}.')
            return ""
        self.refuse_other_style()
        choice = self.study.again(best, self._chosen)
        steps = FINAL_STEPS * self.record.steps
        seconds = 0.0 if steps else max(self._final_seconds, end - time.monotonic())
        train(
            Train(
                self.request.job,
                str(self.shot.folder),
                style=self.name,
                steps=steps,
                seconds=seconds,
                keys=self.request.keys,
                network=choice.network,
                guides=choice.guides,
                device=self.request.device,
                seed=self.request.seed,
                settings=choice.settings,
            ),
            report,
        )
        self.study.note_style(digest_file(path), best.number)
        self._say(f"style trained with the settings of trial {best.number}")
        return str(path)

    def write(self, style: str) -> tuple[Results, list[str]]:
        """Write the results so far; return them, and the names of the plots."""
        from ..sweep.report import results  # noqa: PLC0415  (its packages may be missing)

        with self.study.errors():
            found = results(
                self.name, self.folder, self.record, self.study, self.judge.describe(), style
            )
            return found, found.write(self.study)

    @property
    def _total_seconds(self) -> float:
        return 60 * self.request.minutes

    @property
    def _final_seconds(self) -> float:
        if not self.request.train_style:
            return 0.0
        least, most = min(FINAL_SECONDS[0], self._total_seconds / 4), FINAL_SECONDS[1]
        return self.request.train_seconds or min(
            max(FINAL_SHARE * self._total_seconds, least), most
        )

    def _say(self, line: str) -> None:
        add_lines(self.folder / "sweep.log", [line])


def _length_of_trials(request: Sweep) -> tuple[int, float]:
    """Return steps, or 0 and seconds, of a trial."""
    if request.trial_steps:
        return request.trial_steps, 0.0
    least, most = min(TRIAL_SECONDS[0], 60 * request.minutes / 4), TRIAL_SECONDS[1]
    suited = 60 * request.minutes * (1 - FINAL_SHARE) / TRIALS_WANTED / JUDGING
    return 0, request.trial_seconds or round(min(max(suited, least), most), 1)


def _fits(record: SweepRecord, begun: int, began: float, end: float) -> bool:
    """Return whether there is time for another trial, as long as those before."""
    now = time.monotonic()
    each = (now - began) / begun if begun else JUDGING * record.seconds
    return now + each <= end


def _name_for(
    request: Sweep, shot: Shot, wanted: SweepRecord, report: Reporter
) -> tuple[str, SweepRecord]:
    """Return the name of the sweep to begin or to go on with, and its record.

    Without a name from the user, it is the first whose sweep compares with this one, and whose
    style is not something else's.
    """
    if request.style:
        why, record = _goes_on(request.style, request, shot, wanted)
        if why:
            raise PaintoverError(
                f'The sweep "{request.style}" cannot go on, as {why}; give this one another name '
                "with --style."
            )
        return request.style, record
    first = DEFAULT_PAPER_NAME if request.paper else DEFAULT_NAME
    for number in itertools.count(1):
        name = first if number == 1 else f"{first}-{number}"
        why, record = _goes_on(name, request, shot, wanted)
        if not why:
            return name, record
        if number == 1:
            report.warned(f'The sweep "{name}" does not go on, as {why}; this is a new one.')
    raise AssertionError


def _goes_on(name: str, request: Sweep, shot: Shot, wanted: SweepRecord) -> tuple[str, SweepRecord]:
    """Return why a name cannot be used, "" if it can, and the record of its sweep."""
    there = read_record(shot.sweep_folder(name))
    if there is None:
        taken = request.train_style and shot.style_path(name).is_file()
        return ("there is a style of this name" if taken else ""), wanted
    if not (request.trial_steps or request.trial_seconds):
        device = "" if there.steps else wanted.device
        wanted = dataclasses.replace(
            wanted, steps=there.steps, seconds=there.seconds, device=device
        )
    return there.other_than(wanted), there
