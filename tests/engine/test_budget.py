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
