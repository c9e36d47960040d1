# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the flicker of stylized frames without ground truth.

A stylized frame's flicker is compared with that of the shot's own picture at the same pixels. A
pixel counts if it is in the mask (see ``results``), if both frames show the same point, and if the
picture hardly changes along the motion, so that moving light does not count.
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

SAMPLES = 1 << 14
"""Larger windows are subsampled to this many pixels or a few more, since flicker is a mean."""


@dataclasses.dataclass(frozen=True)
class FlickerInput:
    """A frame as flicker is measured on it; large frames at half the size, since flicker is a mean.

    Attributes:
        window: the part of the frame that the arrays show.
        image: (H, W, 3) float32, 0..1, the shot's own picture.
        motion: (H, W, 4) float32, pixels, as ``Frame.motion``; None: to be estimated.
        mask: (H, W) bool, the pixels that count.
    """

    window: Window
    image: FloatArray
    motion: FloatArray | None
    mask: BoolArray

    @classmethod
    def of(cls, frame: Frame) -> FlickerInput:
        """Build from a frame that was read with ``needed_passes``."""
        window = frame.window or Window.whole(*frame.alpha.shape)
        image, motion, mask = frame.image, frame.motion, mask_of(frame)
        if not window.is_of_large:
            return cls(window, image, motion, mask)
        if motion is not None:
            motion = _every_other(motion) / 2
        return cls(window.halved, _in_half(image), motion, _every_other(mask))

    @classmethod
    def joined(cls, bands: Sequence[FlickerInput], window: Window) -> FlickerInput:
        """Join the bands of a window, given from top to bottom."""
        motions = [band.motion for band in bands if band.motion is not None]
        return cls(
            window.halved if window.is_of_large else window,
            np.concatenate([band.image for band in bands]),
            np.concatenate(motions) if len(motions) == len(bands) else None,
            np.concatenate([band.mask for band in bands]),
        )

    def fitting(self, result: FloatArray) -> FloatArray:
        """Resize a stylized picture (H, W, C) of the same window to the size of the arrays."""
        return result if result.shape[:2] == self.mask.shape else _in_half(result)


def needed_passes(shot: Shot) -> set[str]:
    """Return the passes and guides that ``read_frame`` must read for ``FlickerInput.of``."""
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
    """A frame and its stylized picture, (H, W, 3) float32, 0..1, display-referred, same window."""

    source: FlickerInput
    result: FloatArray


class FlickerMeter:
    """Measures flicker; keeps the last two frames, since each is compared with the one before."""

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._frames: dict[int, MeasuredFrame] = {}

    def knows(self, frame: int) -> bool:
        """Return whether a frame is kept."""
        return frame in self._frames

    def keep(self, frame: int, measured: MeasuredFrame) -> None:
        """Keep a frame, and drop all but the last one."""
        self._frames.pop(frame, None)
        while len(self._frames) > 1:
            del self._frames[next(iter(self._frames))]
        self._frames[frame] = measured

    def flicker(self, frame: int) -> Flicker | None:
        """Return a frame's flicker; None without a stylized frame before or pixels to count."""
        before, now = (self.read(number) for number in (frame - 1, frame))
        if before is None or now is None:
            return None
        return flicker_between(before, now)

    def read(self, frame: int) -> MeasuredFrame | None:
        """Read a frame and keep it; None if it is not stylized."""
        if frame in self._frames:
            return self._frames[frame]
        path = result_path(self._shot, self._style, frame)
        if path is None or frame not in self._shot.manifest.frames:
            return None
        source = FlickerInput.of(read_frame(self._shot, frame, needed_passes(self._shot)))
        self.keep(frame, MeasuredFrame(source, source.fitting(read_in_size(self._shot, path))))
        return self._frames[frame]


def flicker_between(before: MeasuredFrame, now: MeasuredFrame) -> Flicker | None:
    """Return the flicker from a frame to the next; None without pixels to count."""
    first, second = before.source, now.source
    every = max(1, math.isqrt(second.mask.size // SAMPLES))
    shift = second.window.left - first.window.left, second.window.top - first.window.top
    offsets, visible = _motion_back(first, second, every, shift)
    counted = second.mask[::every, ::every] & visible
    results, pictures = (before.result, now.result), (first.image, second.image)
    found = flicker(results, pictures, counted, offsets + np.array(shift, np.float32), every)
    return Flicker(*found) if found else None


def _motion_back(
    before: FlickerInput, now: FlickerInput, every: int, shift: tuple[int, int]
) -> tuple[FloatArray, BoolArray]:
    """Return (h, w, 2) offsets to the frame before, and (h, w) whether it shows the same point.

    Without motion passes both are estimated at half the size, which suffices for a mean.

    Args:
        before, now: the two frames.
        every: stride of the returned rows and columns.
        shift: pixels right and down from the origin of ``before``'s window to that of ``now``'s.
    """
    if before.motion is not None and now.motion is not None:
        backward = np.ascontiguousarray(now.motion[::every, ::every, :2])
        return backward, ~occluded(backward, before.motion[..., 2:], every, shift)
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
    visible = ~occluded(backward, estimate_flow(first, second))
    whole = cv2.resize(backward, (width, height), interpolation=cv2.INTER_LINEAR)
    offsets: FloatArray = whole * np.array([width / size[0], height / size[1]], np.float32)
    large = cv2.resize(visible.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    inside = now.window.within(window)
    return offsets[inside][::every, ::every], np.asarray(large[inside][::every, ::every], bool)
