# SPDX-License-Identifier: GPL-3.0-or-later
"""How alike one painter paints the same thing twice: the most that PSNR and SSIM can reach.

Two paintings of a set show the same thing where the pictures that they were painted over agree,
once one is moved onto the other by estimated motion.
"""

from __future__ import annotations

import dataclasses
import math
from itertools import combinations
from pathlib import Path

import numpy as np

from engine.evaluation.results import mask_guides, mask_of, read_in_size
from engine.evaluation.scores import psnr, ssim
from engine.frames.frame import read_frame
from engine.images.picture_folders import numbered_pictures
from engine.motion.optical_flow import estimate_flow, occluded, warp
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

ALIKE = 4 / 255
"""Pixels show the same thing where no channel of the pictures differs by more, 0..1."""
LEAST = 2000
"""Pairs of paintings with fewer such pixels say nothing."""


@dataclasses.dataclass(frozen=True)
class Ceiling:
    """The painter's own repeatability, as means over pairs of paintings (PSNR: of the errors).

    Attributes:
        psnr, ssim: of one painting moved onto the other, where both show the same thing.
        psnr_of_pictures: of the pictures there, which says what moving costs.
        pairs: number of pairs.
        share: mean share, 0..1, of the subject that such pixels are.
    """

    psnr: float
    ssim: float
    psnr_of_pictures: float
    pairs: int
    share: float


def painters_ceiling(shot: Shot, paintings: Path) -> Ceiling | None:
    """Compare the paintings of a shot with each other.

    Args:
        shot: the shot, with the pictures that were painted.
        paintings: folder of all paintings, with frame numbers in their names.

    Returns:
        None if no two paintings show enough of the same thing.

    Raises:
        PaintoverError: a picture is damaged or of another size.
    """
    files = numbered_pictures(paintings, Silent()).files
    numbers = [number for number in files if number in shot.frames]
    pictures = {number: read_frame(shot, number, mask_guides(shot)) for number in numbers}
    painted = {number: read_in_size(shot, files[number]) for number in numbers}
    rows = []
    for first, second in combinations(numbers, 2):
        before, now = pictures[first].image, pictures[second].image
        offsets = estimate_flow(now, before)
        moved, inside = warp(before, offsets)
        subject = mask_of(pictures[second])
        same = inside & subject & ~occluded(offsets, estimate_flow(before, now))
        same &= np.abs(moved - now).max(axis=2) <= ALIKE
        if int(same.sum()) < LEAST:
            continue
        again = np.where(same[..., None], warp(painted[first], offsets)[0], painted[second])
        there = painted[second]
        rows.append(
            (
                _error(psnr(again, there, same)),
                ssim(again, there, same),
                _error(psnr(moved, now, same)),
                float(same.sum() / subject.sum()),
            )
        )
    if not rows:
        return None
    error, alike, moving, share = (float(mean) for mean in np.mean(rows, axis=0))
    return Ceiling(_decibels(error), alike, _decibels(moving), len(rows), share)


def _error(decibels: float) -> float:
    return float(10 ** (-decibels / 10))


def _decibels(error: float) -> float:
    return -10 * math.log10(error) if error > 0 else math.inf
