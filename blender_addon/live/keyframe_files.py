# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the keyframes goes to the engine through files: masks, weights, and other programs."""

from __future__ import annotations

import array
import threading
import time
import zlib
from pathlib import Path
from typing import Any

from .. import logs
from ..engine.shared.errors import PaintoverError
from ..engine.shared.pictures.digests import digest_picture
from ..engine.shared.shot import Shot
from ..keyframes import file_sync
from ..keyframes import images as keyframe_images
from ..keyframes import weights as keyframe_weights
from . import strokes, timings
from .canvases import KeyframeImages

_log = logs.logger(__name__)

_SECONDS = 0.7
"""How often files and weights are looked at."""


class KeyframeFiles:
    """Writes painted masks and changed weights, and notices what other programs write."""

    def __init__(self, shot: Shot) -> None:
        self._shot = shot
        self._next = 0.0
        self._has_stroke = True
        self._masks: dict[int, int] = {}
        self._weights: dict[int, dict[int, float]] = {}
        self._digests: dict[Path, tuple[int, str]] = {}
        self._thread: threading.Thread | None = None
        self.conflicts: tuple[Path, ...] = ()
        """Paintings that another program has changed while they have unsaved paint in Blender."""

    def use(self, shot: Shot) -> None:
        """Take the shot with other frames than before."""
        self._shot = shot

    def note_stroke(self) -> None:
        """Note that something may have been painted."""
        self._has_stroke = True

    def tick(self, scene: Any, images: KeyframeImages) -> bool:
        """Do what is due.

        Returns:
            Whether the engine must look at the files and be told of unsaved paint again.

        Raises:
            PaintoverError: a mask or the shot cannot be written.
        """
        now = time.monotonic()
        if now < self._next or strokes.stroke_runs():
            return False
        self._next = now + _SECONDS
        written = self._write_masks(images)
        if self._write_weights(scene):
            written = True
        return self._look_for_conflicts() or written

    @timings.measured("write masks")
    def _write_masks(self, images: KeyframeImages) -> bool:
        written = False
        if not self._has_stroke:
            return False
        for frame, image in images.masks().items():
            if not image.is_dirty:
                continue
            # A written mask stays unsaved for Blender, else its strokes could not be undone.
            pixels = array.array("f", bytes(4 * len(image.pixels)))
            image.pixels.foreach_get(pixels)
            state = zlib.crc32(memoryview(pixels).cast("B"))
            if self._masks.get(frame) != state:
                path = self._shot.key_mask_path(frame)
                keyframe_images.save_stroke(self._shot, path, image)
                self._masks[frame] = state
                written = True
        self._has_stroke = False
        return written

    @timings.measured("write weights")
    def _write_weights(self, scene: Any) -> bool:
        weights = keyframe_weights.sampled(scene, self._shot.frames)
        if weights == self._weights:
            return False
        keyframe_weights.write(scene, self._shot)
        is_first, self._weights = not self._weights, weights
        return not is_first

    @timings.measured("look for conflicts")
    def _look_for_conflicts(self) -> bool:
        if self._thread is not None and self._thread.is_alive():
            return False
        changed = keyframe_images.changed_elsewhere(self._shot)
        found = []
        unread: dict[Path, int] = {}
        for path in changed:
            image = keyframe_images.find_image(path)
            modified = path.stat().st_mtime_ns if path.is_file() else 0
            known = self._digests.get(path)
            if known is None or known[0] != modified:
                unread[path] = modified
            elif file_sync.differs(image, known[1]):
                found.append(path)
        if unread:
            self._thread = threading.Thread(target=self._digest, args=(unread,), daemon=True)
            self._thread.start()
            return False
        is_new = bool(set(found) - set(self.conflicts))
        self.conflicts = tuple(found)
        return is_new

    def _digest(self, paths: dict[Path, int]) -> None:
        for path, modified in paths.items():
            try:
                self._digests[path] = modified, digest_picture(path)
            except (OSError, PaintoverError) as error:
                _log.info("%s cannot be read: %s", path, error)
                self._digests[path] = modified, ""
