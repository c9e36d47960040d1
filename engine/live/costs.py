# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session may cost: its share of the processor, its priority, and the largest canvas."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from ..images.window import LARGE
from ..networks.device import Device

_OTHERS_FIRST = getattr(os, "SCHED_BATCH", None)
_BELOW_NORMAL, _NORMAL = 0x4000, 0x20


def too_large(width: int, height: int, device: Device) -> str:
    """Return why a canvas is too large to learn live on this machine; "" if it is not."""
    most = LARGE if device.unit.type == "cpu" else 4 * LARGE
    if width * height <= most:
        return ""
    return (
        f"The canvas is {width}×{height}, too large to learn while you paint on this machine "
        f"(at most {most / 1e6:.1f} million pixels); train and stylize as usual, or capture the "
        "shot at a smaller size."
    )


def set_priority(*, low: bool) -> None:
    """Let other programs come first where the processor is busy, or no longer.

    Where the system does not let it be changed back, or the user has chosen another policy for
    this process, nothing is changed.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL if low else _NORMAL)
        return
    if _OTHERS_FIRST is None:
        return
    if os.sched_getscheduler(0) not in (_OTHERS_FIRST, os.SCHED_OTHER):
        return
    policy = _OTHERS_FIRST if low else os.SCHED_OTHER
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208
        with contextlib.suppress(OSError, ValueError):
            os.sched_setscheduler(int(thread), policy, os.sched_param(0))


class Meter:
    """Measures how many processors this process uses."""

    def __init__(self) -> None:
        self._wall, self._used = time.monotonic(), time.process_time()

    def read(self) -> float:
        """Return the processors used since the last reading: 0 at rest, 2 for two."""
        wall, used = time.monotonic(), time.process_time()
        found = (used - self._used) / max(wall - self._wall, 1e-6)
        self._wall, self._used = wall, used
        return found
