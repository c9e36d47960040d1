# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stylized frames nobody has looked at yet; known as long as Blender runs."""

from __future__ import annotations

from .engine.shared.shot import Shot

_new: set[tuple[str, str]] = set()
"""Shot folders and styles whose frames were painted and not looked at since."""


def note_painted(shot: Shot, style: str) -> None:
    """Note that frames were painted."""
    _new.add((str(shot.folder), style))


def note_seen(shot: Shot, style: str) -> None:
    """Note that somebody looks at the frames."""
    _new.discard((str(shot.folder), style))


def has(shot: Shot, style: str) -> bool:
    """Return whether nobody has looked at the frames since they were painted."""
    return (str(shot.folder), style) in _new
