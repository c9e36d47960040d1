# SPDX-License-Identifier: GPL-3.0-or-later
"""Guided patch synthesis: fills a part of a picture with pieces of a painting.

For each pixel to fill, a patch of the painting is sought that continues what is around it and whose
guides are those of the pixel. The search is PatchMatch (Barnes et al., SIGGRAPH 2009), from a
coarse picture to the fine one; the patches over a pixel then vote for its colour (Kwatra et al.,
"Texture optimization for example-based synthesis", SIGGRAPH 2005). Guides in the manner of
Hertzmann et al., "Image Analogies", SIGGRAPH 2001, and Fišer et al., "StyLit", SIGGRAPH 2016, from
which also comes that no piece of the painting may be used much more often than others.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from ..images.types import BoolArray, FloatArray
from .patch_kernels import PATCH, REACH, count_uses, improve, measure, vote

RATIO = 0.6
"""Size of a level relative to the next finer one."""
COARSEST = 64
"""Least side of the coarsest level, in pixels."""
MOST_LEVELS = 5
ROUNDS = 4
"""Searches and votes of a level."""
CROWDING = 100.0
"""Cost, in squared codes a patch, of a source pixel that is used twice as often as the mean."""
DECIDED = 3e-3
"""Inverse cost difference at which a patch's vote falls to 1/e."""
SEARCHED = 600_000
"""Most pixels of a level in which matches are sought; on finer levels they are only enlarged."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A painting to take pieces of.

    Attributes:
        paint: (h, w, 3) float32, codes 0..255.
        guide: (h, w, G) float32, codes, weighted.
        mask: (h, w) bool, what may be taken.
    """

    paint: FloatArray
    guide: FloatArray
    mask: BoolArray


def synthesize(
    source: Source,
    guide: FloatArray,
    picture: FloatArray,
    where: BoolArray,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Fill a part of a picture with pieces of a painting.

    Args:
        source: the painting.
        guide: (H, W, G) float32, codes, the picture's guides, weighted as the source's.
        picture: (H, W, 3) float32, codes 0..255; what is not filled is continued.
        where: (H, W) bool, what to fill.
        seed: of the random choices; the same seed gives the same picture.
        check: called now and then; may raise to stop.

    Returns:
        (H, W, 3) float32, 0..255; the picture itself if the source has no whole patch.
    """
    if not where.any() or not _centres(source.mask).any():
        return picture
    smallest = min(*where.shape, *source.mask.shape)
    levels = 1
    while levels < MOST_LEVELS and smallest * RATIO**levels >= COARSEST:
        levels += 1
    filled: _Level | None = None
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for number in reversed(range(levels)):
            scale = RATIO**number
            level = _Level(source, guide, picture, where, scale, pool, seed + 97 * number)
            level.begin(filled)
            searched = level.area <= SEARCHED
            for round_ in range(ROUNDS if searched else 1):
                check()
                level.search(round_, whole=filled is None, sought=searched)
                level.vote()
            filled = level
    assert filled is not None
    return filled.picture


class _Level:
    """One size of the picture in the pyramid."""

    def __init__(
        self,
        source: Source,
        guide: FloatArray,
        picture: FloatArray,
        where: BoolArray,
        scale: float,
        pool: ThreadPoolExecutor,
        seed: int,
    ) -> None:
        self.scale, self._pool, self._seed = scale, pool, seed
        mask = _reduced_mask(source.mask, scale, 0.99)
        self._allowed = _centres(mask)
        if not self._allowed.any():
            self._allowed = _centres(np.ones_like(mask))
        self._paint = _reduced(source.paint, scale)
        self._source_rows, self._source_guide = (
            _rows(self._paint),
            _rows(_reduced(source.guide, scale)),
        )
        self.picture = _reduced(picture, scale).copy()
        self.where = _reduced_mask(where, scale, 0.0)
        self._guide = _rows(_padded(_reduced(guide, scale)))
        padded = np.pad(self.where, REACH)
        self.pixels = np.argwhere(padded).astype(np.int32)
        self.area = len(self.pixels)
        self.numbers = np.full(padded.shape, -1, np.int32)
        self.numbers[padded] = np.arange(self.area, dtype=np.int32)
        self._places = np.argwhere(self._allowed).astype(np.int32)
        self.matches = np.empty((0, 2), np.int32)
        self._costs = np.empty(self.area, np.float32)

    def begin(self, coarser: _Level | None) -> None:
        """Take matches and picture from the coarser level, or begin at random."""
        generator = np.random.default_rng(self._seed)
        chance = self._places[generator.integers(len(self._places), size=self.area)]
        if coarser is None:
            self.matches = np.ascontiguousarray(chance)
            return
        factor = self.scale / coarser.scale
        fine = self.pixels - REACH
        coarse = ((fine + 0.5) / factor).astype(np.int32)
        coarse = np.minimum(coarse, np.array(coarser.where.shape, np.int32) - 1)
        numbers = coarser.numbers[coarse[:, 0] + REACH, coarse[:, 1] + REACH]
        offset = (fine + 0.5) / factor - (coarse + 0.5)
        found = ((coarser.matches[numbers] + 0.5 + offset) * factor).astype(np.int32)
        found = np.clip(found, 0, np.array(self._allowed.shape, np.int32) - 1)
        wrong = (numbers < 0) | ~self._allowed[found[:, 0], found[:, 1]]
        found[wrong] = chance[wrong]
        self.matches = found
        size = self.picture.shape[1::-1]
        enlarged = cv2.resize(coarser.picture, size, interpolation=cv2.INTER_CUBIC)
        self.picture[self.where] = np.clip(enlarged[self.where], 0, 255)

    def search(self, round_: int, *, whole: bool, sought: bool) -> None:
        """Find better matches for the picture as it is.

        Args:
            round_: number of the round.
            whole: whether the first round searches the whole source.
            sought: whether to search at all, or only to measure the costs.
        """
        target = _rows(_padded(self.picture))
        steps = ((8, 4, 2, 1) if round_ == 0 else (4, 1)) if sought else ()
        side = max(self._allowed.shape)
        radius = side if whole and round_ == 0 else side // 4
        pictures = self._source_rows, target, self._source_guide, self._guide
        for number, step in enumerate(steps or (0,)):
            crowding = self._crowding()
            measured = *pictures, crowding, self.pixels, self.matches, self._costs
            self._each(partial(measure, *measured))
            if not step:
                return
            better, costs = np.empty_like(self.matches), np.empty_like(self._costs)
            state = self.numbers, self.pixels, self.matches, self._costs, better, costs
            chance = 1000 * self._seed + 10 * round_ + number
            given = *pictures, crowding, self._allowed, *state, step, radius, chance
            self._each(partial(improve, *given))
            self.matches, self._costs = better, costs

    def vote(self) -> None:
        """Set the pixels to fill to what their patches show."""
        result = np.empty((self.area, 3), np.float32)
        given = self._source_rows, self.numbers, self.pixels, self.matches, self._costs
        self._each(partial(vote, *given, DECIDED, result))
        self.picture[self.where] = result

    def _crowding(self) -> FloatArray:
        uses = np.zeros(self._allowed.shape, np.float32)
        count_uses(self.matches, uses)
        uses /= max(1.0, self.area / len(self._places) * PATCH * PATCH)
        cost = CROWDING * np.maximum(cv2.blur(uses, (PATCH, PATCH)) - 1, 0)
        return np.asarray(cost, np.float32)

    def _each(self, work: Callable[[int, int], None]) -> None:
        """Do a part of the work in each thread."""
        ends = np.linspace(0, self.area, 4 * (os.cpu_count() or 1) + 1).astype(int).tolist()
        for done in [self._pool.submit(work, a, b) for a, b in itertools.pairwise(ends)]:
            done.result()


def _centres(mask: BoolArray) -> BoolArray:
    """Return (h, w), the centres of patches that lie wholly in a mask."""
    square = np.ones((PATCH, PATCH), np.uint8)
    inside = cv2.erode(
        mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=[0]
    )
    return np.asarray(inside > 0)


def _size(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    return max(PATCH, round(shape[1] * scale)), max(PATCH, round(shape[0] * scale))


def _reduced(values: FloatArray, scale: float) -> FloatArray:
    """Return (H, W, C) in a smaller size."""
    if scale == 1:
        return np.asarray(values, np.float32)
    size = _size(values.shape, scale)
    parts = [
        cv2.resize(values[..., first : first + 4], size, interpolation=cv2.INTER_AREA)
        for first in range(0, values.shape[2], 4)
    ]
    return np.dstack(parts).astype(np.float32)


def _reduced_mask(mask: BoolArray, scale: float, least: float) -> BoolArray:
    """Return a mask in a smaller size, True where more than ``least`` of it is."""
    if scale == 1:
        return mask
    share = cv2.resize(
        mask.astype(np.float32), _size(mask.shape, scale), interpolation=cv2.INTER_AREA
    )
    return np.asarray(share > least)


def _padded(values: FloatArray) -> FloatArray:
    return np.pad(values, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")


def _rows(values: FloatArray) -> FloatArray:
    """Return (H, W, C) as contiguous rows (H, W · C)."""
    return np.ascontiguousarray(values.reshape(len(values), -1), np.float32)
