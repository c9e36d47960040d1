# SPDX-License-Identifier: GPL-3.0-or-later
"""States that follow from frame to frame, starting at a keyframe, cached in the shot folder.

The state of the keyframe follows from it alone. That of any other frame follows from the state of
its neighbour nearer to the keyframe. A state therefore depends only on the frames from the keyframe
to it, and is the same whichever frames are asked for first. Each state is stored with a digest of
those frames; a state whose digest no longer matches is computed again.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..images.array_files import Arrays, read_arrays, write_arrays
from ..images.prefetch import read_ahead
from ..shared.errors import Cancelled
from ..shared.files import digest_json
from ..shared.frame_lists import format_frames, frame_name
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .frame_digests import FrameDigests
from .optical_flow import NeighbourMotion, motion_shape, neighbour_motion

State = TypeVar("State")
_PIXEL_BYTES, _MORE_BYTES = 32, 1 << 20
"""Most bytes that a stored state may have for each pixel of a frame, and besides."""


class FrameChain(ABC, Generic[State]):
    """Computes and caches one state for each frame of a shot, in both directions from a keyframe.

    A state follows from that of the neighbour and the motion between the two frames, which
    ``prepare_together`` finds ahead in other threads, once for all chains of one direction.

    Args:
        shot: any shot.
        keyframe: the frame where the chain starts.
        report: receives the progress of ``prepare_together`` and may cancel it.
        recipe: whatever changes the states besides the frames, such as a version and settings;
            JSON values.

    Attributes:
        keyframe, report: as given.
        pixels: pixels of a frame.
        folder: subfolder of the shot's ``cache`` for the states.
        stores_keyframe: whether the keyframe's state is stored; otherwise ``begin`` gives it.
    """

    folder: str
    stores_keyframe = True

    def __init__(
        self, shot: Shot, keyframe: int, report: Reporter, recipe: Sequence[object]
    ) -> None:
        self._shot, self.keyframe, self.report = shot, keyframe, report
        self.pixels = shot.manifest.width * shot.manifest.height
        self._frames = shot.frames
        self._known = FrameDigests(shot)
        first = digest_json([*recipe, keyframe, shot.frame_digest(keyframe)])
        self._digests = {keyframe: first}

    @abstractmethod
    def begin(self) -> State:
        """Return the state of the keyframe."""

    @abstractmethod
    def advance(self, state: State, motion: NeighbourMotion, frame: int) -> State:
        """Return the state of a frame.

        Args:
            state: that of the neighbour nearer to the keyframe.
            motion: from the frame to that neighbour.
            frame: number of the frame.
        """

    @abstractmethod
    def pack(self, state: State) -> Arrays:
        """Return the arrays to store for a state."""

    @abstractmethod
    def unpack(self, arrays: Arrays) -> State:
        """Return the state that was stored as these arrays.

        Raises:
            KeyError, ValueError, zlib.error: the arrays are damaged.
        """

    def state(self, frame: int) -> State:
        """Return the state of a frame. Raises PaintoverError as ``prepare_together``."""
        state, missing = self.nearest(frame)
        for number in missing:
            motion = None if state is None else self.motion(number)
            state = self.compute(state, motion, number)
        assert state is not None
        return state

    def motion(self, frame: int) -> NeighbourMotion:
        """Return the motion from a frame to its neighbour nearer to the keyframe."""
        at = bisect.bisect_left(self._frames, frame)
        nearer = self._frames[at - 1 if frame > self.keyframe else at + 1]
        return neighbour_motion(self._shot, frame, nearer, motion_shape(self._shot))

    def way(self, frame: int) -> list[int]:
        """Return the frames from the keyframe to a frame, both included."""
        low, high = sorted((self.keyframe, frame))
        first = bisect.bisect_left(self._frames, low)
        way = self._frames[first : bisect.bisect_right(self._frames, high)]
        return way if frame >= self.keyframe else way[::-1]

    def nearest(self, frame: int) -> tuple[State | None, list[int]]:
        """Return the valid cached state nearest to a frame, if any, and the frames still to do."""
        way = self.way(frame)
        known = len(way)
        while known > 1 and way[known - 1] not in self._digests:
            known -= 1
        for before, here in itertools.pairwise(way[known - 1 :]):
            parts = [self._digests[before], self._known.of(here)]
            self._digests[here] = digest_json(parts)
        self._known.keep()
        for count in range(len(way), 0, -1):
            state = self._load(way[count - 1])
            if state is not None:
                return state, way[count:]
        return None, way

    def compute(self, state: State | None, motion: NeighbourMotion | None, frame: int) -> State:
        """Compute the state of a frame from its neighbour's, store it, and return it as stored."""
        if state is None:
            found = self.begin()
        else:
            assert motion is not None
            found = self.advance(state, motion, frame)
        write_arrays(self._path(frame), self.pack(found), self._digests[frame])
        stored = self._load(frame)
        assert stored is not None
        return stored

    def _path(self, frame: int) -> Path:
        name = f"{frame_name(frame)}.from.{frame_name(self.keyframe)}.safetensors"
        return self._shot.cache_folder(self.folder) / name

    def _load(self, frame: int) -> State | None:
        """Return the stored state of a frame; None if it is missing, out of date or damaged."""
        if frame == self.keyframe and not self.stores_keyframe:
            return self.begin()
        most = _PIXEL_BYTES * self.pixels + _MORE_BYTES
        arrays = read_arrays(self._path(frame), self._digests[frame], most)
        try:
            return None if arrays is None else self.unpack(arrays)
        except (ValueError, KeyError, TypeError, zlib.error):
            return None


@dataclasses.dataclass
class _Run(Generic[State]):
    """A chain on its way: the state that it has reached, and the frames that are still to do."""

    chain: FrameChain[State]
    state: State | None
    missing: list[int]

    def take(self, frame: int, motion: NeighbourMotion | None) -> None:
        """Compute the state of a frame, if it is the next that is missing."""
        if self.missing[:1] == [frame]:
            self.state = self.chain.compute(self.state, motion, frame)
            del self.missing[0]


def prepare_together(chains: Sequence[FrameChain[Any]], step: str, frames: Iterable[int]) -> None:
    """Compute and store the states of several chains up to the first and the last of some frames.

    Args:
        chains: chains of one shot, with one reporter; may be of several kinds.
        step: name of the job's step in the progress, such as ``train``.
        frames: frames of the shot.

    Raises:
        PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
        Cancelled: the reporter asked to stop; finished states stay in the cache.
    """
    wanted = sorted(frames)
    for end in wanted[:1] + wanted[-1:]:
        runs = [_Run(chain, *chain.nearest(end)) for chain in chains]
        for later in (True, False):
            alike = [run for run in runs if (run.chain.keyframe <= end) == later]
            if any(run.missing for run in alike):
                _sweep(alike, step, end)


def _sweep(runs: Sequence[_Run[Any]], step: str, end: int) -> None:
    """Compute the states of chains that all lead to a frame in the same direction."""
    longest = max(runs, key=lambda run: (len(run.missing), len(run.chain.way(end))))
    todo, chain = list(longest.missing), longest.chain
    report = chain.report
    keys = format_frames({run.chain.keyframe for run in runs if run.missing})

    def motion_at(frame: int) -> NeighbourMotion | None:
        return None if frame == chain.keyframe else chain.motion(frame)

    motions = read_ahead(motion_at, todo, chain.pixels, several=True)
    for done, (frame, motion) in enumerate(zip(todo, motions, strict=True)):
        if report.cancelled():
            raise Cancelled
        text = f"Following keyframe {keys} to frame {end}: {done} of {len(todo)}"
        report.progress(step, 0.0, -1.0, text)
        for run in runs:
            run.take(frame, motion)
