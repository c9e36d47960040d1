# SPDX-License-Identifier: GPL-3.0-or-later
"""The strokes metric: whether a picture is drawn as a painting is, wherever the marks lie.

It is the sliced Wasserstein distance between the small patches of two pictures. Both need not show
the same thing in the same place, so a frame can be compared with the painting of another frame.
Blurred pictures lack the strong patches, embossed ones have patches that the painter never made.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ..images.types import BoolArray, FloatArray

PATCH = 7
"""Pixels of a patch across and down."""
SIGMA = 3.0
"""Standard deviation, in pixels, of the Gaussian that is subtracted: tones that are no strokes."""
DIRECTIONS = 64
QUANTILES = 201
LEAST = QUANTILES
"""With fewer patches the quantiles are a matter of chance."""
AT_ONCE = 8
"""Directions computed at once, to bound memory."""

_LAB_CODES = np.array([255 / 100, 1, 1], np.float32)
"""From OpenCV's L 0..100, a and b to 8-bit codes."""
_SEED = 7


def stroke_quantiles(
    picture: FloatArray, mask: BoolArray, where: BoolArray | None = None
) -> FloatArray | None:
    """Return what ``distance`` compares: the patches of a picture along fixed directions.

    A patch counts if it lies wholly in the mask. What is outside the mask has no influence.

    Args:
        picture: (H, W, 3) float32, 0..1, display-referred.
        mask: (H, W) bool, the subject.
        where: (H, W) bool, the centres of the patches to take; None: all.

    Returns:
        (64, 201) float32, a row of quantiles per direction, in 8-bit codes; None if fewer than
        ``LEAST`` patches count.
    """
    centres = _inside(mask)
    if where is not None:
        centres &= where
    count = int(centres.sum())
    if count < LEAST:
        return None
    part = _window(centres)
    details = torch.from_numpy(_details(picture[part], mask[part]).transpose(2, 0, 1)[None])
    counted = np.flatnonzero(centres[part][PATCH // 2 : -(PATCH // 2), PATCH // 2 : -(PATCH // 2)])
    places, shares = np.arange(count), np.linspace(0, count - 1, QUANTILES)
    found = []
    for directions in np.split(_directions(), DIRECTIONS // AT_ONCE):
        along = (
            torch.nn.functional.conv2d(details, torch.from_numpy(directions))[0].flatten(1).numpy()
        )
        found += [np.interp(shares, places, row) for row in np.sort(along[:, counted], axis=1)]
    return np.stack(found).astype(np.float32)


def distance(first: FloatArray, second: FloatArray) -> float:
    """Return the sliced Wasserstein distance, in 8-bit codes, of two ``stroke_quantiles``.

    0 for equal pictures. As a scale, on a hand-painted frame of 960×540: its left half and its
    right half are 0.8 apart; blurred by a standard deviation of 1 pixel it is 1.5 from itself, by 2
    pixels 2.5.
    """
    return float(np.abs(first - second).mean(dtype=np.float64))


def strokes(
    result: FloatArray, painting: FloatArray, mask: BoolArray, painted: BoolArray | None = None
) -> float | None:
    """Return how far the strokes of a picture are from those of a painting, in 8-bit codes.

    Args:
        result: (H, W, 3) float32, 0..1, display-referred.
        painting: likewise, perhaps of another size and of another frame.
        mask: (H, W) bool, the subject in the result.
        painted: the subject in the painting; None: as in the result.

    Returns:
        The distance, 0 for equal pictures; None if one of them has too few patches.
    """
    first = stroke_quantiles(result, mask)
    second = stroke_quantiles(painting, mask if painted is None else painted)
    return None if first is None or second is None else distance(first, second)


def _inside(mask: BoolArray) -> BoolArray:
    """Return the centres of the patches that lie wholly in a mask and in the picture."""
    square = np.ones((PATCH, PATCH), np.uint8)
    codes = mask.astype(np.uint8)
    eroded = cv2.erode(codes, square, borderType=cv2.BORDER_CONSTANT, borderValue=[0])
    return np.asarray(eroded, bool)


def _window(centres: BoolArray) -> tuple[slice, slice]:
    """Return rows and columns of all that the patches around some centres depend on."""
    reach = PATCH // 2 + math.ceil(4 * SIGMA)  # OpenCV's Gaussian ends there
    return (
        _span(np.flatnonzero(centres.any(axis=1)), reach),
        _span(np.flatnonzero(centres.any(axis=0)), reach),
    )


def _span(numbers: npt.NDArray[np.int_], reach: int) -> slice:
    return slice(max(int(numbers[0]) - reach, 0), int(numbers[-1]) + 1 + reach)


def _details(picture: FloatArray, mask: BoolArray) -> FloatArray:
    """Return (H, W, 3) L, a and b in codes, minus the mean of the mask's pixels around."""
    lab = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB) * _LAB_CODES
    inside = mask.astype(np.float32)
    cover = np.maximum(cv2.GaussianBlur(inside, (0, 0), SIGMA), np.float32(1e-6))
    smooth = cv2.GaussianBlur(lab * inside[..., None], (0, 0), SIGMA) / cover[..., None]
    high: FloatArray = lab - smooth
    return high


def _directions() -> FloatArray:
    """Return (64, 3, 7, 7) float32, unit vectors in the space of patches, always the same."""
    random = np.random.default_rng(_SEED).standard_normal((DIRECTIONS, 3, PATCH, PATCH))
    lengths = np.sqrt(np.square(random).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(random / lengths, np.float32)
