# SPDX-License-Identifier: GPL-3.0-or-later
"""How steady stylized frames are, without knowing how they should be.

The flicker of a frame is compared with that of the shot's own picture at the same pixels, over
the mask (the guide folder ``mask`` where the shot has one, else where alpha is above half) and
only where both frames show the same point and the picture itself hardly changes along the motion,
so that moving light does not count.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..frames.frame import EXTRA_GUIDE, Frame, read_frame
from ..images.pictures import read_picture
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..motion.optical_flow import estimate_flow, occluded
from ..shared.errors import Cancelled, PaintoverError
from ..shared.flicker_records import Flicker, describe, unsteady_frames, write_flicker
from ..shared.reporter import Reporter, Silent
from ..shared.shot import OUT_SUFFIXES, Shot
from .flicker import flicker

MASK_GUIDE = "mask"
ENOUGH = 1 << 14
"""Of windows of many pixels about so many, or more, are looked at, since flicker is a mean."""


@dataclasses.dataclass(frozen=True)
class Steadiness:
    """Frame → its flicker; None where there is nothing to compare."""

    style: str
    frames: Mapping[int, Flicker | None]

    @property
    def measured(self) -> dict[int, Flicker]:
        """The frames that have a flicker."""
        return {frame: one for frame, one in self.frames.items() if one is not None}

    @property
    def unsteady(self) -> list[int]:
        """The frames that flicker much more than the others."""
        return unsteady_frames(self.measured)

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "style": self.style,
            "unsteady": self.unsteady,
            "frames": {
                str(frame): dataclasses.asdict(one) if one else None
                for frame, one in self.frames.items()
            },
        }

    def as_table(self) -> str:
        """Return a table for people, a line a frame, and one sentence at the end."""
        unsteady = set(self.unsteady)
        lines = [f"{'frame':>9}{'flicker':>9}{'(own)':>9}"]
        for frame, one in self.frames.items():
            cells = [f"{one.result:.2f}", f"{one.picture:.2f}"] if one else ["–", "–"]
            mark = "  unsteady" if frame in unsteady else ""
            lines.append("".join(f"{cell:>9}" for cell in (str(frame), *cells)) + mark)
        return "\n".join([*lines, describe(unsteady)])


def steadiness(
    shot: Shot, style: str, frames: Sequence[int] = (), report: Reporter | None = None
) -> Steadiness:
    """Measure the flicker of stylized frames.

    Args:
        shot: the shot.
        style: the style whose frames are measured.
        frames: which frames; none means all.
        report: told of progress; may cancel.

    Raises:
        PaintoverError: a file is damaged or of another size, or no frame and the one before it
            are stylized.
        Cancelled: the reporter says so.
    """
    report = report or Silent()
    wanted = sorted(set(frames)) or shot.frames
    looks = _Looks(shot, style)
    found: dict[int, Flicker | None] = {}
    for number, frame in enumerate(wanted):
        if report.cancelled():
            raise Cancelled
        report.progress("score", number / len(wanted), -1, f"Frame {frame}")
        found[frame] = looks.flicker(frame)
    if not any(found.values()):
        raise PaintoverError(
            f'There are no two successive frames of the style "{style}" in {shot.folder} to '
            "compare; stylize some first, and look whether the mask is empty."
        )
    return Steadiness(style, found)


class Watch:
    """Measures flicker while frames are stylized, in any order, and notes it beside them.

    A frame that cannot be measured is left out, since stylizing goes on without.

    Args:
        shot: the shot.
        style: the style.
    """

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._looks = _Looks(shot, style)
        self.found: dict[int, Flicker] = {}
        """What was measured so far."""

    def wrote(self, frame: int, shown: Shown | None, result: FloatArray) -> None:
        """Look at a frame that is in its place; measure it if the last was the one before.

        Args:
            frame: its number.
            shown: what the frame shows; None: it is read.
            result: (H, W, 3), what was written, of the window of ``shown`` if that is given.
        """
        with suppress(PaintoverError):
            if shown:
                self._looks.keep(frame, _Look(shown, shown.fitting(result)))
            if self._looks.knows(frame - 1):
                self._measure(frame)
            else:
                self._looks.look(frame)

    def finish(
        self, frames: Iterable[int], is_up_to_date: Callable[[int], bool], report: Reporter
    ) -> None:
        """Measure the frames on both sides of those that were written, as far as it is not done.

        Args:
            frames: that were written.
            is_up_to_date: tells whether a frame's picture is what would be made now.
            report: may cancel.

        Raises:
            Cancelled: the reporter says so.
        """
        wanted = {after for frame in frames for after in (frame, frame + 1)}
        for frame in sorted(wanted - set(self.found)):
            if report.cancelled():
                raise Cancelled
            if not all(n in self._shot.frames and is_up_to_date(n) for n in (frame - 1, frame)):
                continue
            with suppress(PaintoverError):
                self._measure(frame)

    def lines(self, unsteady: Collection[int]) -> list[str]:
        """Return a line a measured frame for a log, and one sentence on those of the whole shot."""
        lines = [
            f"frame {frame}: flicker {one.result:.2f}, the picture's own {one.picture:.2f}"
            + (", unsteady" if frame in unsteady else "")
            for frame, one in sorted(self.found.items())
        ]
        return [*lines, describe(unsteady)]

    def _measure(self, frame: int) -> None:
        flicker = self._looks.flicker(frame)
        if flicker is not None:
            write_flicker(self._shot, self._style, frame, flicker)
            self.found[frame] = flicker


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a frame shows in a window: picture (H, W, 3), motion or None, and the mask (H, W).

    Of large frames it is kept in half the size, since flicker is a mean.
    """

    window: Window
    image: FloatArray
    motion: FloatArray | None
    mask: BoolArray

    @classmethod
    def of(cls, frame: Frame) -> Shown:
        """Take from a frame, read with ``needs``, what is looked at."""
        window = frame.window or Window.whole(*frame.alpha.shape)
        image, motion, mask = frame.image, frame.motion, mask_of(frame)
        if not window.is_of_large:
            return cls(window, image, motion, mask)
        if motion is not None:
            motion = _every_other(motion) / 2
        return cls(window.halved, _in_half(image), motion, _every_other(mask))

    @classmethod
    def joined(cls, bands: Sequence[Shown], window: Window) -> Shown:
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


def needs(shot: Shot) -> set[str]:
    """Return what ``read_frame`` must read for ``Shown.of``."""
    return {"motion", *mask_guides(shot)}


def _in_half(picture: FloatArray) -> FloatArray:
    height, width = (size // 2 for size in picture.shape[:2])
    whole = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _every_other(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    height, width = (size // 2 for size in values.shape[:2])
    return np.ascontiguousarray(values[: 2 * height : 2, : 2 * width : 2])


@dataclasses.dataclass(frozen=True)
class _Look:
    """What a frame shows, and the result (H, W, 3) in the same window."""

    shown: Shown
    result: FloatArray


class _Looks:
    """Reads frames and results; remembers two, since each is compared with the one before."""

    def __init__(self, shot: Shot, style: str) -> None:
        self._shot, self._style = shot, style
        self._known: dict[int, _Look] = {}

    def knows(self, frame: int) -> bool:
        return frame in self._known

    def keep(self, frame: int, look: _Look) -> None:
        self._known.pop(frame, None)
        while len(self._known) > 1:
            del self._known[next(iter(self._known))]
        self._known[frame] = look

    def flicker(self, frame: int) -> Flicker | None:
        """Return the flicker of a frame; None if it or the one before has no result."""
        before, now = (self.look(number) for number in (frame - 1, frame))
        if before is None or now is None:
            return None
        first, second = before.shown, now.shown
        every = max(1, math.isqrt(second.mask.size // ENOUGH))
        apart = second.window.left - first.window.left, second.window.top - first.window.top
        offsets, seen = _motion_back(first, second, every, apart)
        counted = second.mask[::every, ::every] & seen
        results, pictures = (before.result, now.result), (first.image, second.image)
        found = flicker(results, pictures, counted, offsets + np.array(apart, np.float32), every)
        return Flicker(*found) if found else None

    def look(self, frame: int) -> _Look | None:
        """Read a frame; None if it has no result."""
        if frame in self._known:
            return self._known[frame]
        path = result_path(self._shot, self._style, frame)
        if path is None or frame not in self._shot.manifest.frames:
            return None
        shown = Shown.of(read_frame(self._shot, frame, needs(self._shot)))
        self.keep(frame, _Look(shown, shown.fitting(read_in_size(self._shot, path))))
        return self._known[frame]


def _motion_back(
    before: Shown, now: Shown, every: int, apart: tuple[int, int]
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


def mask_guides(shot: Shot) -> list[str]:
    """Return what ``read_frame`` must read for ``mask_of``."""
    return [EXTRA_GUIDE + MASK_GUIDE] if MASK_GUIDE in shot.manifest.guides else []


def mask_of(frame: Frame) -> BoolArray:
    """Return the part of a frame that is measured, (H, W)."""
    if MASK_GUIDE in frame.guides:
        mask: BoolArray = frame.guides[MASK_GUIDE].mean(axis=2) > 0.5
        return mask
    return frame.alpha > 0.5


def result_path(shot: Shot, style: str, frame: int) -> Path | None:
    """Return the picture of a stylized frame, None where there is none."""
    record = shot.read_out_record(style, frame)
    if record is not None:
        return shot.out_path(style, frame).parent / record.file
    paths = (shot.out_path(style, frame, suffix) for suffix in OUT_SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def read_in_size(shot: Shot, path: Path) -> FloatArray:
    """Read the colours (H, W, 3) of a picture.

    Raises:
        PaintoverError: it is missing, damaged or of another size than the shot.
    """
    picture = read_picture(path).rgb
    height, width = picture.shape[:2]
    if (width, height) != (shot.manifest.width, shot.manifest.height):
        raise PaintoverError(
            f"{path} is {width}×{height}, but the shot is {shot.manifest.width}×"
            f"{shot.manifest.height}; make it again in that size."
        )
    return picture
