# SPDX-License-Identifier: GPL-3.0-or-later
"""The stroke loss: marks are compared by their distribution, tone by tone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from engine.training.losses.stroke_loss import GRID_BLOCK, StrokeLoss, grid_loss

CPU = torch.device("cpu")
SIZE = 128
ALL = torch.ones(1, 1, SIZE, SIZE)


def hatching(seed: int, tone: float = 0.0, size: int = SIZE) -> Tensor:
    """Slanting lines of random places and strengths on a tone, (1, 3, P, P)."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    along = (rows + columns + 40 * torch.rand(1, generator=generator)) % 9
    strength = functional.interpolate(
        torch.rand(1, 1, 8, 8, generator=generator), size=(size, size), mode="bicubic"
    )
    return (tone - 0.6 * strength * (along < 2)).expand(1, 3, size, size).contiguous()


def measure(loss: StrokeLoss, picture: Tensor, where: Tensor = ALL) -> float:
    return float(loss.loss(picture, ALL, where, torch.Generator().manual_seed(3)))


def of(*paintings: Tensor) -> StrokeLoss:
    return StrokeLoss([one[0] for one in paintings], [ALL[0]] * len(paintings), CPU, seed=0)


def test_other_places_of_the_same_marks_cost_little_and_blur_costs_much():
    loss = of(hatching(0), hatching(1))
    drawn = measure(loss, hatching(2))
    blurred = measure(loss, functional.avg_pool2d(hatching(2), 9, 1, 4, count_include_pad=False))
    turned = measure(loss, hatching(2).flip(-1))
    assert drawn < 0.3 * blurred
    assert drawn < 0.5 * turned


def test_each_tone_has_its_own_marks():
    """An artist hatches the shade and leaves the light; the other way round is wrong."""
    plain = torch.zeros(1, 3, SIZE, SIZE)
    loss = of(hatching(0, -0.5), plain + 0.6)
    right = measure(loss, hatching(2, -0.5)) + measure(loss, plain + 0.6)
    wrong = measure(loss, hatching(2, 0.6)) + measure(loss, plain - 0.6)
    assert right < 0.3 * wrong


def test_only_chosen_places_count():
    loss = of(hatching(0))
    picture = hatching(2)
    picture[..., : SIZE // 2] = hatching(2).flip(-1)[..., : SIZE // 2]
    where = ALL.clone()
    where[..., : SIZE // 2 + 16] = 0
    assert measure(loss, picture, where) < 0.5 * measure(loss, picture)
    assert measure(loss, picture, ALL * 0) < measure(loss, picture, where)


def test_its_gradient_draws():
    """Steps down the gradient turn a blur into marks that are distributed as the painting's."""
    loss = of(hatching(0))
    generator = torch.Generator().manual_seed(1)
    picture = 0.05 * torch.randn(1, 3, SIZE, SIZE, generator=generator)
    picture.requires_grad_(True)
    optimizer = torch.optim.Adam([picture], lr=0.02)
    before = measure(loss, picture.detach())
    for _ in range(40):
        optimizer.zero_grad()
        loss.loss(picture, ALL, ALL, generator).backward()
        optimizer.step()
    assert picture.isfinite().all()
    assert measure(loss, picture.detach()) < 0.5 * before


def test_a_grid_is_found_and_strokes_are_not():
    grid = torch.zeros(1, 3, SIZE, SIZE)
    grid[..., ::4] = 0.1
    chance = 0.1 * torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    assert grid_loss(grid, ALL) > 0.02
    assert grid_loss(chance, ALL) < 0.2 * grid_loss(10 * grid, ALL)
    assert grid_loss(grid, ALL * 0) == 0


@pytest.mark.parametrize("sides", [(GRID_BLOCK, GRID_BLOCK), (GRID_BLOCK + 1, 97)])
def test_the_smallest_patches_can_be_judged(sides):
    loss = of(hatching(0))
    picture = hatching(2)[..., : sides[0], : sides[1]].requires_grad_(True)
    mask = torch.ones(1, 1, *sides)
    for seed in range(6):
        value = loss.loss(picture, mask, mask, torch.Generator().manual_seed(seed))
        assert value.isfinite()
        value.backward()
    assert picture.grad.isfinite().all()
