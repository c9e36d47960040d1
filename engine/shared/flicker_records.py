# SPDX-License-Identifier: GPL-3.0-or-later
"""Flicker of stylized frames, stored beside them, and the frames that it marks as unsteady.

Flicker is the difference of a frame from the frame before, warped along the motion.
``evaluation/flicker_meter.py`` measures it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from .checked import Digest, Range, from_data
from .files import digest_json, read_by_state, write_bytes
from .frame_lists import frame_name, name_frames
from .out_records import MOST_RECORD, OutRecord
from .reading import read_json
from .shot import Shot

SPREADS = 3.0
"""A frame is unsteady this many standard deviations above the median of the shot."""
TO_DEVIATION = 1.4826
"""Standard deviation / median absolute deviation of a normal distribution."""
LEAST = 1.0
"""Least difference from the median that is visible, in 8-bit codes."""
_Codes = Annotated[float, Range(0, 255)]


@dataclasses.dataclass(frozen=True)
class Flicker:
    """Flicker of one frame: mean |difference| in 8-bit codes where both frames show it."""

    result: _Codes
    """Of the stylized frame."""
    picture: _Codes
    """Of the rendered picture at the same pixels: changing light and errors of the warp."""

    @property
    def excess(self) -> float:
        """Flicker that the style adds, in 8-bit codes."""
        return self.result - self.picture


@dataclasses.dataclass(frozen=True)
class _Record(Flicker):
    """Flicker as it is stored."""

    of: Digest = ""
    """Digest of the records of the frame and the frame before."""


def unsteady_frames(flickers: Mapping[int, Flicker]) -> list[int]:
    """Return the frames that flicker much more than the rest of the shot, sorted.

    A frame is unsteady if its excess flicker exceeds the median by ``SPREADS`` standard deviations
    and by ``LEAST``. The median absolute deviation estimates the standard deviation, because
    outliers hardly change it.
    """
    if not flickers:
        return []
    median = statistics.median(one.excess for one in flickers.values())
    deviation = statistics.median(abs(one.excess - median) for one in flickers.values())
    limit = median + max(SPREADS * TO_DEVIATION * deviation, LEAST)
    return sorted(frame for frame, one in flickers.items() if one.excess > limit)


def describe(frames: Iterable[int]) -> str:
    """Return one sentence for the user on the unsteady frames of a shot."""
    frames = sorted(frames)
    if not frames:
        return "No frame is less steady than the others."
    if len(frames) == 1:
        return f"Frame {frames[0]} is unsteady; if you see it in playback, paint it too."
    return (
        f"Frames {name_frames(frames)} are unsteady; if you see it in playback, paint one of them "
        "too."
    )


def write_flicker(shot: Shot, style: str, frame: int, flicker: Flicker) -> None:
    """Store the flicker of a frame. Call it after this frame and the frame before are written.

    Raises:
        PaintoverError: the file cannot be written.
    """
    made_from = _made_from(shot, style, frame)
    text = json.dumps(dataclasses.asdict(_Record(flicker.result, flicker.picture, made_from)))
    write_bytes(_path(shot, style, frame), text.encode())


def read_flickers(
    shot: Shot, style: str, frames: Iterable[int] | None = None
) -> dict[int, Flicker]:
    """Read the flicker of frames of a shot, except frames that were written again since.

    Args:
        shot: the shot.
        style: the style's name.
        frames: the frames, those of the shot count; None: all, for which each has its record read.
    """
    frames = shot.frames if frames is None else sorted(shot.manifest.frames.keys() & set(frames))
    folder = os.fspath(shot.out_record_path(style, 0).parent)
    records = shot.read_out_records(style, {*frames, *(frame - 1 for frame in frames)})
    flickers = {}
    for frame in frames:
        stored = _read_stored(f"{folder}/{frame_name(frame)}.flicker.json")
        if stored is not None and stored.of == _digest_of(records, frame) != "":
            flickers[frame] = Flicker(stored.result, stored.picture)
    return flickers


def _parse_stored(path: Path) -> _Record | None:
    try:
        return from_data(_Record, read_json(path, MOST_RECORD))
    except (OSError, ValueError):
        return None


_read_stored = read_by_state(_parse_stored, None)


def _path(shot: Shot, style: str, frame: int) -> Path:
    return shot.out_record_path(style, frame).with_name(f"{frame_name(frame)}.flicker.json")


def _made_from(shot: Shot, style: str, frame: int) -> str:
    """Return the digest of the records of a frame and the frame before; "" if one is missing."""
    return _digest_of(shot.read_out_records(style, (frame - 1, frame)), frame)


def _digest_of(records: Mapping[int, OutRecord], frame: int) -> str:
    pair = [records.get(frame - 1), records.get(frame)]
    return "" if None in pair else digest_json([record.depends_on() for record in pair if record])
