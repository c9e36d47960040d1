# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames in the scene's compositor: sent there, kept current, and removed again."""

from .compositing import check_stylized, compose, refresh, remove
from .following import follow, register, unregister
from .status import needs_override, node, state

__all__ = [
    "check_stylized",
    "compose",
    "follow",
    "needs_override",
    "node",
    "refresh",
    "register",
    "remove",
    "state",
    "unregister",
]
