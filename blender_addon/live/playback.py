# SPDX-License-Identifier: GPL-3.0-or-later
"""The playhead: which frame and range the engine is asked for, and whether Blender keeps up."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import bpy

from .. import properties
from ..engine.shared import live_protocol as messages
from .engine_link import EngineLink

_WATCHED_SECONDS = 2.0
_SLOW = 0.5
"""Share of the scene's frame rate below which playback does not keep up."""


class Playhead:
    """Asks the engine for the current frame, and while it plays for its range.

    Args:
        link: takes the requests.

    Attributes:
        frame: the frame that was asked for last, None before any was.
        played: the frames that are played, none while playback stands.
    """

    def __init__(self, link: EngineLink) -> None:
        self._link = link
        self.frame: int | None = None
        self.played: tuple[int, ...] = ()
        self._rate = PlaybackRate()

    def ask_for_frame(self, scene: Any, frames: frozenset[int]) -> None:
        """Ask for the current frame if it is another one, and one of the shot's frames."""
        frame = scene.frame_current
        self._rate.note(frame)
        if frame != self.frame and frame in frames:
            self.frame = frame
            self._link.send(messages.LiveShow(self._link.job, self._link.number(), frame))

    def ask_for_range(self, scene: Any, frames: list[int]) -> None:
        """Ask for the frames that are played, if they are others than before."""
        played = tuple(played_frames(scene, frames)) if is_playing() else ()
        if played and not self.played:
            self._rate.start()
        if played != self.played:
            self.played = played
            self._link.send(messages.LiveRange(self._link.job, list(played)))

    def is_too_slow(self, scene: Any, cache: messages.LiveCache, slots: int) -> bool:
        """Return whether Blender cannot follow, though as many frames are ready as can be."""
        if not self.played:
            return False
        ready = len({*cache.fresh, *cache.stale} & set(self.played))
        is_ready = ready >= min(len(self.played), slots - 2)
        return is_ready and self._rate.is_slow(properties.frame_rate(scene))

    def forget(self) -> None:
        """Ask for all again, from an engine that knows nothing of it."""
        self.frame, self.played = None, ()


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
