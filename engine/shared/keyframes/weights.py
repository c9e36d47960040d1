# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: how much of each keyframe's paint a frame gets.

The weight of a keyframe is a curve from frame to 0..1: linear between its points, constant before
the first and after the last. A keyframe without a curve has the weight 1 at every frame.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Collection, Iterable, Mapping

from ..errors import PaintoverError
from ..frame_lists import LARGEST_FRAME, name_frames
from ..shot import Shot

Curves = Mapping[int, Mapping[int, float]]
"""Keyframe → frame → weight."""


def weights_at(curves: Curves, frame: int, keys: Collection[int]) -> dict[int, float]:
    """Return the weights below 1 at a frame: keyframe → weight."""
    weights = {key: _at(curves[key], frame) for key in keys if curves.get(key)}
    return {key: weight for key, weight in weights.items() if weight != 1}


def _at(curve: Mapping[int, float], frame: int) -> float:
    frames = sorted(curve)
    after = bisect.bisect_right(frames, frame)
    if after == 0 or after == len(frames):
        return curve[frames[min(after, len(frames) - 1)]]
    first, last = frames[after - 1], frames[after]
    factor = (frame - first) / (last - first)
    return (1 - factor) * curve[first] + factor * curve[last]


def compact(curve: Mapping[int, float]) -> dict[int, float]:
    """Return the same curve without points inside constant stretches.

    A curve that is 1 everywhere becomes empty.
    """
    frames = sorted(curve)
    inner = {
        frame
        for before, frame, after in zip(frames, frames[1:], frames[2:], strict=False)
        if curve[before] == curve[frame] == curve[after]
    }
    points = {frame: curve[frame] for frame in frames if frame not in inner}
    if len(set(points.values())) == 1:
        points = dict(itertools.islice(points.items(), 1))
    return {} if set(points.values()) == {1} else points


def changed(weights: Curves, curves: Curves) -> dict[int, dict[int, float]]:
    """Return ``weights`` with ``curves`` in place of those of the same keyframes, compacted."""
    both = {**weights, **{key: compact(curve) for key, curve in curves.items()}}
    return {key: dict(curve) for key, curve in sorted(both.items()) if curve}


def set_weights(shot: Shot, curves: Curves) -> None:
    """Set the curves of keyframes, and save the shot if they have changed.

    Args:
        shot: its manifest is changed.
        curves: keyframes without an entry keep their curves.

    Raises:
        PaintoverError: a weight is outside 0..1, a frame cannot be, or the shot cannot be written.
    """
    for key, curve in curves.items():
        wrong = [weight for weight in curve.values() if not 0 <= weight <= 1]
        if wrong:
            raise PaintoverError(
                f"Keyframe {key} cannot have the weight {wrong[0]:g}; give one from 0 to 1."
            )
        if beyond := [frame for frame in curve if abs(frame) > LARGEST_FRAME]:
            raise PaintoverError(
                f"Keyframe {key} cannot have a weight at frame {beyond[0]}; the last frame is "
                f"{LARGEST_FRAME}."
            )
    wanted = changed(shot.manifest.weights, curves)
    if wanted != shot.manifest.weights:
        shot.manifest.weights = wanted
        shot.save()


def curves_of(points: Iterable[tuple[int, int | None, float]]) -> dict[int, dict[int, float]]:
    """Return the curves through points.

    Args:
        points: (keyframe, frame, weight); the frame None means every frame.

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
    """Raise PaintoverError if a frame of ``keys`` is not a keyframe of the shot."""
    unknown = set(keys) - set(shot.key_frames())
    if unknown:
        existing = name_frames(shot.key_frames())
        raise PaintoverError(
            f"Frame {name_frames(unknown)} is no keyframe of {shot.folder}; "
            + (f"it has {existing}." if existing else "paint one first.")
        )


def describe(shot: Shot) -> str:
    """Return the weights as text, one line per keyframe."""
    lines = []
    for key in shot.key_frames():
        points = sorted(shot.manifest.weights.get(key, {}).items())
        if len(points) > 1:
            text = ", ".join(f"{weight:g} at frame {frame}" for frame, weight in points)
        else:
            text = f"{points[0][1] if points else 1:g}"
        lines.append(f"keyframe {key}: {text}")
    return "\n".join(lines) or "There is no keyframe yet."
