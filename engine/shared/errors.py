# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that users see: a sentence that names what is wrong and the way out."""


class PaintoverError(Exception):
    """Something that the user can mend. Its text is one sentence for an animator."""


class Cancelled(Exception):
    """The user or the farm asked to stop; what is finished stays valid."""
