# SPDX-License-Identifier: GPL-3.0-or-later
"""Playback of the stylized frames: which range is played, and whether Blender keeps up."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import bpy

_WATCHED_SECONDS = 2.0
_SLOW = 0.5
"""Share of the scene's frame rate below which playback does not keep up."""


def is_playing() -> bool:
    """Return whether a window plays an animation."""
    manager: Any = bpy.context.window_manager
    return any(window.screen.is_animation_playing for window in manager.windows)


def played_frames(scene: Any, frames: list[int]) -> list[int]:
    """Return those of the shot's frames that Blender plays."""
    preview = scene.use_preview_range
    first = scene.frame_preview_start if preview else scene.frame_start
    last = scene.frame_preview_end if preview else scene.frame_end
    return [frame for frame in frames if first <= frame <= last]


class PlaybackRate:
    """Measures how fast Blender plays."""

    def __init__(self) -> None:
        self._changes: deque[tuple[float, int]] = deque()
        self._began = 0.0

    def start(self) -> None:
        """Begin to measure: playback has started."""
        self._changes.clear()
        self._began = time.monotonic()

    def note(self, frame: int) -> None:
        """Note the frame that is shown now."""
        now = time.monotonic()
        if not self._changes or self._changes[-1][1] != frame:
            self._changes.append((now, frame))
        while self._changes and now - self._changes[0][0] > _WATCHED_SECONDS:
            self._changes.popleft()

    def is_slow(self, frame_rate: float) -> bool:
        """Return whether Blender shows fewer than half of the frames in time."""
        if time.monotonic() - self._began < _WATCHED_SECONDS:
            return False
        return len(self._changes) / _WATCHED_SECONDS < _SLOW * min(frame_rate, 24.0)
