# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of a training run, in steps and in seconds."""

import pytest

from engine.training.budget import DEFAULT_SECONDS, Budget


def test_steps_count_before_seconds():
    budget = Budget.of(10, 99.0)
    assert budget.spent(5, 1000.0) == 0.5
    assert budget.seconds_left(0.5, 3.0) == pytest.approx(3.0)
    assert budget.seconds_left(0.0, 3.0) == -1
    assert Budget.of(0, 40.0).spent(1000, 10.0) == 0.25
    assert Budget.of(0, 40.0).seconds_left(0.25, 10.0) == 30
    assert Budget.of(0, 0.0).seconds == DEFAULT_SECONDS


def test_a_stopped_run_keeps_its_beginning_and_a_finished_one_begins_anew():
    earlier = Budget(20, 0.0, first_step=4, first_second=2.0)
    for finished, first in ((False, (4, 2.0)), (True, (12, 6.0))):
        earlier.finished = finished
        budget = Budget.of(20, 0.0)
        budget.resume(earlier, 12, 6.0)
        assert (budget.first_step, budget.first_second) == first
        assert not budget.finished


def test_the_set_up_is_part_of_the_seconds_but_half_of_them_are_for_learning():
    budget = Budget.of(0, 60.0)
    budget.take_off(8.0, 0.0)
    assert budget.seconds == 52
    slow = Budget.of(0, 60.0)
    slow.take_off(100.0, 0.0)
    assert slow.seconds == 30
    resumed = Budget.of(0, 60.0)
    resumed.resume(Budget(0, 52.0, first_second=100.0), 500, 140.0)
    resumed.take_off(4.0, 140.0)
    assert resumed.seconds - 40 == 16
    spent = Budget.of(0, 20.0)
    spent.resume(Budget(0, 20.0), 500, 25.0)
    spent.take_off(4.0, 25.0)
    assert spent.spent(500, 25.0) == 1
    steps = Budget.of(10, 0.0)
    steps.take_off(8.0, 0.0)
    assert steps.spent(5, 1000.0) == 0.5
