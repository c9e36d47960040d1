# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends the engine what is painted: strokes through canvases, all else through files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..engine.shared import live_protocol as messages
from ..engine.shared.errors import PaintoverError
from ..engine.shared.shot import Shot
from ..keyframes import file_sync
from . import strokes
from .canvases import Canvases, KeyframeImages
from .engine_link import EngineLink
from .files import LiveFiles
from .keyframe_files import KeyframeFiles

_TOO_SLOW_SECONDS = 0.03
"""Longest reading of a painting: a longer one would halt Blender after every stroke …"""
_MOST_SLOW = 3
"""… so no painting is read any more after so many in a row."""


class PaintingFeed:
    """Reads the paintings of a shot when something may have been painted, one at a time.

    Args:
        shot: the shot.
        files: make and delete the files of the canvases.
        link: takes what is new.
        warn: takes what the user should know.

    Attributes:
        watch: tells when something may have been painted.
        keyframe_files: masks, weights, and what other programs save.
    """

    def __init__(
        self, shot: Shot, files: LiveFiles, link: EngineLink, warn: Callable[[str], None]
    ) -> None:
        self._link, self._warn = link, warn
        self._size = shot.manifest.width, shot.manifest.height
        self._images = KeyframeImages(shot)
        self._canvases = Canvases(files, self._size)
        self.keyframe_files = KeyframeFiles(shot)
        self.watch = strokes.start()
        self._to_read: list[int] = []
        self._slow_readings = 0

    def use(self, shot: Shot) -> None:
        """Take the shot with other frames than before, of the same size."""
        self._images = KeyframeImages(shot)
        self.keyframe_files.use(shot)
        self.watch.sign()

    @property
    def why_too_slow(self) -> str:
        """Why paintings are not read any more, or ""."""
        if self._slow_readings < _MOST_SLOW:
            return ""
        return (
            "the painting is too large for this computer, which needs "
            f"{1000 * self._canvases.slowest:.0f} ms to read it"
        )

    def tick(self, scene: Any) -> None:
        """Send what is new. Raises PaintoverError if the engine has stopped."""
        self._read_paintings()
        try:
            is_new = self.keyframe_files.tick(scene, self._images)
        except PaintoverError as error:  # a file that cannot be written; it is tried again
            self._warn(str(error))
            return
        if is_new:
            self.reload()
            # What another program wrote does not count before the user has said so.
            for frame in self._canvases.sent():
                self._resend(frame)

    def reload(self) -> None:
        """Let the engine look at the files at once."""
        self._link.send(messages.LiveReload(self._link.job, self._link.number()))

    def send_all_again(self) -> None:
        """Send all that is not saved to an engine that knows nothing of it."""
        for frame in self._canvases.sent():
            self._canvases.forget(frame)
        self.watch.sign()

    def _read_paintings(self) -> None:
        """Read one of the paintings that may have changed."""
        if self.watch.due(self._canvases.slowest):
            self.keyframe_files.note_stroke()
            found = self._images.paintings()
            sent = self._canvases.sent()
            for frame in sent:
                if frame not in found:
                    self._canvases.forget(frame)
                    self._revert(frame, self._link.number())
            self._to_read = [
                frame for frame, image in found.items() if frame in sent or image.is_dirty
            ]
        if self._to_read and not self.why_too_slow:
            self._read(self._to_read.pop(0))

    def _read(self, frame: int) -> None:
        image = self._images.paintings().get(frame)
        if image is None:
            return
        if tuple(image.size) != self._size:
            width, height = self._size
            self._warn(
                f"The painting of frame {frame} is {image.size[0]}×{image.size[1]}, but the frames "
                f"are {width}×{height}."
            )
            return
        change = self._link.number()
        # Not by the clock: a busy computer is no reason to stop.
        began = time.thread_time()
        try:
            what = self._canvases.read(frame, image, change)
        except PaintoverError as error:
            self._warn(str(error))
            return
        slow = time.thread_time() - began > _TOO_SLOW_SECONDS
        self._slow_readings = self._slow_readings + 1 if slow else 0
        if what == "painted":
            self._send(frame, change, linear=image.is_float)
        elif what == "reverted":
            self._revert(frame, change)

    def _resend(self, frame: int) -> None:
        image = self._images.paintings().get(frame)
        if image is not None and file_sync.has_new_paint(image):
            self._send(frame, self._link.number(), linear=image.is_float)

    def _send(self, frame: int, change: int, *, linear: bool) -> None:
        path = str(self._canvases.path(frame))
        self._link.send(messages.LivePaint(self._link.job, change, frame, path, linear))

    def _revert(self, frame: int, change: int) -> None:
        self._link.send(messages.LiveRevert(self._link.job, change, frame))
