# SPDX-License-Identifier: GPL-3.0-or-later
"""Peak memory of this process. Imports little, so that measuring does not change the result."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """Return this process's peak resident memory in bytes.

    On Linux it is read from ``/proc``, because ``getrusage`` includes the memory of the parent
    process at the time of the fork.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
