# SPDX-License-Identifier: GPL-3.0-or-later
"""Two jobs side by side, with half of PyTorch's threads each.

Where layers are small, what a single thread does between them, and waiting for each other, takes
as long as they do; two threads that wait for nobody are faster than two that share each layer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

_Job = TypeVar("_Job")


def can_share() -> bool:
    """Tell whether PyTorch computes in several threads here."""
    return torch.get_num_threads() > 1


def side_by_side(work: Callable[[_Job], None], jobs: Sequence[_Job]) -> None:
    """Do jobs, two at a time if there are several and PyTorch computes in several threads.

    Args:
        work: does a job; it is called in a thread of its own.
        jobs: the largest first, so that both threads end at about the same time.

    Raises:
        Exception: what the first job that failed raised.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(jobs) < 2:
        for job in jobs:
            work(job)
        return

    def shared(job: _Job) -> None:
        torch.set_num_threads(threads // 2)
        work(job)

    try:
        begun = [_pool().submit(shared, job) for job in jobs]
        wait(begun)
        for done in begun:
            done.result()
    finally:
        torch.set_num_threads(threads)  # it is also what threads of the future begin with


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "side_by_side")
