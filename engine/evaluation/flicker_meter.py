# SPDX-License-Identifier: GPL-3.0-or-later
"""The flicker of a stylized frame, without knowing how it should be.

The flicker of a frame is compared with that of the shot's own picture at the same pixels, over
the mask (the guide folder ``mask`` where the shot has one, else where alpha is above half) and
only where both frames show the same point and the picture itself hardly changes along the motion,
so that moving light does not count.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame, read_frame
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..motion.optical_flow import estimate_flow, occluded
from ..shared.flicker_records import Flicker
from ..shared.shot import Shot
from .flicker import flicker
from .results import mask_guides, mask_of, read_in_size, result_path

ENOUGH = 1 << 14
"""Of windows of many pixels about so many, or more, are looked at, since flicker is a mean."""


@dataclasses.dataclass(frozen=True)
class FlickerInput:
    """What a frame shows in a window: picture (H, W, 3), motion or None, and the mask (H, W).

    Of large frames it is kept in half the size, since flicker is a mean.
    """

    window: Window
    image: FloatArray
    motion: FloatArray | None
    mask: BoolArray

    @classmethod
    def of(cls, frame: Frame) -> FlickerInput:
        """Take from a frame, read with ``needed_passes``, what is looked at."""
        window = frame.window or Window.whole(*frame.alpha.shape)
        image, motion, mask = frame.image, frame.motion, mask_of(frame)
        if not window.is_of_large:
            return cls(window, image, motion, mask)
        if motion is not None:
            motion = _every_other(motion) / 2
        return cls(window.halved, _in_half(image), motion, _every_other(mask))

    @classmethod
    def joined(cls, bands: Sequence[FlickerInput], window: Window) -> FlickerInput:
        """Put together what the bands of a window show, from top to bottom."""
        motions = [band.motion for band in bands if band.motion is not None]
        return cls(
            window.halved if window.is_of_large else window,
            np.concatenate([band.image for band in bands]),
            np.concatenate(motions) if len(motions) == len(bands) else None,
            np.concatenate([band.mask for band in bands]),
        )

    def fitting(self, result: FloatArray) -> FloatArray:
        """Return a result (H, W, C) of the same window in this size."""
        return result if result.shape[:2] == self.mask.shape else _in_half(result)


def needed_passes(shot: Shot) -> set[str]:
    """Return what ``read_frame`` must read for ``FlickerInput.of``."""
    return {"motion", *mask_guides(shot)}


def _in_half(picture: FloatArray) -> FloatArray:
    height, width = (size // 2 for size in picture.shape[:2])
    whole = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _every_other(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width = (size // 2 for size in values.shape[:2])
    return np.ascontiguousarray(values[: 2 * height : 2, : 2 * width : 2])


@dataclasses.dataclass(frozen=True)
class MeasuredFrame:
    """What a frame shows, and the result (H, W, 3) in the same window."""

    source: FlickerInput
    result: FloatArray


class FlickerMeter:
    """Reads frames and results; remembers two, since each is compared with the one before."""

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._known: dict[int, MeasuredFrame] = {}

    def knows(self, frame: int) -> bool:
        """Tell whether a frame is remembered."""
        return frame in self._known

    def keep(self, frame: int, measured: MeasuredFrame) -> None:
        """Remember a frame, and forget all but the one before."""
        self._known.pop(frame, None)
        while len(self._known) > 1:
            del self._known[next(iter(self._known))]
        self._known[frame] = measured

    def flicker(self, frame: int) -> Flicker | None:
        """Return the flicker of a frame; None if it or the one before has no result."""
        before, now = (self.read(number) for number in (frame - 1, frame))
        if before is None or now is None:
            return None
        first, second = before.source, now.source
        every = max(1, math.isqrt(second.mask.size // ENOUGH))
        apart = second.window.left - first.window.left, second.window.top - first.window.top
        offsets, seen = _motion_back(first, second, every, apart)
        counted = second.mask[::every, ::every] & seen
        results, pictures = (before.result, now.result), (first.image, second.image)
        found = flicker(results, pictures, counted, offsets + np.array(apart, np.float32), every)
        return Flicker(*found) if found else None

    def read(self, frame: int) -> MeasuredFrame | None:
        """Read a frame; None if it has no result."""
        if frame in self._known:
            return self._known[frame]
        path = result_path(self._shot, self._style, frame)
        if path is None or frame not in self._shot.manifest.frames:
            return None
        source = FlickerInput.of(read_frame(self._shot, frame, needed_passes(self._shot)))
        self.keep(frame, MeasuredFrame(source, source.fitting(read_in_size(self._shot, path))))
        return self._known[frame]


def _motion_back(
    before: FlickerInput, now: FlickerInput, every: int, apart: tuple[int, int]
) -> tuple[FloatArray, BoolArray]:
    """Return offsets (H, W, 2) to the frame before, and where it shows the same point.

    Estimated at half the size where the renderer gave none: flicker is a mean, and needs no more.

    Args:
        before, now: the two frames.
        every: every so many rows and columns are returned.
        apart: how far right and down the window of ``now`` begins of that of ``before``.
    """
    if before.motion is not None and now.motion is not None:
        backward = np.ascontiguousarray(now.motion[::every, ::every, :2])
        return backward, ~occluded(backward, before.motion[..., 2:], every, apart)
    window = before.window.joined(now.window)
    height, width = window.shape
    size = (max(1, width // 2), max(1, height // 2))
    first, second = (
        np.asarray(
            cv2.resize(
                frame.window.spread(frame.image, window), size, interpolation=cv2.INTER_AREA
            ),
            np.float32,
        )
        for frame in (before, now)
    )
    backward = estimate_flow(second, first)
    seen = ~occluded(backward, estimate_flow(first, second))
    whole = cv2.resize(backward, (width, height), interpolation=cv2.INTER_LINEAR)
    offsets: FloatArray = whole * np.array([width / size[0], height / size[1]], np.float32)
    large = cv2.resize(seen.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    inside = now.window.within(window)
    return offsets[inside][::every, ::every], np.asarray(large[inside][::every, ::every], bool)
