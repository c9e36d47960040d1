# SPDX-License-Identifier: GPL-3.0-or-later
"""Which steps and stylized frames of a shot are up to date, and why others are not."""

from __future__ import annotations

import bisect
import dataclasses
import enum
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import PaintoverError
from .files import digest_file, digest_json
from .frame_lists import counted
from .keyframes.weights import weights_at
from .shot import OutRecord, Shot
from .style_header import (
    ALPHA,
    ALPHA_LEARNT,
    FILTER,
    GAUSSIANS,
    PROJECTION,
    StyleHeader,
    has_surface,
    read_style_header,
)


class Step(enum.Enum):
    """State of one step, as the panel shows it."""

    NOTHING = "nothing"
    UP_TO_DATE = "up to date"
    OUT_OF_DATE = "out of date"


@dataclasses.dataclass(frozen=True)
class StepState:
    """State of a step, and why, in a few words."""

    step: Step
    why: str = ""


@dataclasses.dataclass(frozen=True)
class ReadDigests:
    """Digests of what a job has read; other files may lie there by now.

    Attributes:
        style: of the style file, or what stands for it in records.
        keys: keyframe → ``Shot.key_digest``.
        frame: ``Shot.input_digest`` of the stylized frame.
    """

    style: str
    keys: Mapping[int, str]
    frame: str


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
        return StepState(Step.OUT_OF_DATE, f"Keyframe {changed[0]} has changed since")
    if not header.finished:
        stopped = f"Stopped early after {counted(header.steps, 'step')}"
        return StepState(Step.OUT_OF_DATE, stopped)
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
    unpainted: str = "frame",
    read: ReadDigests | None = None,
) -> OutRecord:
    """Return the record that stylizing a frame would write now.

    Args:
        shot: the shot.
        style: name of the style.
        header: of the style file.
        frame: the stylized frame.
        file: name of its file.
        settings: digest of the file's settings (format, depth).
        light: as ``protocol.Stylize.light``.
        unpainted: as ``protocol.Stylize.unpainted``.
        read: what the frame was made from; None: what lies on the disk.
    """
    if read is None:
        keys = {key: shot.key_digest(key) for key in header.trained_on}
        read = ReadDigests(digest_file(shot.style_path(style)), keys, shot.input_digest(frame))
    digest = digest_json([read.frame, *(read.keys[key] for key in header.trained_on)])
    records = [shot.manifest.frames[other] for other in _other_frames(shot, header, frame)]
    if records:
        digest = digest_json([digest, *([record.image, record.passes] for record in records)])
    projects = PROJECTION in header.guides
    weights = weights_at(shot.manifest.weights, frame, header.trained_on) if projects else {}
    leaves_parts = bool(shot.manifest.matte) or header.settings.get(ALPHA) == ALPHA_LEARNT
    return OutRecord(
        file=file,
        input=digest_json([digest, sorted(weights.items())]) if weights else digest,
        style=read.style,
        settings=settings,
        light=light if projects else 0.5,
        unpainted=unpainted if leaves_parts else "frame",
    )


def _other_frames(shot: Shot, header: StyleHeader, frame: int) -> list[int]:
    """Return the other frames of the shot that a stylized frame depends on, sorted."""
    frames, keys = shot.frames, sorted(header.trained_on)
    needed: set[int] = set()
    starts = keys[:1] if GAUSSIANS in header.guides else []
    if PROJECTION in header.guides and not has_surface(shot.manifest.passes):
        starts = keys
    needed.update(frames_between(frames, starts, frame))
    radius = int(header.settings.get(FILTER, 0))
    for middle in (frame, *keys) if radius else ():
        index = bisect.bisect_left(frames, middle)
        needed.update(frames[max(0, index - radius) : index + radius + 1])
    return sorted(needed - {frame})


def frames_between(frames: list[int], starts: Iterable[int], end: int) -> set[int]:
    """Return the frames between each of ``starts`` and ``end``, both included."""
    ranges = [sorted((start, end)) for start in starts]
    return {frame for frame in frames if any(low <= frame <= high for low, high in ranges)}


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
