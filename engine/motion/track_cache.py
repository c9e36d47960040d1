# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracks of a keyframe in all frames of a shot, cached in the shot folder."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..images.types import ByteArray
from ..images.window import Window
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .frame_chain import FrameChain
from .optical_flow import NeighbourMotion, motion_shape
from .tracking import Track, enlarge_track, extend_track, is_cut, no_track, start_track

VERSION = 4
"""Raised whenever the same shot would give other tracks, so that caches are not reused."""
UNKNOWN = 65535
"""Stored for a coordinate that is not known."""


class TrackCache(FrameChain[Track]):
    """The tracks of one keyframe in every frame of a shot, cached in ``cache/tracks``.

    Positions are stored as 16-bit fixed point, with as many fractional bits as the size allows.
    Huge frames are tracked in a reduced size (``motion_shape``). The last track is kept in memory
    while windows of its frame are asked for.

    Args:
        shot: any shot; its motion is exact where it has ``motion``, otherwise estimated.
        keyframe: the frame where the chain starts.
        report: receives the progress of ``prepare_together`` and may cancel it.
    """

    folder = "tracks"
    stores_keyframe = False

    def __init__(self, shot: Shot, keyframe: int, report: Reporter) -> None:
        self._shape = motion_shape(shot)
        is_reduced = self._shape != (shot.manifest.height, shot.manifest.width)
        recipe = [VERSION, *self._shape] if is_reduced else [VERSION]
        super().__init__(shot, keyframe, report, recipe)
        self._last: tuple[int, Track] | None = None
        self._steps = 1 << max(0, 15 - (max(self._shape) - 1).bit_length())

    def track(self, frame: int, window: Window | None = None) -> Track:
        """Return the track of a frame of the shot, or of a window of it.

        Raises PaintoverError as ``state``.
        """
        whole = Window.whole(self._shot.manifest.height, self._shot.manifest.width)
        window = window or whole
        if window == whole and whole.shape == self._shape:
            return self.state(frame)
        if self._last is None or self._last[0] != frame:
            self._last = frame, self.state(frame)
        track = self._last[1]
        return track.cut(window) if whole.shape == self._shape else enlarge_track(track, window)

    def begin(self) -> Track:
        """Return the track of the keyframe itself."""
        return start_track(self._shape)

    def advance(self, state: Track, motion: NeighbourMotion, frame: int) -> Track:
        """Extend the neighbour's track to the frame; see ``FrameChain.advance``."""
        track = extend_track(state, motion)
        return no_track(self._shape) if is_cut(state, track, motion) else track

    def pack(self, state: Track) -> dict[str, npt.NDArray[Any]]:
        """Return the track rounded to ``1 / self._steps`` of a pixel, compressed."""
        at = np.rint(np.nan_to_num(state.at, nan=0) * self._steps) + self._steps
        at[np.isnan(state.at)] = UNKNOWN
        return {
            "x": _packed(at[..., 0].astype(np.uint16)),
            "y": _packed(at[..., 1].astype(np.uint16)),
            "presence": _packed(np.rint(state.presence * 255).astype(np.uint16)),
            "exact": _packed(state.exact.astype(np.uint16)),
        }

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Track:
        """Return the track that ``pack`` packed; see ``FrameChain.unpack``."""
        x, y, presence, exact = (
            _unpacked(arrays[name], self._shape) for name in ("x", "y", "presence", "exact")
        )
        at = (np.stack([x, y], -1).astype(np.float32) - self._steps) / self._steps
        at[(x == UNKNOWN) | (y == UNKNOWN)] = np.nan
        return Track(at, presence.astype(np.float32) / 255, exact > 0)


def _packed(values: npt.NDArray[np.uint16]) -> ByteArray:
    """Compress (H, W) with zlib, as differences along the rows, low bytes first."""
    steps = np.diff(values, axis=1, prepend=np.uint16(0))
    planes = np.stack([steps & 255, steps >> 8]).astype(np.uint8)
    return np.frombuffer(zlib.compress(planes.tobytes(), 1), np.uint8)


def _unpacked(packed: ByteArray, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    """Undo ``_packed``. Raises ValueError or zlib.error if the data is damaged."""
    length = 2 * shape[0] * shape[1]
    inflater = zlib.decompressobj()
    planes = np.frombuffer(inflater.decompress(packed.tobytes(), length), np.uint8)
    planes = planes.reshape(2, *shape)
    steps = planes[0] | (planes[1].astype(np.uint16) << 8)
    return np.asarray(np.cumsum(steps, axis=1, dtype=np.uint16))
