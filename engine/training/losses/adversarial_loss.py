# SPDX-License-Identifier: GPL-3.0-or-later
"""The adversarial loss: a discriminator learns to tell the network's paint from the artist's.

A patch discriminator (Isola et al., "pix2pix", CVPR 2017), which rates each place by its
neighbourhood only, with the least-squares loss (Mao et al., "LSGAN", ICCV 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...networks.device import Device
from ..optimizers import clear_not_finite

WIDTH = 64
BETAS = (0.5, 0.99)
MIN_SIZE = 16
"""Smaller patches are padded to this size, in pixels."""


class PatchDiscriminator(nn.Module):
    """Rates each place of a picture: 1 for the artist's paint, 0 for the network's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 4, stride=2, padding=1)
        self.second = nn.Conv2d(WIDTH, 2 * WIDTH, 4, stride=2, padding=1, bias=False)
        self.third = nn.Conv2d(2 * WIDTH, 4 * WIDTH, 3, padding=1, bias=False)
        self.steady = nn.ModuleList(
            [nn.GroupNorm(8, 2 * WIDTH), nn.GroupNorm(8, 4 * WIDTH)],
        )
        self.last = nn.Conv2d(4 * WIDTH, 1, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """Return the ratings (B, 1, H / 4, W / 4) of pictures (B, 3, H, W) in −1..1."""
        padding = [max(0, MIN_SIZE - size) for size in picture.shape[-2:]]
        if any(padding):
            picture = functional.pad(picture, (0, padding[1], 0, padding[0]), mode="replicate")
        x = functional.leaky_relu(self.first(picture), 0.2)
        x = functional.leaky_relu(self.steady[0](self.second(x)), 0.2)
        x = functional.leaky_relu(self.steady[1](self.third(x)), 0.2)
        rating: Tensor = self.last(x)
        return rating


class Adversary:
    """A discriminator, its optimizer and its losses.

    Pixels of weight 0 take the artist's paint before they are rated, so they have no influence.

    Args:
        device: where to compute.
        rate: learning rate.
        seed: of the initial weights.
    """

    def __init__(self, device: Device, rate: float, seed: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = device.place(PatchDiscriminator())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate, betas=BETAS)
        self._device = device

    def loss(self, result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """Return the loss of the network (scalar): how surely its patches are recognised.

        The gradient flows into ``result``, not into the discriminator.

        Args:
            result, truth: (B, 3, H, W) colours, −1..1, of the network and of the artist.
            weight: (B, 1, H, W), 0..1.
        """
        self.network.requires_grad_(False)
        rating = self._rate(_blend(result, truth, weight))
        self.network.requires_grad_(True)
        return ((rating - 1) ** 2).mean()

    def learn(self, result: Tensor, truth: Tensor, weight: Tensor) -> float:
        """Train the discriminator for one step and return its loss; arguments as for ``loss``."""
        self.optimizer.zero_grad(set_to_none=True)
        painted = self._rate(_blend(result.detach(), truth, weight))
        real = self._rate(truth)
        loss = (painted**2).mean() / 2 + ((real - 1) ** 2).mean() / 2
        loss.backward()  # type: ignore[no-untyped-call]
        clear_not_finite(self.optimizer)
        self.optimizer.step()
        return float(loss.detach())

    def _rate(self, picture: Tensor) -> Tensor:
        with self._device.autocast():
            rating = self.network(picture.contiguous(memory_format=torch.channels_last))
        return rating.float()  # type: ignore[no-any-return]


def _blend(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    return weight * result + (1 - weight) * truth
