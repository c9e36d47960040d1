# SPDX-License-Identifier: GPL-3.0-or-later
"""``--dry-run``: says what a verb would do to a shot, and changes nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..shared.errors import PaintoverError
from ..shared.frame_lists import counted, format_frames
from ..shared.freshness import stale_out_frames, style_state
from ..shared.shot import Shot
from ..shared.style_header import read_style_header


def describe(options: argparse.Namespace) -> str:
    """Return what a verb would do, as a sentence.

    Args:
        options: of one shot.

    Raises:
        PaintoverError: it would fail: there is no shot, no painting, no style or no such folder.
    """
    if options.verb in ("import", "matte"):
        return _describe_reading(options)
    shot = Shot.open(options.shot)
    if options.verb == "stylize":
        return _describe_stylizing(options, shot)
    if options.verb in ("train", "preview", "sweep"):
        keys = options.keys or shot.painted_keys()
        missing = [key for key in keys if key not in shot.key_frames()]
        if missing or not keys:
            what = f"no painting of frame {missing[0]}" if missing else "no painted keyframe yet"
            raise PaintoverError(f"{shot.folder} has {what}; add one, and paint on it.")
        paintings = f"the paintings of {counted(len(keys), 'frame')} {format_frames(keys)}"
        if options.verb == "preview":
            frames = options.frames or shot.frames
            return f"{shot.folder}: would project {paintings} to {counted(len(frames), 'frame')}."
        if options.verb == "sweep":
            return f"{shot.folder}: would search for {options.minutes:g} min by {paintings}."
        state = style_state(shot, options.style)
        return (
            f'{shot.folder}: would train "{options.style}" on {paintings} (now {state.step.value}: '
            f"{state.why})."
        )
    return f"{shot.folder}: would run {options.verb} on {counted(len(shot.frames), 'frame')}."


def _describe_reading(options: argparse.Namespace) -> str:
    if getattr(options, "none", False):
        return f"{options.shot}: would remove the mattes."
    source = Path(options.input)
    if not source.exists():
        raise PaintoverError(f"There is no {source}; check the path.")
    return f"{options.shot}: would read {source}."


def _describe_stylizing(options: argparse.Namespace, shot: Shot) -> str:
    read_style_header(shot.style_path(options.style))
    frames = options.frames or shot.frames
    missing = [frame for frame in frames if frame not in shot.manifest.frames]
    if missing:
        raise PaintoverError(
            f"{shot.folder} has no frame {missing[0]}; it has {format_frames(shot.frames)}."
        )
    light, unpainted = options.light, options.unpainted
    stale = stale_out_frames(shot, options.style, frames, light, unpainted)
    wanted = frames if options.force else stale
    which = counted(len(wanted), "frame") + (f" ({format_frames(wanted)})" if wanted else "")
    return (
        f'{shot.folder}: would paint {which} with "{options.style}"; '
        f"{len(frames) - len(wanted)} up to date."
    )
