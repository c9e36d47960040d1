# SPDX-License-Identifier: GPL-3.0-or-later
"""Error messages for users: one sentence for each error that a user can fix."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..shared.errors import PaintoverError, is_out_of_memory
from ..shared.write_errors import IN_THE_WAY, why_not_written

NO_MEMORY = (
    "There is not enough memory; close other programs, use a smaller network, or choose "
    "--device cpu."
)


def explain(error: BaseException) -> str | None:
    """Return the message for an error that a user can fix, or None for an internal error.

    Args:
        error: what a job raised.
    """
    if isinstance(error, PaintoverError):
        return str(error)
    if is_out_of_memory(error):
        return NO_MEMORY
    if isinstance(error, OSError) and error.errno is not None:
        return _explain_os_error(error)
    return None


def _explain_os_error(error: OSError) -> str | None:
    name = error.filename2 or error.filename
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" for {name}" if name else ""
        return f"The disk is full{where}; free some space and try again."
    if error.errno == errno.ENOMEM:
        return NO_MEMORY
    if not name:
        return None
    if error.errno in IN_THE_WAY:
        return f"Cannot write {name}{why_not_written(Path(os.fsdecode(name)), error)}."
    return f"Cannot use {name}: {error.strerror}; check that it exists and its permissions."
