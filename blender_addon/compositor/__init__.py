# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames in the scene's compositor: sent there, kept current, and removed again."""

from . import following, windows
from .compositing import check_stylized, compose, refresh, remove
from .following import follow
from .status import needs_override, node, state
from .windows import follow as follow_windows

__all__ = [
    "check_stylized",
    "compose",
    "follow",
    "follow_windows",
    "needs_override",
    "node",
    "refresh",
    "register",
    "remove",
    "state",
    "unregister",
]


def register() -> None:
    following.register()
    windows.register()


def unregister() -> None:
    windows.unregister()
    following.unregister()
