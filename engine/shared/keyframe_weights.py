# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights: how much each keyframe's paint is used at each frame. Standard library only.

The weight of a keyframe is a curve, frame → 0..1: straight between the frames that it names, and
level before the first and after the last. A keyframe without a curve counts fully everywhere.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Collection, Iterable, Mapping

from .errors import PaintoverError
from .frame_lists import name_frames
from .shot import Shot

Curves = Mapping[int, Mapping[int, float]]
"""Keyframe → frame → weight."""


def weights_at(curves: Curves, frame: int, keys: Collection[int]) -> dict[int, float]:
    """Return those of some keyframes that count less than fully at a frame, with their weights."""
    found = {key: _at(curves[key], frame) for key in keys if curves.get(key)}
    return {key: weight for key, weight in found.items() if weight != 1}


def _at(curve: Mapping[int, float], frame: int) -> float:
    frames = sorted(curve)
    after = bisect.bisect_right(frames, frame)
    if after == 0 or after == len(frames):
        return curve[frames[min(after, len(frames) - 1)]]
    first, last = frames[after - 1], frames[after]
    share = (frame - first) / (last - first)
    return (1 - share) * curve[first] + share * curve[last]


def compact(curve: Mapping[int, float]) -> dict[int, float]:
    """Return the same curve without the frames in the middle of level stretches.

    A curve that is 1 everywhere becomes empty.
    """
    frames = sorted(curve)
    inner = {
        frame
        for before, frame, after in zip(frames, frames[1:], frames[2:], strict=False)
        if curve[before] == curve[frame] == curve[after]
    }
    kept = {frame: curve[frame] for frame in frames if frame not in inner}
    if len(set(kept.values())) == 1:
        kept = dict(itertools.islice(kept.items(), 1))
    return {} if set(kept.values()) == {1} else kept


def changed(weights: Curves, curves: Curves) -> dict[int, dict[int, float]]:
    """Return weights with new curves for some keyframes, in the least room."""
    both = {**weights, **{key: compact(curve) for key, curve in curves.items()}}
    return {key: dict(curve) for key, curve in sorted(both.items()) if curve}


def set_weights(shot: Shot, curves: Curves) -> None:
    """Give keyframes new curves, and save the shot if that changes anything.

    Args:
        curves: keyframes that it does not name keep what they have.

    Raises:
        PaintoverError: a weight is not within 0..1, or the shot cannot be written.
    """
    for key, curve in curves.items():
        wrong = [weight for weight in curve.values() if not 0 <= weight <= 1]
        if wrong:
            raise PaintoverError(
                f"Keyframe {key} cannot have the weight {wrong[0]:g}; give one from 0 to 1."
            )
    wanted = changed(shot.manifest.weights, curves)
    if wanted != shot.manifest.weights:
        shot.manifest.weights = wanted
        shot.save()


def curves_of(points: Iterable[tuple[int, int | None, float]]) -> dict[int, dict[int, float]]:
    """Gather curves from points.

    Args:
        points: keyframe, frame (None: at every frame) and weight.

    Raises:
        PaintoverError: a keyframe has two weights at one frame.
    """
    gathered: dict[int, dict[int | None, float]] = {}
    for key, frame, weight in points:
        curve = gathered.setdefault(key, {})
        if frame in curve or (curve and None in (frame, *curve)):
            where = "" if frame is None or None in curve else f" at frame {frame}"
            raise PaintoverError(f"Keyframe {key} is given two weights{where}; give one.")
        curve[frame] = weight
    return {
        key: {key if frame is None else frame: weight for frame, weight in curve.items()}
        for key, curve in gathered.items()
    }


def check_keys(shot: Shot, keys: Collection[int]) -> None:
    """Raise PaintoverError if some are no keyframes of the shot."""
    unknown = set(keys) - set(shot.key_frames())
    if unknown:
        there = name_frames(shot.key_frames())
        raise PaintoverError(
            f"Frame {name_frames(unknown)} is no keyframe of {shot.folder}; "
            + (f"it has {there}." if there else "paint one first.")
        )


def describe(shot: Shot) -> str:
    """Return a line a keyframe on its weights, for people."""
    lines = []
    for key in shot.key_frames():
        points = sorted(shot.manifest.weights.get(key, {}).items())
        if len(points) > 1:
            text = ", ".join(f"{weight:g} at frame {frame}" for frame, weight in points)
        else:
            text = f"{points[0][1] if points else 1:g}"
        lines.append(f"keyframe {key}: {text}")
    return "\n".join(lines) or "There is no keyframe yet."
