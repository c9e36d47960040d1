# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps and stylized frames of a shot are up to date, and why others are not."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from pathlib import Path

from .errors import PaintoverError
from .expected_records import ExpectedRecords, expected_out_record
from .frame_lists import counted, format_frames
from .shot import Shot
from .style_header import StyleHeader, read_style_header

__all__ = [
    "Step",
    "StepState",
    "expected_out_record",
    "out_state",
    "stale_out_frames",
    "style_state",
    "what_changed",
]


class Step(enum.Enum):
    """State of one step, as the panel shows it."""

    NOTHING = "nothing"
    UP_TO_DATE = "up to date"
    OUT_OF_DATE = "out of date"


STOPPED = "Stopped early"
"""How the reason of a training begins that was stopped."""


@dataclasses.dataclass(frozen=True)
class StepState:
    """State of a step, and why, in a few words."""

    step: Step
    why: str = ""


def style_state(shot: Shot, style: str) -> StepState:
    """Return the state of training: whether it ended, on the current paintings."""
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
        return StepState(Step.OUT_OF_DATE, f"{what_changed(shot, header, changed[:1])} since")
    if not header.finished:
        stopped = f"{STOPPED} after {counted(header.steps, 'step')}"
        return StepState(Step.OUT_OF_DATE, stopped)
    return StepState(
        Step.UP_TO_DATE,
        f"Trained on {counted(len(keys), 'keyframe')}, {counted(header.steps, 'step')}",
    )


def what_changed(shot: Shot, header: StyleHeader, keys: Sequence[int]) -> str:
    """Return which keyframes have changed since a training, or what only their frames did.

    Args:
        shot: the shot.
        header: of the style.
        keys: keyframes of which painting, mask, matte or frame have changed.
    """
    painted = [key for key in keys if header.paintings.get(key) != shot.painting_digest(key)]
    if painted:
        return f"Keyframe {format_frames(painted)} has changed"
    frame = "frame or matte" if shot.manifest.matte else "frame"
    return f"The {frame} of keyframe {format_frames(keys)} has changed"


def stale_out_frames(
    shot: Shot,
    style: str,
    frames: list[int],
    light: float | None = None,
    unpainted: str | None = None,
) -> list[int]:
    """Return the frames whose stylized picture is missing or out of date.

    Format and depth count as those of the existing picture. Pictures are not opened.

    Args:
        shot: the shot.
        style: name of the style.
        frames: the frames to check.
        light: as ``protocol.Stylize.light``; None accepts that of the existing picture.
        unpainted: as ``protocol.Stylize.unpainted``; None accepts that of the existing picture.

    Raises:
        PaintoverError: the style cannot be read.
    """
    header = read_style_header(shot.style_path(style))
    stale = []
    expected = ExpectedRecords(shot, style, header)
    records = shot.read_out_records(style, frames)
    for frame in frames:
        record = records.get(frame)
        if record is None or record != expected.record(
            frame,
            record.file,
            record.settings,
            record.light if light is None else light,
            record.unpainted if unpainted is None else unpainted,
        ):
            stale.append(frame)
    return stale


def out_state(
    shot: Shot, style: str, light: float | None = None, unpainted: str | None = None
) -> StepState:
    """Return the state of stylizing: whether all frames are stylized with the current style.

    Args:
        shot: the shot.
        style: name of the style.
        light: as ``protocol.Stylize.light``; None accepts any.
        unpainted: as ``protocol.Stylize.unpainted``; None accepts any.
    """
    folder = shot.out_path(style, 0).parent
    if not shot.style_path(style).is_file() or not _has_pictures(folder):
        return StepState(Step.NOTHING, "Not stylized yet")
    frames = shot.frames
    try:
        stale = stale_out_frames(shot, style, frames, light, unpainted)
    except PaintoverError as error:
        return StepState(Step.OUT_OF_DATE, str(error))
    if stale:
        return StepState(Step.OUT_OF_DATE, f"{len(stale)} of {counted(len(frames), 'frame')} to do")
    return StepState(Step.UP_TO_DATE, counted(len(frames), "frame"))


def _has_pictures(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix in (".png", ".exr") for path in folder.iterdir())
