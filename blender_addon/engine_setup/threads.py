# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that blocks, in a thread beside a job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ..jobs import Job, Progress

Result = TypeVar("Result")


def in_thread(work: Callable[[], Result], progress: Progress) -> Job[Result]:
    """Do work that blocks in a thread, so that Blender stays usable."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        yield progress
    if errors:
        raise errors[0]
    return results[0]
