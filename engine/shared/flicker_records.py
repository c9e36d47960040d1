# SPDX-License-Identifier: GPL-3.0-or-later
"""Which stylized frames are unsteady, from the flicker noted beside them. Standard library only.

Flicker is how much a frame differs from the one before it moved along the motion.
``evaluation/frame_flicker.py`` measures it.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from .files import digest_json, write_bytes
from .frame_lists import frame_name, name_frames
from .shot import Shot

SPREADS = 3.0
"""A frame this many standard deviations above the clip's middle is unsteady."""
TO_DEVIATION = 1.4826
"""What makes a standard deviation of a median absolute deviation, where values are normal."""
LEAST = 1.0
"""Flicker that exceeds the clip's middle by less than this, in 8-bit codes, is not seen."""


@dataclasses.dataclass(frozen=True)
class Flicker:
    """The flicker of one frame: mean |difference| in 8-bit codes, over what both frames show."""

    result: float
    """Of the stylized frame."""
    picture: float
    """Of the shot's own picture at the same pixels: light, and what moving it costs."""

    @property
    def excess(self) -> float:
        """What the style adds."""
        return self.result - self.picture


def unsteady_frames(flickers: Mapping[int, Flicker]) -> list[int]:
    """Return the frames that flicker much more than the others of the clip, sorted.

    Those whose excess over the picture's own flicker exceeds the median by three standard
    deviations, which are estimated by the median absolute deviation, so that the unsteady frames
    themselves do not count; and by what can be seen at least.
    """
    if not flickers:
        return []
    middle = statistics.median(one.excess for one in flickers.values())
    deviation = statistics.median(abs(one.excess - middle) for one in flickers.values())
    most = middle + max(SPREADS * TO_DEVIATION * deviation, LEAST)
    return sorted(frame for frame, one in flickers.items() if one.excess > most)


def describe(frames: Iterable[int]) -> str:
    """Return one sentence on the unsteady frames of a clip."""
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
    """Note the flicker of a frame. Call it once it and the frame before are in their places.

    Raises:
        PaintoverError: the file cannot be written.
    """
    made_from = _made_from(shot, style, frame)
    text = json.dumps({"of": made_from, **dataclasses.asdict(flicker)})
    write_bytes(_path(shot, style, frame), text.encode())


def read_flickers(shot: Shot, style: str) -> dict[int, Flicker]:
    """Read what is noted of all frames of a shot, but not of those that were made again since."""
    found = {}
    for frame in shot.frames:
        try:
            data = json.loads(_path(shot, style, frame).read_text(encoding="utf-8"))
            if data.pop("of") == _made_from(shot, style, frame) != "":
                found[frame] = Flicker(**data)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return found


def _path(shot: Shot, style: str, frame: int) -> Path:
    return shot.out_record_path(style, frame).with_name(f"{frame_name(frame)}.flicker.json")


def _made_from(shot: Shot, style: str, frame: int) -> str:
    """Digest of what a frame and the one before were made from; "" where one is missing."""
    records = [shot.read_out_record(style, number) for number in (frame - 1, frame)]
    if None in records:
        return ""
    return digest_json([dataclasses.asdict(record) for record in records if record])
