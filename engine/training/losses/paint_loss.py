# SPDX-License-Identifier: GPL-3.0-or-later
"""The losses on colours and alpha, and the held-out loss that also rates texture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..smoothing import box_mean

SCALES = 3
"""Scales of the gradient loss, each half the size of the one before."""


def training_loss(result: Tensor, truth: Tensor, weight: Tensor, gradients: float) -> Tensor:
    """Return the loss (scalar) of the colours, plus that of the alpha offset if it is learnt.

    Args:
        result, truth: (B, 3 or 4, H, W), −1..1: colours, and the alpha offset.
        weight: (B, 1 or 2, H, W), 0..1, of the colours and of the alpha offset.
        gradients: weight of the gradient loss.
    """
    loss = paint_loss(result[:, :3], truth[:, :3], weight[:, :1], gradients)
    if truth.shape[1] > 3:
        loss = loss + paint_loss(result[:, 3:], truth[:, 3:], weight[:, 1:], gradients)
    return loss


def paint_loss(result: Tensor, truth: Tensor, weight: Tensor, gradients: float) -> Tensor:
    """Return 4 × the weighted mean |difference| plus the gradient loss (scalar).

    Args:
        result, truth: (B, C, H, W), −1..1.
        weight: (B, 1, H, W), 0..1; pixels of weight 0 have no influence.
        gradients: weight of the gradient loss.
    """
    loss = 4 * _mean((result - truth).abs().mean(1, keepdim=True), weight)
    if gradients:
        loss = loss + gradients * gradient_loss(result, truth, weight)
    return loss


def gradient_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean |difference| of image gradients, summed over ``SCALES`` scales.

    Gradients are horizontal and vertical differences of neighbours, weighted by the product of
    both pixels' weights. Pictures are halved by weighted averaging. Arguments as for
    ``paint_loss``.
    """
    total = torch.zeros((), device=result.device)
    error = result - truth
    for scale in range(SCALES):
        if scale:
            error = functional.avg_pool2d(error * weight, 2)
            share = functional.avg_pool2d(weight, 2)
            error, weight = error / share.clamp_min(1e-6), share
        for axis in (-1, -2):
            length = error.shape[axis] - 1
            if length < 1:
                continue
            step = error.narrow(axis, 1, length) - error.narrow(axis, 0, length)
            both = weight.narrow(axis, 1, length) * weight.narrow(axis, 0, length)
            total = total + _mean(step.abs().mean(1, keepdim=True), both)
    return total


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1)


def held_out_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean |difference| plus the texture loss (scalar).

    The texture loss is high for a blurred result, even where blur gives the lowest colour error.
    Arguments as for ``paint_loss``.
    """
    error = (result - truth).abs().mean(1, keepdim=True)
    return _mean(error, weight) + texture_loss(result, truth, weight)


def texture_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean |difference| of the local texture strength (scalar).

    The texture strength of a pixel is the mean |gradient| over 9×9 pixels. It does not depend on
    the exact place of the strokes. Arguments as for ``paint_loss``.
    """
    strengths = []
    for picture in (result, truth):
        across = functional.pad((picture[..., 1:] - picture[..., :-1]).abs(), (0, 1, 0, 0))
        down = functional.pad((picture[..., 1:, :] - picture[..., :-1, :]).abs(), (0, 0, 0, 1))
        strengths.append(box_mean((across + down).mean(1, keepdim=True), 9))
    return _mean((strengths[0] - strengths[1]).abs(), weight)
