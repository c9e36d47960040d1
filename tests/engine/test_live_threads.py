# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of threads that a session learns with."""

import pytest
import torch

from engine.live.threads import LONGEST_TRY_SECONDS, LearningThreads, use_all_threads


class Machine:
    """A clock on which a step takes longer where other programs are busy."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_busy = False
        self.used: list[int] = []

    def clock(self) -> float:
        return self.now

    def take(self, threads: LearningThreads, steps: int) -> None:
        for _ in range(steps):
            with threads.step():
                count = torch.get_num_threads()
                self.used.append(count)
                with_all = 0.9 if self.is_busy else 0.06
                self.now += with_all if count == 2 else 0.1


@pytest.fixture
def machine():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield Machine()
    torch.set_num_threads(before)


def test_all_threads_are_used_on_an_idle_machine_and_one_fewer_beside_a_busy_blender(machine):
    threads = LearningThreads(2, machine.clock)
    machine.take(threads, 100)
    assert threads.uses_all
    assert machine.used[:10] == [1] * 10
    assert machine.used[-50:] == [2] * 50
    machine.is_busy = True
    machine.used.clear()
    machine.take(threads, 2000)
    assert not threads.uses_all
    assert machine.used[:2] == [2, 2], "one slow step says nothing"
    assert machine.used.count(2) < 20, "what is in vain is tried ever more rarely"
    machine.is_busy = False
    began = machine.now
    while not threads.uses_all:
        machine.take(threads, 1)
    assert machine.now - began < LONGEST_TRY_SECONDS + 1
    machine.used.clear()
    machine.take(threads, 50)
    assert machine.used == [2] * 50


def test_pictures_between_the_steps_use_as_many(machine):
    machine.is_busy = True
    threads = LearningThreads(2, machine.clock)
    machine.take(threads, 60)
    assert 2 in machine.used
    assert torch.get_num_threads() == 1


def test_with_one_thread_nothing_is_tried(machine):
    torch.set_num_threads(1)
    machine.take(LearningThreads(1, machine.clock), 60)
    assert set(machine.used) == {1}


def test_a_second_one_knows_all_threads_and_they_are_used_again_in_the_end(machine, monkeypatch):
    monkeypatch.setattr("engine.live.threads._all_threads", lambda: 2)
    for _ in range(2):
        machine.take(LearningThreads(clock=machine.clock), 3)
        assert torch.get_num_threads() == 1
    machine.now += 10
    machine.used.clear()
    machine.take(threads := LearningThreads(clock=machine.clock), 60)
    assert threads.uses_all and 2 in machine.used
    use_all_threads()
    assert torch.get_num_threads() == 2
