# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals of sweeps from anyone: a sentence, and neither a search without end nor much memory."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from engine.shared.claims import Claims
from engine.shared.errors import Cancelled, DamagedError, PaintoverError
from engine.sweep import journal
from engine.sweep.judge import Scores
from engine.sweep.record import SweepRecord
from engine.sweep.report import results
from engine.sweep.space import SHOT, axes, starting_points, suggest
from engine.sweep.study import SweepStudy, state_in_words
from engine.sweep.trial import GivenUp, Outcome

GUIDES = ["colour", "normal"]
WORKER = "0" * 36 + "-1"
IS_MADE = {"op_code": 0, "worker_id": WORKER, "study_name": "sweep", "directions": [1]}
BEGINS = {"op_code": 4, "worker_id": WORKER, "study_id": 0, "datetime_start": None}
OF_TRIAL = {"worker_id": WORKER, "trial_id": 0}
ENDS = {
    **OF_TRIAL, "op_code": 6, "state": 1, "values": [1.0],
    "datetime_complete": "2026-01-01T00:00:00.000000+00:00",
}  # fmt: skip


def study_of(folder: Path, cancelled=lambda: False) -> SweepStudy:
    return SweepStudy(folder, 0, axes(SHOT, GUIDES), cancelled)


def chosen(trial):
    return suggest(SHOT, trial, GUIDES, has_motion=True)


def write(folder: Path, *lines: dict) -> None:
    text = "".join(json.dumps(line) + "\n" for line in (IS_MADE, *lines))
    (folder / "journal.log").write_text(text)


def enqueued(values: object) -> dict:
    return {**BEGINS, "state": 4, "system_attrs": {"fixed_params": values}}


def value_of(name: str, value: float, kind: str, **attributes) -> dict:
    kind = json.dumps({"name": f"{kind}Distribution", "attributes": attributes})
    return {
        **OF_TRIAL, "op_code": 5, "param_name": name, "param_value_internal": value,
        "distribution": kind,
    }  # fmt: skip


BLOCKS = {"kind": "Int", "log": False, "step": 1, "low": 1, "high": 6}


@pytest.mark.parametrize(
    "lines",
    [
        [enqueued({"blocks": "x"})],
        [enqueued({"blocks": True})],
        [enqueued({"blocks": 7})],
        [enqueued({"rate": 1e9})],
        [enqueued({"network": "paper"})],
        [enqueued({"$\\frac{$": 1})],
        [enqueued([1])],
        [BEGINS, value_of("$\\frac{$", 1, **BLOCKS)],
        [BEGINS, value_of("blocks", 7, **BLOCKS)],
        [BEGINS, value_of("blocks", 6, **BLOCKS), value_of("blocks", 6, **BLOCKS)],
        [BEGINS, value_of("blocks", 1.5, **BLOCKS)],
        [BEGINS, value_of("blocks", 1, **{**BLOCKS, "high": 7})],
        [BEGINS, value_of("muon", 2, "Categorical", choices=[True, False])],
        [BEGINS, value_of("muon", 1, "Categorical", choices=[1, 0])],
        [BEGINS, {**OF_TRIAL, "op_code": 7, "step": 1 << 40, "intermediate_value": 1.0}],
        [BEGINS, {**OF_TRIAL, "op_code": 8, "user_attr": {"scores": {}}}],
        [BEGINS, {**OF_TRIAL, "op_code": 8, "user_attr": {"why": "a\nopenjd_fail: b"}}],
        [BEGINS, {**OF_TRIAL, "op_code": 9, "system_attr": {"constraints": [0]}}],
        [BEGINS, {**ENDS, "values": None}],
        [BEGINS, {**ENDS, "values": [float("nan")]}],
        [{"op_code": 1, "worker_id": WORKER, "study_id": 0}],
        [{"op_code": 10, "worker_id": WORKER}],
    ],
)
def test_a_line_that_no_search_writes_is_damage(tmp_path, lines):
    write(tmp_path, *lines)
    with pytest.raises(DamagedError, match=r"journal\.log is damaged; rename the folder"):
        study_of(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[" * 9000, "0", "null", '{"op_code": []}'])
def test_a_line_that_is_no_object_of_a_search_is_damage(tmp_path, text):
    (tmp_path / "journal.log").write_text(text + "\n")
    with pytest.raises(DamagedError):
        study_of(tmp_path)


def test_the_values_that_the_sampler_notes_may_be_anything(tmp_path):
    noted = {"tpe:relative_params:0": '{"blocks": "x"}'}
    write(tmp_path, BEGINS, {**OF_TRIAL, "op_code": 9, "system_attr": noted})
    study = study_of(tmp_path)
    for _ in range(9):
        trial = study.ask()
        study.suggest(trial, chosen)
        study.tell(trial, Outcome(Scores(1.0, None, None), 2, 1.0))
    study.close()


def test_a_best_trial_without_its_values_is_damage(tmp_path):
    write(tmp_path, BEGINS, ENDS)
    study = study_of(tmp_path)
    best = study.best()
    assert best is not None
    with pytest.raises(DamagedError):
        study.again(best, chosen)
    study.close()


@pytest.mark.parametrize("megabytes", [4, 32])
def test_a_long_line_takes_little_memory(tmp_path, megabytes):
    line = '{"op_code":8,"worker_id":"","trial_id":0,"user_attr":{"why":['
    text = line + "{}," * (megabytes * 350_000) + "0]}}\n"
    (tmp_path / "journal.log").write_text(json.dumps(IS_MADE) + "\n" + text)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError):
            study_of(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_what_is_written_can_be_read_until_the_journal_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "MOST_TRIALS", 12)
    study = study_of(tmp_path)
    study.begin(starting_points(SHOT, GUIDES, has_motion=True))
    with pytest.raises(PaintoverError, match="is full; begin a sweep of another name"):
        for number in range(20):
            trial = study.ask()
            study.suggest(trial, chosen)
            scores = Scores(float(number), None, 0.5)
            try:
                study.reached(trial, 1, scores)
            except GivenUp as why:
                study.give_up(trial, str(why))
                continue
            study.tell(trial, Outcome(scores, 2, 1.0))
    study.note_style("ab", 0)
    study.close()
    again = study_of(tmp_path)
    assert len(again.trials()) == 12
    best = again.best()
    assert best is not None
    assert again.again(best, chosen).network
    record = SweepRecord(SHOT, {1: "ab"}, GUIDES, 2, 0.0, "")
    assert results("sweep", tmp_path, record, again, "", "").write(again)
    again.close()


def test_a_score_that_is_no_number_ends_a_trial_alone(tmp_path):
    study = study_of(tmp_path)
    trial = study.ask()
    with pytest.raises(GivenUp):
        study.reached(trial, 1, Scores(float("nan"), None, None))
    study.give_up(trial, "its scores are no numbers")
    study.close()
    again = study_of(tmp_path)
    assert len(again.trials()) == 1
    again.close()


@pytest.mark.parametrize("name", ["journal.log.lock", ".journal.claim", ".asking.claim"])
@pytest.mark.parametrize("is_link", [True, False])
def test_nothing_at_the_place_of_a_lock_makes_it_wait(tmp_path, name, is_link):
    if is_link:
        (tmp_path / name).symlink_to(tmp_path / "nowhere")
    else:
        os.mkfifo(tmp_path / name)
    began = time.monotonic()
    study = study_of(tmp_path)
    study.ask()
    study.close()
    assert time.monotonic() - began < 5
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", [".journal.claim", ".asking.claim"])
def test_a_sweep_that_waits_for_another_can_be_cancelled(tmp_path, name):
    with Claims() as others:
        others.take(tmp_path / name)
        with pytest.raises(Cancelled):
            study_of(tmp_path, lambda: True)


def test_a_sweep_that_takes_over_many_trials_can_be_cancelled(tmp_path):
    write(tmp_path, *[BEGINS] * 100)
    with pytest.raises(Cancelled):
        study_of(tmp_path, lambda: True)
    study = study_of(tmp_path)
    assert {state_in_words(one) for one in study.trials()} == {"interrupted"}
    study.close()


def test_a_journal_of_too_many_trials_is_damage(tmp_path):
    write(tmp_path, *[BEGINS] * (journal.MOST_TRIALS + 1))
    with pytest.raises(DamagedError):
        study_of(tmp_path)
