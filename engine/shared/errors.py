# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of Paintover."""


class PaintoverError(Exception):
    """An error that the user can fix.

    Its text is shown as it is: one sentence that says what is wrong and what to do.
    """


class Cancelled(Exception):
    """The user or the farm asked to stop; what is finished stays valid."""
