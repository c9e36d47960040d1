# SPDX-License-Identifier: GPL-3.0-or-later
"""Format of the log lines of the add-on and the engine."""

from __future__ import annotations

import re

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BELOW_ERROR = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING) ")


def is_below_error(line: str) -> bool:
    """Return whether a line has this format and a level below ``ERROR``."""
    return bool(_BELOW_ERROR.match(line))
