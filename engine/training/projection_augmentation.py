# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes projections of keyframes in training patches as imperfect as those in other frames.

The projection of a keyframe onto itself is perfect, and a network trained on it would copy it
blindly. So parts of it are dropped, replaced by those of another place, shifted and blurred.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..networks.device import sent
from ..projection.channels import LIGHT, OFFSET, PAINT, VALID
from .smoothing import box_mean

BLOB = 16
"""Cell size of the smooth noise, in pixels, that chooses where projections are dropped."""
NOTICEABLE = 0.06
"""Smallest difference of pictures, −1..1, at which paint of another place may replace the right
paint. Where the pictures agree, the network should learn to trust the paint."""
LIGHT_DRIFT = 0.02
"""Standard deviation of the random gain and offset of projected pictures, which stand for changes
of light that leave the paint unchanged."""
MAX_SHIFT = 0.3
"""Maximum random shift of projections in x and y, in pixels."""
AUGMENTED_SHARE = 0.3
"""Share of projections that are shifted, and of those that are blurred."""


def drift(projection: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, blur and relight projections at random; validity stays as it is.

    Args:
        projection: (B, 7 or 8, P, P), as ``Projection.each`` gives them.
        generator: on the CPU; the only source of random numbers.
    """
    projection = _shift_and_blur(projection, generator)
    light = torch.randn(len(projection), 2, 1, 1, 1, generator=generator) * LIGHT_DRIFT
    light = sent(light, projection.device)
    valid = projection[:, VALID, None]
    relit = projection[:, LIGHT] * (1 + light[:, 0]) + light[:, 1] * valid
    return torch.cat([projection[:, PAINT], relit, valid, projection[:, OFFSET:]], 1)


def replace_and_drop(
    own: Tensor, replacement: Tensor, picture: Tensor, generator: torch.Generator
) -> Tensor:
    """Replace and drop parts of projections at random.

    Args:
        own: (B, 7 or 8, P, P) of the right places, as ``Projection.each`` gives them.
        replacement: (B, 7 or 8, P, P) of others.
        picture: (B, 3, P, P), −1..1, what the frame shows.
        generator: on the CPU; the only source of random numbers.

    Returns:
        (B, 7 or 8, P, P) as ``Projection.carry`` gives them: with light instead of pictures.
    """
    count, size = len(own), own.shape[-1]
    coarse = torch.randn(count, 2, size // BLOB + 2, size // BLOB + 2, generator=generator)
    blobs = functional.interpolate(
        sent(coarse, own.device), size=(size, size), mode="bicubic", align_corners=False
    )
    levels = sent(torch.rand(count, 2, generator=generator), own.device)
    differs = (replacement[:, LIGHT] - own[:, LIGHT]).abs().mean(1, keepdim=True)
    differs = box_mean(differs, 9)
    drop = blobs[:, :1] > (levels[:, :1] * 1.8 - 0.6)[..., None, None]
    replace = blobs[:, 1:] > (levels[:, 1:] * 1.3 - 0.3)[..., None, None]
    mixed = torch.where(replace & (differs > NOTICEABLE), replacement, own)
    mixed[:, LIGHT] = (mixed[:, LIGHT] - picture * mixed[:, VALID, None]).clamp(-1, 1)
    return torch.where(drop, torch.zeros_like(mixed), mixed)


def _shift_and_blur(projection: Tensor, generator: torch.Generator) -> Tensor:
    """Shift and blur some of (B, 7 or 8, P, P) projections at random; validity stays as it is."""
    count = len(projection)
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * MAX_SHIFT
    shift = shift * (torch.rand(count, 1, generator=generator) < AUGMENTED_SHARE)
    blur = torch.rand(count, 1, generator=generator) * (
        torch.rand(count, 1, generator=generator) < AUGMENTED_SHARE
    )
    side = blur / 3
    taps = torch.stack(
        [side + shift.clamp_min(0), 1 - 2 * side - shift.abs(), side + (-shift).clamp_min(0)], -1
    )
    kernel = taps[:, 0, :, None] * taps[:, 1, None, :]
    kernel = sent(kernel, projection.device)
    valid = projection[:, VALID, None]
    values = torch.cat([projection[:, :VALID], projection[:, OFFSET:]], 1)
    layers = values.shape[1]
    kernel = kernel[:, None].expand(-1, layers, -1, -1).reshape(count * layers, 1, 3, 3)
    flat = values.reshape(1, count * layers, *values.shape[-2:])
    moved = functional.conv2d(
        functional.pad(flat, (1, 1, 1, 1), mode="replicate"), kernel, groups=count * layers
    )
    moved = moved.reshape(count, layers, *values.shape[-2:]) * valid
    return torch.cat([moved[:, :VALID], valid, moved[:, VALID:]], 1)
