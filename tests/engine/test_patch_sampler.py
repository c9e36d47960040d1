# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixels training sees, and what it never sees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.training.example import Example
from engine.training.patch_places import HELD_BLOCK
from engine.training.patch_sampler import Patches

HEIGHT, WIDTH = 40, 56
PATCH = 64


def example(mask: np.ndarray, value: float = 0.0, projections: int = 0) -> Example:
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float16)
    place = np.dstack([x / 64, y / 64, np.full_like(x, value)])
    carried = np.dstack([place, place, np.ones_like(x)])
    weight = mask[..., None].astype(np.float16)
    several = np.repeat(carried[None], projections, 0)
    return Example(place, np.zeros_like(place), several, place, weight)


def draw(patches: Patches, batches: int, seed: int = 0):
    chance = torch.Generator().manual_seed(seed)
    return [patches.draw(16, chance) for _ in range(batches)]


def centre(patches: Patches, batches: int) -> np.ndarray:
    """How often each pixel was the centre of a patch, (H, W)."""
    count = np.zeros((patches.height, patches.width), int)
    for batch in draw(patches, batches):
        places = batch.x[:, :2, PATCH // 2, PATCH // 2] * 64
        for x, y in places.round().int().tolist():
            count[y, x] += 1
    return count


def test_every_masked_pixel_is_drawn_and_none_else():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[:3, :5] = mask[-1, -6:] = True
    patches = Patches([example(mask)], torch.device("cpu"), 0, PATCH)
    count = centre(patches, 60)
    assert (count[mask] > 0).all()
    assert (count[~mask] == 0).all()


def test_half_of_the_patches_lie_around_a_stroke_until_they_are_spread_again():
    mask = np.ones((24, 24), bool)
    patches = Patches([example(mask)], torch.device("cpu"), 0, PATCH)
    stroke = np.zeros_like(mask)
    stroke[:3, :4] = True
    patches.focus_on(0, stroke)
    assert centre(patches, 60)[stroke].sum() / (60 * 16) > 0.5
    patches.focus_on_all()
    assert centre(patches, 60)[stroke].sum() / (60 * 16) < 0.1


def test_centres_are_spread_evenly():
    mask = np.ones((24, 24), bool)
    patches = Patches([example(mask)], torch.device("cpu"), 0, PATCH)
    count = centre(patches, 360)
    held = {tuple(place) for place in patches.held[0].tolist()}
    border, inside = count[[0, -1]].mean(), count[8:16, 8:16].mean()
    assert held == set()
    assert border == pytest.approx(inside, rel=0.25)


def test_weights_are_the_mask_without_held_blocks_and_without_padding():
    mask = np.ones((128, 160), bool)
    mask[:, :30] = False
    patches = Patches([example(mask)], torch.device("cpu"), 3, PATCH)
    allowed = mask.copy()
    assert len(patches.held[0]) > 0
    for row, column in patches.held[0]:
        half = HELD_BLOCK // 2
        allowed[row - half : row + half, column - half : column + half] = False
    for batch in draw(patches, 10):
        places = (batch.x[:, :2] * 64).round().int()
        for patch in range(len(places)):
            x, y = places[patch].numpy()
            weight = batch.weight[patch, 0].numpy()
            assert (weight[weight > 0] == 1).all()
            assert allowed[y, x][weight > 0].all()


def test_held_out_patches_count_in_their_blocks_alone_and_stay_the_same():
    mask = np.ones((128, 160), bool)
    patches = Patches([example(mask, projections=1)], torch.device("cpu"), 3, PATCH)
    first, again = patches.held_out(5), patches.held_out(5)
    assert first is not None and again is not None
    assert first.weight.sum().item() == len(patches.held[0]) * HELD_BLOCK**2
    assert torch.equal(first.x, again.x)


def test_a_small_mask_has_no_held_out_part():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[4:9, 4:9] = True
    assert Patches([example(mask)], torch.device("cpu"), 0, PATCH).held_out(0) is None


def test_small_keyframes_are_not_lost_and_large_ones_count_for_more():
    large, small = np.ones((64, 64), bool), np.zeros((64, 64), bool)
    small[:16, :16] = True
    patches = Patches([example(large, 0.0), example(small, 1.0)], torch.device("cpu"), 0, PATCH)
    share = np.mean([batch.x[:, 2].mean().item() for batch in draw(patches, 100)])
    assert 0.12 < share < 0.3


def test_projections_are_worn_but_paint_is_not():
    mask = np.ones((128, 128), bool)
    patches = Patches([example(mask, projections=2)], torch.device("cpu"), 0, PATCH)
    dropped, kept = 0.0, 0.0
    for batch in draw(patches, 20):
        valid = batch.x[:, -1]
        dropped += float((valid == 0).float().mean()) / 20
        kept += float(((batch.x[:, 3:6] - batch.paint).abs().amax(1) < 0.02).float().mean()) / 20
        assert torch.equal(batch.paint, batch.x[:, :3])
        assert (batch.x[:, 3:9][valid[:, None].expand(-1, 6, -1, -1) == 0] == 0).all()
    assert 0.1 < dropped < 0.7
    assert kept > 0.2


def test_the_seed_decides_everything():
    mask = np.ones((64, 64), bool)
    patches = Patches([example(mask, projections=2)], torch.device("cpu"), 0, PATCH)
    one, two = draw(patches, 2, seed=4), draw(patches, 2, seed=4)
    other = draw(patches, 2, seed=5)
    assert all(torch.equal(a.x, b.x) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0].x, other[0].x)


def test_projections_tell_how_their_picture_differs_from_the_keyframe_s():
    shown = example(np.ones((HEIGHT, WIDTH), bool), projections=1)
    alike = dataclasses.replace(shown, picture=shown.projections[0][..., 3:6])
    (batch,) = draw(Patches([alike], torch.device("cpu"), 0, PATCH), 1)
    darker = dataclasses.replace(alike, picture=alike.picture - 0.25)
    (lighter,) = draw(Patches([darker], torch.device("cpu"), 0, PATCH), 1)
    seen = batch.x[:, -1] > 0
    first, second = (one.x[:, -4:-1].mean(1) for one in (batch, lighter))
    assert seen.any()
    assert first[seen].abs().median() < 0.05
    assert (second - first)[seen].median().item() == pytest.approx(0.25, abs=0.01)
    assert not second[~seen].any()


def test_where_alpha_is_learnt_few_patches_show_nothing():
    shown = np.zeros((64, 80), bool)
    shown[20:40, 30:50] = True
    erased = np.zeros_like(shown)
    erased[50:54, 60:70] = True
    one = example(shown)
    offset = -erased[..., None].astype(np.float16)
    weight = np.dstack([one.weight, np.ones_like(one.weight)])
    one = dataclasses.replace(one, paint=np.dstack([one.paint, offset]), weight=weight)
    patches = Patches([one], torch.device("cpu"), 0, PATCH)
    count = centre(patches, 200)
    assert (count[erased] > 0).all()
    there = shown | erased
    assert count[~there].sum() / count[there].sum() == pytest.approx(0.25, abs=0.03)
    for row, column in patches.held[0]:
        assert there[row, column]
    assert all((batch.weight[:, 1] > 0).any() for batch in draw(patches, 3))
