# SPDX-License-Identifier: GPL-3.0-or-later
"""Two jobs side by side: all are done, threads are shared and given back, failures are told."""

from __future__ import annotations

import threading

import pytest
import torch

from engine.inference.tiled_inference import has_several_threads, side_by_side


@pytest.fixture(params=[1, 2, 5])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_all_jobs_are_done_with_half_of_the_threads_each(threads, count):
    seen: dict[int, tuple[int, int]] = {}

    def work(job: int) -> None:
        seen[job] = (threading.get_ident(), torch.get_num_threads())

    side_by_side(work, range(count))
    assert sorted(seen) == list(range(count))
    here = threading.get_ident()
    shared = threads > 1 and count > 1
    assert has_several_threads() == (threads > 1)
    for thread, theirs in seen.values():
        assert (thread != here) == shared
        assert theirs == (threads // 2 if shared else threads)
    assert torch.get_num_threads() == threads


def test_a_failure_is_told_when_all_has_ended(threads):
    done: list[int] = []

    def work(job: int) -> None:
        if job == 0:
            raise MemoryError("job 0")
        done.append(job)

    with pytest.raises(MemoryError, match="job 0"):
        side_by_side(work, range(3))
    assert torch.get_num_threads() == threads
    assert done == ([1, 2] if threads > 1 else [])
