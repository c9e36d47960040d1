# SPDX-License-Identifier: GPL-3.0-or-later
"""States that follow from frame to frame, starting at a keyframe, cached in the shot folder.

The state of the keyframe follows from it alone. That of any other frame follows from the state of
its neighbour nearer to the keyframe. A state therefore depends only on the frames from the keyframe
to it, and is the same whichever frames are asked for first. Each state is stored with a digest of
those frames; a state whose digest no longer matches is computed again.
"""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from ..shared.errors import Cancelled
from ..shared.files import digest_json, write_bytes
from ..shared.frame_lists import frame_name
from ..shared.reporter import Reporter
from ..shared.shot import Shot

State = TypeVar("State")


class FrameChain(ABC, Generic[State]):
    """Computes and caches one state for each frame of a shot, in both directions from a keyframe.

    Args:
        shot: any shot.
        keyframe: the frame where the chain starts.
        report: receives the progress of ``prepare`` and may cancel it.
        recipe: whatever changes the states besides the frames, such as a version and settings;
            JSON values.

    Attributes:
        folder: subfolder of the shot's ``cache`` for the states.
        stores_keyframe: whether the keyframe's state is stored; otherwise ``begin`` gives it.
    """

    folder: str
    stores_keyframe = True

    def __init__(
        self, shot: Shot, keyframe: int, report: Reporter, recipe: Sequence[object]
    ) -> None:
        self._shot, self._keyframe, self._report = shot, keyframe, report
        first = digest_json([*recipe, keyframe, shot.frame_digest(keyframe)])
        self._digests = {keyframe: first}

    @abstractmethod
    def begin(self) -> State:
        """Return the state of the keyframe."""

    @abstractmethod
    def advance(self, state: State, before: int, frame: int) -> State:
        """Return the state of a frame.

        Args:
            state: that of the neighbour.
            before: number of the neighbour, which is nearer to the keyframe.
            frame: number of the frame.

        Raises:
            PaintoverError: one of the two frames cannot be read.
        """

    @abstractmethod
    def pack(self, state: State) -> Mapping[str, npt.NDArray[Any]]:
        """Return the arrays to store for a state."""

    @abstractmethod
    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]]) -> State:
        """Return the state that was stored as these arrays.

        Raises:
            KeyError, ValueError, zlib.error: the arrays are damaged.
        """

    def prepare(self, step: str, frames: Iterable[int]) -> None:
        """Compute and store the states up to the first and the last of some frames.

        Args:
            step: name of the job's step in the progress, such as ``train``.
            frames: frames of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop; finished states stay in the cache.
        """
        wanted = sorted(frames)
        for end in wanted[:1] + wanted[-1:]:
            state, missing = self._nearest(end)
            for done, frame in enumerate(missing):
                if self._report.cancelled():
                    raise Cancelled
                text = f"Following keyframe {self._keyframe} to frame {end}: {done} of "
                self._report.progress(step, 0.0, -1.0, f"{text}{len(missing)}")
                state = self._compute(state, frame)

    def state(self, frame: int) -> State:
        """Return the state of a frame of the shot. Raises PaintoverError as ``prepare``."""
        state, missing = self._nearest(frame)
        for number in missing:
            state = self._compute(state, number)
        assert state is not None
        return state

    def _way(self, frame: int) -> list[int]:
        """Return the frames from the keyframe to a frame, both included."""
        low, high = sorted((self._keyframe, frame))
        way = [number for number in self._shot.frames if low <= number <= high]
        return way if frame >= self._keyframe else way[::-1]

    def _nearest(self, frame: int) -> tuple[State | None, list[int]]:
        """Return the valid cached state nearest to a frame, if any, and the frames still to do."""
        way = self._way(frame)
        for before, here in itertools.pairwise(way):
            if here not in self._digests:
                parts = [self._digests[before], self._shot.frame_digest(here)]
                self._digests[here] = digest_json(parts)
        for count in range(len(way), 0, -1):
            state = self._load(way[count - 1])
            if state is not None:
                return state, way[count:]
        return None, way

    def _compute(self, state: State | None, frame: int) -> State:
        """Compute the state of a frame from its neighbour's, store it, and return it as stored."""
        if state is None:
            found = self.begin()
        else:
            found = self.advance(state, self._way(frame)[-2], frame)
        digest = np.frombuffer(self._digests[frame].encode(), np.uint8)
        # In memory first: NumPy does not tell why it cannot write a file.
        arrays = io.BytesIO()
        np.savez(arrays, digest=digest, **self.pack(found))
        write_bytes(self._path(frame), arrays.getvalue())
        stored = self._load(frame)
        assert stored is not None
        return stored

    def _path(self, frame: int) -> Path:
        name = f"{frame_name(frame)}.from.{frame_name(self._keyframe)}.npz"
        return self._shot.cache_folder(self.folder) / name

    def _load(self, frame: int) -> State | None:
        """Return the stored state of a frame; None if it is missing, out of date or damaged."""
        if frame == self._keyframe and not self.stores_keyframe:
            return self.begin()
        try:
            with np.load(self._path(frame), allow_pickle=False) as file:
                if file["digest"].tobytes().decode() != self._digests[frame]:
                    return None
                return self.unpack(file)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            return None
