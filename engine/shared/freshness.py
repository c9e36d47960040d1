# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps of a shot are not done, up to date or out of date, and why. Standard library only."""

from __future__ import annotations

import bisect
import dataclasses
import enum
from collections.abc import Iterable
from pathlib import Path

from .errors import PaintoverError
from .files import digest_file, digest_json
from .frame_lists import counted
from .keyframe_weights import weights_at
from .shot import OutRecord, Shot
from .style_header import (
    FILTER,
    GAUSSIANS,
    PROJECTION,
    StyleHeader,
    has_surface,
    read_style_header,
)


class Step(enum.Enum):
    """State of one step as the panel shows it."""

    NOTHING = "nothing"
    UP_TO_DATE = "up to date"
    OUT_OF_DATE = "out of date"


@dataclasses.dataclass(frozen=True)
class StepState:
    """A step's state and one short sentence of why."""

    step: Step
    why: str = ""


def style_state(shot: Shot, style: str) -> StepState:
    """Tell whether the style was trained on the paintings as they are now."""
    path = shot.style_path(style)
    if not path.is_file():
        return StepState(Step.NOTHING, "Not trained yet")
    try:
        header = read_style_header(path)
    except PaintoverError as error:
        return StepState(Step.OUT_OF_DATE, str(error))
    keys = shot.painted_keys()
    if sorted(header.trained_on) != keys:
        return StepState(Step.OUT_OF_DATE, "Other keyframes than it was trained on")
    changed = [frame for frame in keys if shot.key_digest(frame) != header.trained_on[frame]]
    if changed:
        return StepState(Step.OUT_OF_DATE, f"Keyframe {changed[0]} has changed since")
    return StepState(
        Step.UP_TO_DATE,
        f"Trained on {counted(len(keys), 'keyframe')}, {counted(header.steps, 'step')}",
    )


def expected_out_record(
    shot: Shot,
    style: str,
    header: StyleHeader,
    frame: int,
    file: str,
    settings: str,
    light: float = 0.5,
) -> OutRecord:
    """Return the record of a stylized frame as it would be written now.

    Args:
        settings: digest of the settings of the file (format, depth).
        light: ``protocol.Stylize.light``.
    """
    digest = shot.input_digest(frame, header.trained_on)
    others = [shot.manifest.frames[other] for other in _other_frames(shot, header, frame)]
    if others:
        digest = digest_json([digest, *([o.image, o.passes] for o in others)])
    carries = PROJECTION in header.guides
    weights = weights_at(shot.manifest.weights, frame, header.trained_on) if carries else {}
    return OutRecord(
        file=file,
        input=digest_json([digest, sorted(weights.items())]) if weights else digest,
        style=digest_file(shot.style_path(style)),
        settings=settings,
        light=light if carries else 0.5,
    )


def _other_frames(shot: Shot, header: StyleHeader, frame: int) -> list[int]:
    """Return the other frames of the shot that a stylized frame is made from, sorted."""
    frames, keys = shot.frames, sorted(header.trained_on)
    seen: set[int] = set()
    starts = keys[:1] if GAUSSIANS in header.guides else []
    if PROJECTION in header.guides and not has_surface(shot.manifest.passes):
        starts = keys
    seen.update(frames_between(frames, starts, frame))
    radius = int(header.settings.get(FILTER, 0))
    for middle in (frame, *keys) if radius else ():
        index = bisect.bisect_left(frames, middle)
        seen.update(frames[max(0, index - radius) : index + radius + 1])
    return sorted(seen - {frame})


def frames_between(frames: list[int], starts: Iterable[int], end: int) -> set[int]:
    """Return the frames on the ways from some frames to another, the ends included."""
    ways = [sorted((start, end)) for start in starts]
    return {frame for frame in frames if any(low <= frame <= high for low, high in ways)}


def stale_out_frames(
    shot: Shot, style: str, frames: list[int], light: float | None = None
) -> list[int]:
    """Return those of the frames whose stylized picture is missing or out of date.

    The file's settings, and without ``light`` that too, are taken as the existing picture has
    them; whether the picture opens is for the engine to check.
    """
    header = read_style_header(shot.style_path(style))
    stale = []
    for frame in frames:
        record = shot.read_out_record(style, frame)
        if record is None or record != expected_out_record(
            shot,
            style,
            header,
            frame,
            record.file,
            record.settings,
            record.light if light is None else light,
        ):
            stale.append(frame)
    return stale


def out_state(shot: Shot, style: str, light: float | None = None) -> StepState:
    """Tell whether all captured frames are stylized with the style as it is now.

    Args:
        light: ``protocol.Stylize.light`` that is wanted; None: any will do.
    """
    folder = shot.out_path(style, 0).parent
    if not shot.style_path(style).is_file() or not _has_pictures(folder):
        return StepState(Step.NOTHING, "Not stylized yet")
    frames = shot.frames
    try:
        stale = stale_out_frames(shot, style, frames, light)
    except PaintoverError as error:
        return StepState(Step.OUT_OF_DATE, str(error))
    if stale:
        return StepState(Step.OUT_OF_DATE, f"{len(stale)} of {counted(len(frames), 'frame')} to do")
    return StepState(Step.UP_TO_DATE, counted(len(frames), "frame"))


def _has_pictures(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix in (".png", ".exr") for path in folder.iterdir())
