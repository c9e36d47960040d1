# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a keyframe shows what each frame shows, found along the motion and cached."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..images.types import ByteArray
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .frame_chain import FrameChain
from .optical_flow import step
from .tracking import Places, begin, follow

VERSION = 1
"""Changes whenever the same shot would give other places."""
UNKNOWN = 65535


class MotionChain(FrameChain[Places]):
    """The places of one keyframe in every frame of a shot, cached in ``cache/chains``.

    They are stored as 16-bit integers, in fractions of a pixel that suit the size of the shot.

    Args:
        shot: any shot; its motion is exact where it has ``motion``, otherwise estimated.
        keyframe: the frame where the chain starts.
        report: receives the progress of ``prepare`` and may cancel it.
    """

    folder = "chains"
    stores_keyframe = False

    def __init__(self, shot: Shot, keyframe: int, report: Reporter) -> None:
        super().__init__(shot, keyframe, report, [VERSION])
        self._shape = (shot.manifest.height, shot.manifest.width)
        self._steps = 1 << max(0, 15 - (max(self._shape) - 1).bit_length())

    def places(self, frame: int) -> Places:
        """Return the places of a frame of the shot. Raises PaintoverError as ``prepare``."""
        return self.state(frame)

    def begin(self) -> Places:
        """Return the places of the keyframe in itself."""
        return begin(self._shape)

    def advance(self, state: Places, before: int, frame: int) -> Places:
        """Follow the motion from a frame to its neighbour; see ``FrameChain.advance``."""
        return follow(state, step(self._shot, frame, before))

    def pack(self, state: Places) -> dict[str, npt.NDArray[Any]]:
        """Return the places rounded to ``1 / self._steps`` of a pixel, compressed."""
        at = np.rint(np.nan_to_num(state.at, nan=0) * self._steps) + self._steps
        at[np.isnan(state.at)] = UNKNOWN
        return {
            "x": _packed(at[..., 0].astype(np.uint16)),
            "y": _packed(at[..., 1].astype(np.uint16)),
            "presence": _packed(np.rint(state.presence * 255).astype(np.uint16)),
            "exact": _packed(state.exact.astype(np.uint16)),
        }

    def unpack(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Places:
        """Return places from what ``pack`` gave; see ``FrameChain.unpack``."""
        x, y, presence, exact = (
            _unpacked(arrays[name], self._shape) for name in ("x", "y", "presence", "exact")
        )
        at = (np.stack([x, y], -1).astype(np.float32) - self._steps) / self._steps
        at[(x == UNKNOWN) | (y == UNKNOWN)] = np.nan
        return Places(at, presence.astype(np.float32) / 255, exact > 0)


def _packed(values: npt.NDArray[np.uint16]) -> ByteArray:
    """Compress (H, W), by the differences along the rows."""
    steps = np.diff(values, axis=1, prepend=np.uint16(0))
    planes = np.stack([steps & 255, steps >> 8]).astype(np.uint8)
    return np.frombuffer(zlib.compress(planes.tobytes(), 1), np.uint8)


def _unpacked(packed: ByteArray, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    planes = np.frombuffer(zlib.decompress(packed.tobytes()), np.uint8).reshape(2, *shape)
    steps = planes[0] | (planes[1].astype(np.uint16) << 8)
    return np.asarray(np.cumsum(steps, axis=1, dtype=np.uint16))
