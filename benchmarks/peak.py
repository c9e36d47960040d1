# SPDX-License-Identifier: GPL-3.0-or-later
"""The most memory that this process held. Light, so that asking changes nothing."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """Return this process's peak resident memory in bytes.

    On Linux not by ``getrusage``, which also counts what the parent held when it started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
