# SPDX-License-Identifier: GPL-3.0-or-later
"""Log messages of the add-on: Python's ``logging`` under the name ``paintover``.

Python cannot read Blender's log settings, so this module reads Blender's arguments:
``--log paintover`` (or a pattern that matches it) shows messages on the standard error,
``--log-level debug`` shows more of them. Without ``--log``, only warnings are shown.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import itertools
import logging
import sys
from collections.abc import Sequence

from .engine.shared.logs import FORMAT

NAME = "paintover"
_LEVELS = {
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "0": logging.INFO,
    "1": logging.INFO,
}
"""Blender's log levels: names from Blender 5.0 on, numbers before. Others show everything."""


def logger(module: str) -> logging.Logger:
    """Return the logger of a module of the add-on, such as ``paintover.jobs``.

    Args:
        module: the ``__name__`` of the module.
    """
    return logging.getLogger(NAME + module.removeprefix(__package__ or ""))


def level_of(arguments: Sequence[str]) -> int | None:
    """Return the log level that Blender's arguments set, or None if they do not select Paintover.

    Args:
        arguments: Blender's command line. Arguments after ``--`` are ignored.
    """
    own = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    values = dict(itertools.pairwise(own))
    patterns = [pattern.strip() for pattern in values.get("--log", "").split(",")]
    if any(_matches(pattern[1:]) for pattern in patterns if pattern.startswith("^")):
        return None
    if not any(map(_matches, patterns)):
        return None
    return _LEVELS.get(values.get("--log-level", "info").lower(), logging.DEBUG)


def _matches(pattern: str) -> bool:
    return fnmatch.fnmatchcase(NAME, pattern) or pattern == f"{NAME}.*"


@dataclasses.dataclass
class _Registered:
    """The handler that shows messages, if Blender's arguments select Paintover."""

    handler: logging.Handler | None = None


_registered = _Registered()


def register() -> None:
    level = level_of(sys.argv)
    if level is None:
        return
    _registered.handler = logging.StreamHandler()
    _registered.handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger(NAME)
    root.addHandler(_registered.handler)
    root.setLevel(level)


def unregister() -> None:
    if _registered.handler is None:
        return
    root = logging.getLogger(NAME)
    root.removeHandler(_registered.handler)
    root.setLevel(logging.NOTSET)
    _registered.handler = None
