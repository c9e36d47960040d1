# SPDX-License-Identifier: GPL-3.0-or-later
"""The adversarial loss: a second network learns to tell paint from the first network's.

A patch discriminator (Isola, Zhu, Zhou, Efros, CVPR 2017: it judges every place by its
neighbourhood alone) with the least-squares loss (Mao et al., ICCV 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..networks.device import Device

WIDTH = 64
BETAS = (0.5, 0.99)
SMALLEST = 16
"""Patches smaller than this are padded."""


class PatchDiscriminator(nn.Module):
    """Judges each place of a picture: (B, 3, H, W) in −1..1 → (B, 1, H / 4, W / 4), 1 is real."""

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
        """Judge a picture."""
        spare = [max(0, SMALLEST - size) for size in picture.shape[-2:]]
        if any(spare):
            picture = functional.pad(picture, (0, spare[1], 0, spare[0]), mode="replicate")
        x = functional.leaky_relu(self.first(picture), 0.2)
        x = functional.leaky_relu(self.steady[0](self.second(x)), 0.2)
        x = functional.leaky_relu(self.steady[1](self.third(x)), 0.2)
        verdict: Tensor = self.last(x)
        return verdict


class Adversary:
    """A discriminator that learns beside the network.

    What has no weight is filled with the true paint before it is judged, so it has no influence.

    Args:
        device: where it computes.
        rate: learning rate.
        seed: of its first weights.
    """

    def __init__(self, device: Device, rate: float, seed: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = device.place(PatchDiscriminator())
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=rate, betas=BETAS)
        self._device = device

    def loss(self, result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """Return how surely painted patches are told from true ones, with gradients for them.

        Args:
            result, truth: (B, 3, H, W) colours, −1..1.
            weight: (B, 1, H, W), 0..1.
        """
        self.network.requires_grad_(False)
        verdict = self._judge(_shown(result, truth, weight))
        self.network.requires_grad_(True)
        return ((verdict - 1) ** 2).mean()

    def learn(self, result: Tensor, truth: Tensor, weight: Tensor) -> float:
        """Take one step of telling them apart; arguments as for ``loss``. Returns its own loss."""
        self.optimizer.zero_grad(set_to_none=True)
        painted = self._judge(_shown(result.detach(), truth, weight))
        real = self._judge(truth)
        loss = (painted**2).mean() / 2 + ((real - 1) ** 2).mean() / 2
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return float(loss.detach())

    def _judge(self, picture: Tensor) -> Tensor:
        with self._device.autocast():
            verdict = self.network(picture.contiguous(memory_format=torch.channels_last))
        return verdict.float()  # type: ignore[no-any-return]


def _shown(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    return weight * result + (1 - weight) * truth
