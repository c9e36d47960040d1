# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves the frames of a capture one by one, each at the same cost however long the shot is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..engine.shared.shot import Shot


class FrameSaving:
    """Saves a shot whole after the first frame and at the end; between them single frames.

    Args:
        shot: the shot.
    """

    def __init__(self, shot: Shot) -> None:
        self.shot = shot
        self._saved: tuple[Any, ...] | None = None

    @contextmanager
    def of_frame(self, frame: int) -> Iterator[None]:
        """Add a frame to the manifest within the block; it is saved after it.

        Raises:
            PaintoverError: it cannot be written.
        """
        known = self.shot.manifest.frames
        count = len(known) + (frame not in known)
        yield
        rest = self._rest()
        if rest == self._saved and len(self.shot.manifest.frames) == count:
            self.shot.note_frame(frame)
        else:
            self.shot.save()
        self._saved = rest

    def finish(self) -> None:
        """Save the shot whole, if a frame was saved. Raises PaintoverError as ``of_frame``."""
        if self._saved is not None:
            self.shot.save()

    def _rest(self) -> tuple[Any, ...]:
        """Return what of the manifest may change with a frame, besides frames."""
        manifest = self.shot.manifest
        return dict(manifest.passes), dict(manifest.blank_keys)
