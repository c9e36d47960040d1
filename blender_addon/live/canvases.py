# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframe images of a shot as the engine sees them: read once after each stroke.

Two files per image are filled in turn, so that what was read before is still there to compare
with, and the engine is never disturbed while it reads.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import Any, Literal

import bpy

from ..engine.shared.frame_lists import frame_name
from ..engine.shared.live_files import Canvas
from ..engine.shared.places import real_path
from ..engine.shared.shot import Shot
from ..engine.shared.shot_paths import KEY_SUFFIXES
from ..keyframes import file_sync
from ..keyframes import images as keyframe_images
from . import timings
from .files import LiveFiles

Change = Literal["same", "painted", "reverted"]


@dataclasses.dataclass
class _Pair:
    """The two canvases of one keyframe."""

    canvases: tuple[Canvas, Canvas]
    paths: tuple[Path, Path]
    newest: int = -1
    """Index of the canvas that was read last, -1: none yet."""
    is_sent: bool = False
    """Whether the canvas counts for the engine instead of the file."""


class KeyframeImages:
    """Finds the images in Blender that are paintings or masks of a shot."""

    def __init__(self, shot: Shot) -> None:
        self._folder = real_path(shot.folder / "keys")
        self._files: dict[Path, tuple[int, bool]] = {}
        for frame in shot.frames:
            for suffix in KEY_SUFFIXES:
                self._files[self._folder / f"{frame_name(frame)}{suffix}"] = frame, False
            self._files[self._folder / shot.key_mask_path(frame).name] = frame, True
        self._resolved: dict[tuple[int, str, str], Path] = {}

    def paintings(self) -> dict[int, Any]:
        """Return frame → image of each keyframe that is open in Blender."""
        return {frame: image for frame, is_mask, image in self._found() if not is_mask}

    def masks(self) -> dict[int, Any]:
        """Return frame → image of each mask that is open in Blender."""
        return {frame: image for frame, is_mask, image in self._found() if is_mask}

    def frame_of(self, image: Any | None) -> int | None:
        """Return the keyframe that an image is the painting of, or None."""
        if image is None or image.source != "FILE" or not image.filepath:
            return None
        frame, is_mask = self._files.get(self._path(image), (0, True))
        return None if is_mask else frame

    def _found(self) -> list[tuple[int, bool, Any]]:
        found = []
        for image in bpy.data.images:
            if image.source == "FILE" and image.filepath:
                known = self._files.get(self._path(image))
                if known is not None:
                    found.append((*known, image))
        return found

    def _path(self, image: Any) -> Path:
        # Resolving asks the disk, so it is done once for each path of an image.
        state = image.session_uid, image.filepath, bpy.data.filepath
        path = self._resolved.get(state)
        if path is None:
            path = keyframe_images.path_of(image)
            self._resolved[state] = path
        return path


class Canvases:
    """Reads paintings into files for the engine.

    Args:
        files: make and delete the files.
        size: width and height of the shot's frames in pixels.
    """

    def __init__(self, files: LiveFiles, size: tuple[int, int]) -> None:
        self._files = files
        self._size = size
        self._pairs: dict[int, _Pair] = {}
        self.slowest = 0.0
        """Seconds of the slowest of the last readings, which fades."""

    def read(self, frame: int, image: Any, change: int) -> Change:
        """Read an image, and tell whether its pixels or its file count now.

        Args:
            frame: of its keyframe.
            image: Blender's image, of the shot's size.
            change: number of the change, which the canvas notes.

        Returns:
            ``painted``: it has paint that the engine has not seen. ``reverted``: such paint was
            discarded, so that the file counts again. Else ``same``.

        Raises:
            PaintoverError: the files cannot be made.
        """
        pair = self._pairs.get(frame) or self._make(frame)
        before = pair.canvases[pair.newest] if pair.newest >= 0 else None
        number = (pair.newest + 1) % 2
        canvas = pair.canvases[number]
        began = time.perf_counter()
        with canvas.writing(frame, change):
            image.pixels.foreach_get(canvas.pixels)
        same = before is not None and _bytes(before) == _bytes(canvas)
        taken = time.perf_counter() - began
        timings.note("read canvas", taken)
        self.slowest = max(taken, 0.8 * self.slowest)
        if not same:
            pair.newest = number
        if file_sync.has_new_paint(image):
            if same and pair.is_sent:
                return "same"
            pair.is_sent = True
            return "painted"
        if pair.is_sent and not same:
            pair.is_sent = False
            return "reverted"
        return "same"

    def path(self, frame: int) -> Path:
        """Return the file of the canvas that was read last."""
        pair = self._pairs[frame]
        return pair.paths[pair.newest]

    def sent(self) -> list[int]:
        """Return the keyframes whose canvas counts instead of their file."""
        return [frame for frame, pair in self._pairs.items() if pair.is_sent]

    def forget(self, frame: int) -> None:
        """Let the file of a keyframe count again; its image is read anew when it is back."""
        self._pairs[frame].is_sent = False
        self._pairs[frame].newest = -1

    def _make(self, frame: int) -> _Pair:
        paths = tuple(self._files.make(f"canvas-{frame}.raw") for _ in range(2))
        canvases = tuple(Canvas.make(path, *self._size) for path in paths)
        for canvas in canvases:
            self._files.close_with(contextlib.closing(canvas))
        pair = _Pair((canvases[0], canvases[1]), (paths[0], paths[1]))
        self._pairs[frame] = pair
        return pair


def _bytes(canvas: Canvas) -> memoryview:
    # Views of bytes are compared at the speed of memory, those of floats number by number.
    return canvas.pixels.cast("B")
