# SPDX-License-Identifier: GPL-3.0-or-later
"""What is painted right now: the files in ``keys/``, and canvases with unsaved strokes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..frames.keyframe import Keyframe, make_keyframe, read_keyframe, shows_only_the_frame
from ..images.given_pictures import told_once
from ..images.types import BoolArray
from ..shared.errors import PaintoverError
from ..shared.frame_lists import frame_name
from ..shared.keyframes.names import describe_unused
from ..shared.live_protocol import LivePaint, LiveRevert
from ..shared.shot import Shot
from .canvases import CanvasReader

_State = tuple[tuple[str, int, int], ...]
_WATCHED = ("shot.json", "shot.journal")


@dataclasses.dataclass
class Changes:
    """What has changed since the last look.

    Attributes:
        parts: keyframe → (H, W) bool, the pixels whose paint, alpha or mask changed.
        keys: whether there are other keyframes than before.
        weights: whether the weights of keyframes changed.
        shot: whether the frames or passes of the shot changed.
        sentences: what could not be read, for the user.
    """

    parts: dict[int, BoolArray] = dataclasses.field(default_factory=dict)
    keys: bool = False
    weights: bool = False
    shot: bool = False
    sentences: list[str] = dataclasses.field(default_factory=list)

    @property
    def is_any(self) -> bool:
        """Whether anything changed."""
        return bool(self.parts) or self.keys or self.weights or self.shot

    def add(self, later: Changes) -> None:
        """Add changes that came after these; their sentences are left out."""
        for key, part in later.parts.items():
            self.parts[key] = part | self.parts[key] if key in self.parts else part
        self.keys |= later.keys
        self.weights |= later.weights
        self.shot |= later.shot


class Paintings:
    """The keyframes of a shot as they are painted right now.

    Args:
        folder: the shot folder.

    Attributes:
        shot: the shot, as last read.
        keyframes: the painted ones, by frame.

    Raises:
        PaintoverError: there is no shot.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.shot = Shot.open(folder)
        self.keyframes: dict[int, Keyframe] = {}
        self._reader = CanvasReader()
        self._canvases: dict[int, LivePaint] = {}
        self._files: dict[int, _State] = {}
        self._at_canvas: dict[int, _State] = {}
        self._manifest: _State = ()
        self._refused: dict[int, _State] = {}
        self._keys: _State = ()
        self._told: set[str] = set()

    def look(self) -> Changes:
        """Look for changes of the files: paintings, masks, keyframes, weights, frames."""
        changes = Changes()
        self._look_at_manifest(changes)
        files = self._states()
        for key in sorted({*files, *self._files}):
            state = files.get(key)
            if state == self._files.get(key):
                continue
            if key in self._canvases and self._has_other_mask_alone(key, state):
                self._take_canvas(key, changes)
                continue
            self._canvases.pop(key, None)
            self._take_file(key, state, changes)
        self._files = files
        keys = _state_of(self._folder, ["keys"])
        if keys != self._keys or changes.is_any:
            self._keys = keys
            self._tell_once(changes)
        return changes

    def _tell_once(self, changes: Changes) -> None:
        """Tell of pictures in ``keys/`` that are not used, and of what was converted."""
        found = [f"{unused}."] if (unused := describe_unused(self.shot)) else []
        notes = [(self.shot.key_path(key), one.notes) for key, one in self.keyframes.items()]
        for sentence in (*found, *told_once(notes)):
            if sentence not in self._told:
                self._told.add(sentence)
                changes.sentences.append(sentence)

    def take(self, requests: Iterable[LivePaint | LiveRevert]) -> Changes:
        """Take in canvases, or that they are discarded."""
        changes = Changes()
        for request in requests:
            key = request.frame
            if isinstance(request, LiveRevert):
                if self._canvases.pop(key, None):
                    self._take_file(key, self._states().get(key), changes)
                continue
            if key not in self.shot.manifest.frames:
                changes.sentences.append(
                    f"Frame {key} is not in the shot, so its painting is not learnt; capture it."
                )
                continue
            if key in self.shot.manifest.removed_keys:
                changes.sentences.append(
                    f"Frame {key} is no longer a keyframe, so what you paint on it is not learnt; "
                    "add it again."
                )
                continue
            self._canvases[key] = request
            self._at_canvas[key] = self._files.get(key, ())
            self._take_canvas(key, changes)
        return changes

    def unsaved(self) -> list[int]:
        """Return the keyframes whose canvases count instead of their files, sorted."""
        return sorted(self._canvases)

    def are_as_on_disk(self) -> bool:
        """Return whether the files are still those that were taken in."""
        return not self._canvases and self._states() == self._files

    def close(self) -> None:
        """Close the canvases."""
        self._reader.close()

    def _look_at_manifest(self, changes: Changes) -> None:
        state = _state_of(self._folder, _WATCHED)
        if state == self._manifest:
            return
        try:
            shot = Shot.open(self._folder)
        except PaintoverError as error:
            changes.sentences.append(str(error))
            return
        self._manifest = state
        before, now = self.shot.manifest, shot.manifest
        self.shot = shot
        changes.weights = before.weights != now.weights
        looks = [(m.width, m.height, m.passes, m.guides, m.matte, m.frames) for m in (before, now)]
        changes.shot = looks[0] != looks[1]
        if before.removed_keys != now.removed_keys or changes.shot:
            self._files = {}  # all are read again
        for key in now.removed_keys:
            self._canvases.pop(key, None)
            self._set(key, None, changes)

    def _states(self) -> dict[int, _State]:
        """Return keyframe → the state of its files."""
        return {
            key: _state_of(
                self._folder / "keys",
                [f"{frame_name(key)}{suffix}" for suffix in (".png", ".exr", ".mask.png")],
            )
            for key in self.shot.key_frames()
        }

    def _has_other_mask_alone(self, key: int, state: _State | None) -> bool:
        """Return whether the painting's file is what it was when its canvas came."""
        return state is not None and _painting(state) == _painting(self._at_canvas[key])

    def _take_file(self, key: int, state: _State | None, changes: Changes) -> None:
        if state is None:
            self._set(key, None, changes)
            return
        try:
            painted = self.shot.key_is_painted(key)
            keyframe = read_keyframe(self.shot, key) if painted else None
        except PaintoverError as error:  # perhaps it is being written right now
            if self._refused.get(key) != state:
                changes.sentences.append(str(error))
            self._refused[key] = state
            return
        self._set(key, keyframe, changes)

    def _take_canvas(self, key: int, changes: Changes) -> None:
        request, manifest = self._canvases[key], self.shot.manifest
        try:
            size = manifest.width, manifest.height
            pixels = self._reader.read(request.path, size, linear=request.linear)
            keyframe = make_keyframe(self.shot, key, pixels.paint, pixels.alpha)
        except PaintoverError as error:
            changes.sentences.append(str(error))
            return
        self._set(key, keyframe, changes)

    def _set(self, key: int, keyframe: Keyframe | None, changes: Changes) -> None:
        if keyframe is not None and shows_only_the_frame(self.shot, keyframe):
            keyframe = None
        before = self.keyframes.get(key)
        if keyframe is None:
            changes.keys |= self.keyframes.pop(key, None) is not None
            return
        self.keyframes[key] = keyframe
        if before is None:
            changes.keys = True
            changes.parts[key] = np.ones(keyframe.mask.shape, bool)
            return
        part = (before.paint != keyframe.paint).any(axis=2) | (before.alpha != keyframe.alpha)
        part |= before.mask != keyframe.mask
        if part.any():
            changes.parts[key] = part


def _painting(state: _State) -> _State:
    """Return the part of a keyframe's state that tells of its painting."""
    return tuple(one for one in state if not one[0].endswith(".mask.png"))


def _state_of(folder: Path, names: Iterable[str]) -> _State:
    """Return the names, times and sizes of the files that exist."""
    found = []
    for name in names:
        try:
            now = (folder / name).stat()
        except OSError:
            continue
        found.append((name, now.st_mtime_ns, now.st_size))
    return tuple(found)
