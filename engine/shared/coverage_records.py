# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a shot its paintings show, and which frame to paint next, as kept in its folder.

``engine/coverage`` finds it; Blender's panel reads it here.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from . import flicker_records
from .checked import Digest, Frame, Length, OneOf, Range, from_data
from .files import digest_json, read_by_state, write_bytes
from .frame_lists import name_frames
from .pictures.digests import digest_picture
from .reading import read_json
from .shot import Shot

VERSION = 2
"""Raised whenever the same shot would give another coverage, so that caches are not reused."""
SURFACE, MOTION = "surface", "motion"
"""Whether coverage was found by the surface pass or along the motion."""
LITTLE = 0.01
"""A frame that would add less is not worth a sentence."""
_Share = Annotated[float, Range(0, 1)]


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """A frame to paint."""

    frame: Frame
    gain: _Share
    """What it adds to the paintings and to the suggestions before, as a share of the shot."""
    is_keyframe: bool = False
    """Whether it is a keyframe already that is not painted yet."""


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Which share of what a shot shows the paintings have seen.

    A frame counts as much as it shows: the pixels that are to be painted and whose surface or
    motion is known.
    """

    covered: _Share
    """Of all frames together."""
    frames: Annotated[dict[Frame, _Share], Length(1, 1_000_000)]
    """Frame → share; of a long shot some frames, evenly spread."""
    keys: list[Frame]
    """The paintings that count."""
    suggestions: list[Suggestion]
    """The best first: keyframes that are not painted yet, then further frames."""
    cuts: list[Frame]
    """The first frame after each cut of the camera."""
    way: Annotated[str, OneOf((SURFACE, MOTION))]
    made_from: Digest = ""
    """``coverage_digest`` of what it was found from."""

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**dataclasses.asdict(self), "frames": {str(f): s for f, s in self.frames.items()}}

    @property
    def next(self) -> Suggestion | None:
        """The frame to paint next, None if no frame would add much."""
        worth = [one for one in self.suggestions if one.is_keyframe or one.gain >= LITTLE]
        return worth[0] if worth else None

    def sentence(self) -> str:
        """Return the coverage and the next frame in one sentence for people."""
        best = self.next
        shown = f"Your paintings show {percent(self.covered)} of what the shot shows"
        if best is None:
            return f"{shown}; no other frame would add more than {percent(LITTLE)}."
        if best.is_keyframe:
            return f"{shown}; keyframe {best.frame} will add {percent(best.gain)} when painted."
        if not self.keys:
            return f"Nothing is painted yet; frame {best.frame} shows most, {percent(best.gain)}."
        return f"{shown}; frame {best.frame} would add {percent(best.gain)}."


def percent(share: float) -> str:
    """Return a share as text: ``83 %``; 100 % only where all is meant."""
    rounded = round(100 * share)
    if rounded == 100 and share < 1:
        rounded = 99
    return "less than 1 %" if rounded == 0 and share > 0 else f"{rounded} %"


def describe_cuts(cuts: Iterable[int]) -> str:
    """Return a sentence on the cuts of the camera, "" if there is none."""
    cuts = list(cuts)
    if not cuts:
        return ""
    where = f"frame {cuts[0]}" if len(cuts) == 1 else f"frames {name_frames(cuts)}"
    return f"The camera cuts at {where}."


def describe(coverage: Coverage, unsteady: Iterable[int] = ()) -> str:
    """Return a coverage as lines for people.

    Args:
        coverage: the coverage.
        unsteady: stylized frames that flicker more than the others.
    """
    lines = [coverage.sentence()]
    reached = coverage.covered
    for one in coverage.suggestions:
        reached = min(reached + one.gain, 1.0)
        what = "  (a keyframe that is not painted yet)" if one.is_keyframe else ""
        lines.append(
            f"  frame {one.frame:>5}  adds {percent(one.gain):>4}  up to {percent(reached)}{what}"
        )
    worst = min(coverage.frames, key=coverage.frames.__getitem__)
    if coverage.covered and coverage.frames[worst] < 1 - LITTLE:
        lines.append(f"Least is seen in frame {worst}: {percent(coverage.frames[worst])}.")
    unsteady = list(unsteady)
    lines += [flicker_records.describe(unsteady)] if unsteady else []
    lines += filter(None, [describe_cuts(coverage.cuts)])
    return "\n".join(lines)


def report(coverage: Coverage, flickers: Mapping[int, flicker_records.Flicker]) -> dict[str, Any]:
    """Return a coverage as commands print it for programs.

    Args:
        coverage: the coverage.
        flickers: how much stylized frames flicker.
    """
    return {
        **coverage.as_data(),
        "sentence": coverage.sentence(),
        "flicker": {str(frame): round(one.excess, 3) for frame, one in flickers.items()},
        "unsteady": flicker_records.unsteady_frames(flickers),
    }


def coverage_digest(shot: Shot) -> str:
    """Return the digest of what coverage depends on: frames, mattes, keyframes and weights."""
    manifest = shot.manifest
    painted = shot.painted_keys()
    parts: list[Any] = [VERSION, manifest.width, manifest.height, sorted(manifest.passes)]
    parts += [frames_digest(shot), {key: shot.key_digest(key) for key in painted}]
    parts += [
        shot.key_frames(),
        sorted((k, sorted(v.items())) for k, v in manifest.weights.items()),
    ]
    return digest_json(parts)


def frames_digest(shot: Shot) -> str:
    """Return the digest of the frames and mattes of a shot, and of their cameras' names."""
    records = sorted(shot.manifest.frames.items())
    parts: list[Any] = [
        [frame, one.image, one.passes, one.camera.name if one.camera else ""]
        for frame, one in records
    ]
    if shot.manifest.matte:
        parts += [shot.manifest.matte, *(digest_picture(shot.matte_path(f)) for f, _ in records)]
    return digest_json(parts)


def read_coverage(shot: Shot) -> Coverage | None:
    """Return the coverage that is kept in the shot folder, perhaps out of date; None: none is.

    It is up to date if its ``made_from`` is ``coverage_digest(shot)``.
    """
    return _read(_path(shot))


def write_coverage(shot: Shot, coverage: Coverage) -> None:
    """Keep a coverage in the shot folder. Raises PaintoverError if it cannot be written."""
    write_bytes(_path(shot), json.dumps(coverage.as_data()).encode())


def _path(shot: Shot) -> Path:
    return shot.cache_folder("coverage") / "coverage.json"


def _parse(path: Path) -> Coverage | None:
    try:
        return from_data(Coverage, read_json(path))
    except (OSError, ValueError):
        return None


_read = read_by_state(_parse, None)
