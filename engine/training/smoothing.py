# SPDX-License-Identifier: GPL-3.0-or-later
"""Means of the pixels around each pixel, as products of matrices.

On the CPU a convolution of one channel, or a mean over large windows, takes ten times as long and
more, above all its gradient.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor


def box_mean(values: Tensor, side: int) -> Tensor:
    """Return the mean of the ``side`` × ``side`` pixels around each pixel; beyond the border is 0.

    Args:
        values: (B, C, H, W) float32.
        side: in pixels, odd.
    """
    return _smoothed(values, side // 2, None)


def gaussian_mean(values: Tensor, sigma: float) -> Tensor:
    """Return the mean under a Gaussian around each pixel, cut at 3 σ; beyond the border is 0.

    Args:
        values: (B, C, H, W) float32.
        sigma: standard deviation in pixels.
    """
    return _smoothed(values, math.ceil(3 * sigma), sigma)


def _smoothed(values: Tensor, reach: int, sigma: float | None) -> Tensor:
    down, across = (_matrix(size, reach, sigma, values.device) for size in values.shape[-2:])
    return down @ values @ across


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)
def _matrix(size: int, reach: int, sigma: float | None, device: torch.device) -> Tensor:
    """Return the symmetric matrix (size, size) of a mean over rows or columns.

    Args:
        size: pixels in a row or column.
        reach: pixels that count to each side.
        sigma: standard deviation in pixels; None for even weights.
        device: of the matrix.
    """
    steps = torch.arange(-reach, reach + 1, device=device)
    weights = torch.ones(len(steps), device=device)
    if sigma is not None:
        weights = torch.exp(-(steps**2) / (2 * sigma**2))
    places = torch.arange(size, device=device)
    apart = (places[:, None] - places).abs()
    near = weights[reach:][apart.clamp_max(reach)] * (apart <= reach)
    return near / weights.sum()
