# SPDX-License-Identifier: GPL-3.0-or-later
"""What training minimises, and how crisp a result is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SCALES = 3


def training_loss(result: Tensor, truth: Tensor, weight: Tensor, gradients: float) -> Tensor:
    """Return the loss of colours, and of the offset of alpha where there is one.

    Args:
        result, truth: (B, 3 or 4, H, W), −1..1.
        weight: (B, 1 or 2, H, W), 0..1; of the colours, and of the offset.
        gradients: weight of the gradient loss.
    """
    loss = paint_loss(result[:, :3], truth[:, :3], weight[:, :1], gradients)
    if truth.shape[1] > 3:
        loss = loss + paint_loss(result[:, 3:], truth[:, 3:], weight[:, 1:], gradients)
    return loss


def paint_loss(result: Tensor, truth: Tensor, weight: Tensor, gradients: float) -> Tensor:
    """Return 4 × the mean |difference| plus the gradient loss, over the weighted pixels.

    Args:
        result, truth: (B, C, H, W), −1..1.
        weight: (B, 1, H, W), 0..1; what is 0 has no influence.
        gradients: weight of the gradient loss.
    """
    loss = 4 * _mean((result - truth).abs().mean(1, keepdim=True), weight)
    if gradients:
        loss = loss + gradients * gradient_loss(result, truth, weight)
    return loss


def gradient_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the mean |difference| of horizontal and vertical steps, summed over three scales.

    Scales are halved by averaging; a step counts where both of its pixels do. Arguments as for
    ``paint_loss``.
    """
    total = torch.zeros((), device=result.device)
    wrong = result - truth
    for scale in range(SCALES):
        if scale:
            wrong = functional.avg_pool2d(wrong * weight, 2)
            share = functional.avg_pool2d(weight, 2)
            wrong, weight = wrong / share.clamp_min(1e-6), share
        for axis in (-1, -2):
            length = wrong.shape[axis] - 1
            if length < 1:
                continue
            step = wrong.narrow(axis, 1, length) - wrong.narrow(axis, 0, length)
            both = weight.narrow(axis, 1, length) * weight.narrow(axis, 0, length)
            total = total + _mean(step.abs().mean(1, keepdim=True), both)
    return total


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1)


def held_out_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return mean |difference| plus how far the local strength of texture is off.

    The second part compares the mean |step| around each pixel, which a blurred result fails even
    where blur is the safest colour. Arguments as for ``paint_loss``.
    """
    wrong = (result - truth).abs().mean(1, keepdim=True)
    return _mean(wrong, weight) + texture_loss(result, truth, weight)


def texture_loss(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the mean |difference| of the local mean |step|, wherever the steps lie exactly."""
    strengths = []
    for picture in (result, truth):
        across = functional.pad((picture[..., 1:] - picture[..., :-1]).abs(), (0, 1, 0, 0))
        down = functional.pad((picture[..., 1:, :] - picture[..., :-1, :]).abs(), (0, 0, 0, 1))
        strengths.append(functional.avg_pool2d((across + down).mean(1, keepdim=True), 9, 1, 4))
    return _mean((strengths[0] - strengths[1]).abs(), weight)
