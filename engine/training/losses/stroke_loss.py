# SPDX-License-Identifier: GPL-3.0-or-later
"""The stroke loss: where nothing was painted, the network's marks are distributed as the artist's.

A loss of colours alone rewards the average of all marks that the artist might make, which is a
blur. This one compares distributions: the sliced Wasserstein distance (Heitz et al., "A Sliced
Wasserstein Loss for Neural Texture Synthesis", CVPR 2021) between small patches of the pictures
without their tones. Patches are compared with those of the paintings that lie on a similar tone,
since an artist hatches the shade and leaves the light.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..smoothing import gaussian_mean

PATCH = 7
"""Pixels of a patch across and down."""
SIGMA = 3.0
"""Standard deviation, in pixels, of the Gaussian around a pixel that is its tone."""
SCALES = 2
"""Scales at which patches are compared, each half the size of the one before."""
DIRECTIONS = 48
"""Directions of each scale …"""
AT_ONCE = 16
"""… of which so many are used in a step."""
STRIDE = 2
"""Pixels from a patch to the next; neighbours are much alike."""
QUANTILES = 128
TONES = 12
"""Tones that are told apart, at most."""
LEAST = 128
"""With fewer patches of a tone the quantiles are a matter of chance."""
SAMPLES = 20_000
"""Pixels from which the tones are chosen."""
GRID_PERIOD = 4
"""Period in pixels of the pattern that the network's enlarging layers may leave …"""
GRID_BLOCK = 32
"""… looked for in blocks of this side, in pixels …"""
GRID_WEIGHT = 0.1
"""… and its weight."""


class _Scale(NamedTuple):
    """What is compared at a scale.

    Attributes:
        directions: (D, 3, 7, 7), unit vectors.
        quantiles: (T, D, Q), of the paintings' patches along them, of the known tones.
        is_known: of each tone, whether the paintings have enough patches of it.
    """

    directions: Tensor
    quantiles: Tensor
    is_known: list[bool]


class StrokeLoss:
    """Compares the marks of pictures with those of paintings, tone by tone.

    Args:
        paintings: windows (3, H, W) float32, −1..1, of paintings.
        masks: (1, H, W) float32, 1 where they count, else 0.
        device: where to compute.
        seed: of the tones and directions.
    """

    def __init__(
        self, paintings: Sequence[Tensor], masks: Sequence[Tensor], device: torch.device, seed: int
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        pictures = [_opponent(painting[None].to(device)) for painting in paintings]
        covers = [mask[None].to(device) for mask in masks]
        self._tones = self._choose_tones(pictures, covers, seed)
        self._scales = []
        for _ in range(SCALES):
            random = torch.randn(DIRECTIONS, 3 * PATCH * PATCH, generator=generator)
            directions = functional.normalize(random, dim=1).view(-1, 3, PATCH, PATCH).to(device)
            quantiles = self._quantiles(pictures, covers, directions)
            is_known = (~quantiles.isnan().any(dim=2).any(dim=1)).tolist()
            self._scales.append(_Scale(directions, quantiles, is_known))
            pictures = [functional.avg_pool2d(picture, 2) for picture in pictures]
            covers = [_halved_mask(cover) for cover in covers]

    def loss(
        self, result: Tensor, mask: Tensor, where: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the distance (scalar), 0 for marks that are distributed as the paintings'.

        A regular grid, which a distribution of patches does not tell from strokes, is added to it.

        Args:
            result: (B, 3, H, W), −1..1; H and W are at least 32.
            mask: (B, 1, H, W), 1 in the subject, else 0; patches lie wholly inside.
            where: (B, 1, H, W), 1 at the centres of the patches that count, else 0.
            generator: on the CPU; chooses the directions and the first patch.
        """
        picture, cover = _opponent(result), mask
        total = GRID_WEIGHT * grid_loss(picture - _tones_of(picture, cover), cover)
        top, left = torch.randint(STRIDE, (2,), generator=generator).tolist()
        picture, cover, where = (array[..., top:, left:] for array in (picture, cover, where))
        for scale in self._scales:
            chosen = torch.randperm(DIRECTIONS, generator=generator)[:AT_ONCE]
            chosen = chosen.to(result.device)
            along, tones = self._patches(picture, cover, scale.directions[chosen], where)
            total = total + _distance(along, tones, scale, chosen)
            picture, cover = functional.avg_pool2d(picture, 2), _halved_mask(cover)
            where = functional.max_pool2d(where, 2)
        return total

    def _choose_tones(
        self, pictures: Sequence[Tensor], covers: Sequence[Tensor], seed: int
    ) -> Tensor:
        """Return (T, 3) tones, spread over what was painted."""
        found = [
            _tones_of(picture, cover)[0].flatten(1).T[cover.flatten() > 0.5]
            for picture, cover in zip(pictures, covers, strict=True)
        ]
        values = torch.cat(found).cpu().numpy().astype(np.float32)
        places = np.random.default_rng(seed).permutation(len(values))[:SAMPLES]
        cv2.setRNGSeed(seed & 0x7FFFFFFF)
        criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 1e-3)
        labels = np.empty((0, 1), np.int32)
        _, _, centres = cv2.kmeans(
            values[places],
            min(TONES, len(places)),
            labels,
            criteria,
            1,
            cv2.KMEANS_PP_CENTERS,
        )
        return torch.from_numpy(np.asarray(centres, np.float32)).to(pictures[0].device)

    def _patches(
        self, picture: Tensor, cover: Tensor, directions: Tensor, where: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return patches along directions (D, N), and the number (N,) of each one's tone."""
        smooth = _tones_of(picture, cover)
        along = functional.conv2d((picture - smooth) * cover, directions, stride=STRIDE)
        counted = -functional.max_pool2d(-cover, PATCH, STRIDE)[:, 0] > 0.5
        edge = PATCH // 2
        middles = np.s_[..., edge:-edge:STRIDE, edge:-edge:STRIDE]
        if where is not None:
            counted = counted & (where[middles][:, 0] > 0.5)
        with torch.no_grad():
            middle = smooth[middles].permute(0, 2, 3, 1)[counted]
            tones = torch.cdist(middle.float(), self._tones).argmin(1)
        return along.permute(1, 0, 2, 3)[:, counted], tones

    @torch.no_grad()
    def _quantiles(
        self, pictures: Sequence[Tensor], covers: Sequence[Tensor], directions: Tensor
    ) -> Tensor:
        """Return (T, D, Q) quantiles of the paintings' patches; NaN for too few."""
        result = torch.full(
            (len(self._tones), len(directions), QUANTILES), math.nan, device=directions.device
        )
        shares = torch.linspace(0, 1, QUANTILES, device=directions.device)
        for start in range(0, len(directions), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            found = [
                self._patches(picture, cover, directions[part])
                for picture, cover in zip(pictures, covers, strict=True)
            ]
            along = torch.cat([values for values, _ in found], 1)
            tones = torch.cat([numbers for _, numbers in found])
            for tone in range(len(self._tones)):
                own = along[:, tones == tone]
                if own.shape[1] >= LEAST:
                    result[tone, part] = _at(own.sort(dim=1).values, shares)
        return result


def grid_loss(details: Tensor, mask: Tensor) -> Tensor:
    """Return how strong a grid of ``GRID_PERIOD`` pixels is in pictures (scalar), about 0 for none.

    It is the mean |difference| between the mean of every fourth pixel across and down of a block
    and the block's mean.

    Args:
        details: (B, 3, H, W), pictures without their tones; H and W are at least ``GRID_BLOCK``.
        mask: (B, 1, H, W), 1 where they count, else 0; blocks lie wholly inside.
    """
    batch, channels = details.shape[:2]
    rows, columns = (size // GRID_BLOCK for size in details.shape[-2:])
    steps = GRID_BLOCK // GRID_PERIOD
    cut = np.s_[..., : rows * GRID_BLOCK, : columns * GRID_BLOCK]
    split = (batch, channels, rows, steps, GRID_PERIOD, columns, steps, GRID_PERIOD)
    phases = details[cut].reshape(split).mean(dim=(3, 6))
    difference = (phases - phases.mean(dim=(3, 5), keepdim=True)).abs().mean(dim=(1, 3, 5))
    whole = -functional.max_pool2d(-mask[cut], GRID_BLOCK)[:, 0]
    return (difference * whole).sum() / whole.sum().clamp_min(1)


def _distance(along: Tensor, tones: Tensor, scale: _Scale, chosen: Tensor) -> Tensor:
    """Return the mean distance (scalar) of the patches of all tones, weighted by their number."""
    numbers = torch.bincount(tones, minlength=len(scale.quantiles)).tolist()
    by_tone = torch.split(along[:, tones.argsort()], numbers, dim=1)
    total = torch.zeros((), device=along.device)
    count = 0
    for tone, (own, number) in enumerate(zip(by_tone, numbers, strict=True)):
        if number < LEAST or not scale.is_known[tone]:
            continue
        shares = torch.linspace(0.5 / number, 1 - 0.5 / number, number, device=along.device)
        painted = _at(scale.quantiles[tone, chosen], shares)
        total = total + number * (own.sort(dim=1).values - painted).abs().mean()
        count += number
    return total / max(count, 1)


def _at(rows: Tensor, shares: Tensor) -> Tensor:
    """Interpolate sorted rows (D, N) at shares (M,) of their length, 0..1. Returns (D, M)."""
    places = shares * (rows.shape[1] - 1)
    below = places.floor().long().clamp(0, rows.shape[1] - 1)
    above = (below + 1).clamp_max(rows.shape[1] - 1)
    return torch.lerp(rows[:, below], rows[:, above], places - below)


def _halved_mask(mask: Tensor) -> Tensor:
    """Halve a mask (B, 1, H, W); only 2×2 blocks that count wholly go on counting."""
    return -functional.max_pool2d(-mask, 2)


def _opponent(picture: Tensor) -> Tensor:
    """Return brightness and two colour differences, about evenly visible, of RGB (B, 3, H, W)."""
    red, green, blue = picture.unbind(1)
    bright = 0.3 * red + 0.59 * green + 0.11 * blue
    return torch.stack([bright, 0.5 * (red - green), 0.25 * (red + green) - 0.5 * blue], 1)


def _tones_of(picture: Tensor, cover: Tensor) -> Tensor:
    """Return the tones: the mean (B, 3, H, W) of the pixels around that count."""
    smooth = gaussian_mean(torch.cat([picture * cover, cover], 1), SIGMA)
    return smooth[:, :3] / smooth[:, 3:].clamp_min(1e-4)
