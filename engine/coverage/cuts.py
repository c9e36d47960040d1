# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the cuts of a shot: where the camera is suddenly another one, or elsewhere.

A cut is known where the names of the cameras say so. Elsewhere a cut is where the motion leads on
before and after, but not here, and the picture does not change back at once as in a flash.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from ..images.types import FloatArray
from ..motion.optical_flow import NeighbourMotion, occluded, warp
from ..motion.tracking import CUT
from ..shared.shot import Shot

SIZE = (32, 18)
"""Width and height of the small pictures that are compared."""
FLASH = 0.5
"""Share of the difference that stays one frame later, unless it was a flash."""
AGREE = 0.12
"""Mean difference (0..1 a channel) up to which two pixels show the same point."""


def small_picture(image: FloatArray) -> FloatArray:
    """Return a picture (H, W, 3) reduced to ``SIZE`` for ``find_cuts``."""
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.float32)


def find_cuts(
    shot: Shot,
    small: Mapping[int, FloatArray],
    leading: Mapping[int, bool],
    check: Callable[[int, int], bool],
) -> list[int]:
    """Return the first frame after each cut, sorted.

    Args:
        shot: the shot, whose manifest names the cameras.
        small: frame → ``small_picture``, in order.
        leading: frame → whether motion that was estimated leads on from the frame before to it.
        check: returns for two neighbouring frames whether the best motion that the shot has leads
            on; asked where a cut is likely.
    """
    frames = shot.frames
    found = []
    for number, (before, after) in enumerate(itertools.pairwise(frames), 1):
        if other_camera(shot, before, after):
            found.append(after)
            continue
        around = [frames[n] for n in (number - 1, number + 1) if n < len(frames)]
        alone = not leading.get(after, True) and all(leading.get(one, True) for one in around)
        if alone and not _is_flash(small, frames, number) and not check(before, after):
            found.append(after)
    return found


def other_camera(shot: Shot, before: int, after: int) -> bool:
    """Return whether the names of the cameras of two frames say that the shot is cut."""
    cameras = [shot.manifest.frames[frame].camera for frame in (before, after)]
    names = [camera.name for camera in cameras if camera is not None]
    return len(names) == 2 and all(names) and names[0] != names[1]


def leads_on(motion: NeighbourMotion, before: FloatArray, after: FloatArray) -> bool:
    """Return whether motion connects two pictures: whether enough pixels are found again.

    Args:
        motion: from the earlier picture to the later one.
        before, after: the pictures (H, W, 3), 0..1.
    """
    shown = ~occluded(motion.forward, motion.backward)
    found, _ = warp(after, motion.forward)
    same = np.abs(found - before).mean(axis=2) <= AGREE
    return bool((shown & (same | motion.exact)).mean() >= CUT)


def _is_flash(small: Mapping[int, FloatArray], frames: list[int], number: int) -> bool:
    """Return whether the picture is as before one frame later, or comes from such a frame."""
    here = _difference(small[frames[number - 1]], small[frames[number]])
    pairs = [(number - 1, number + 1), (number - 2, number)]
    there = [(frames[a], frames[b]) for a, b in pairs if a >= 0 and b < len(frames)]
    return any(
        _difference(small[a], small[b]) < FLASH * here
        for a, b in there
        if a in small and b in small
    )


def _difference(first: FloatArray, second: FloatArray) -> float:
    return float(np.abs(first - second).mean())
