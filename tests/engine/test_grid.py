# SPDX-License-Identifier: GPL-3.0-or-later
"""The grid metric finds the pattern of an enlarging layer, and only that."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.evaluation.grid import grid

HEIGHT, WIDTH = 270, 480


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Noise of many sizes, as in photographs and paintings."""
    random = np.random.default_rng(4)
    layers = [
        sigma * cv2.GaussianBlur(random.random((HEIGHT, WIDTH, 3)), (0, 0), sigma)
        for sigma in (0.5, 1, 2, 4, 8)
    ]
    total = np.sum(layers, axis=0)
    return ((total - total.min()) / (total.max() - total.min())).astype(np.float32)


def columns(period: int) -> np.ndarray:
    return (np.arange(WIDTH) % period < period // 2).astype(np.float32)[None, :, None]


def test_pictures_have_no_grid(picture):
    found = grid(picture)
    assert list(found) == [2, 4]
    assert max(found.values()) < 1.2


@pytest.mark.parametrize("period", [2, 4])
def test_a_faint_grid_is_found_at_its_period_across_and_down(picture, period):
    faint = picture + 0.04 * columns(period)
    assert grid(faint)[period] > 1.5
    assert grid(np.ascontiguousarray(faint.transpose(1, 0, 2)))[period] > 1.5
    if period == 2:
        assert grid(faint)[4] == pytest.approx(grid(picture)[4], rel=0.05)


def test_stripes_of_other_periods_are_no_grid(picture):
    assert max(grid(picture + 0.05 * columns(12)).values()) < 1.3


def test_an_enlarged_layer_with_unlike_filters_is_found():
    """Each of the four pixels that a pixel becomes has its own filter, as in a pixel shuffle."""
    random = np.random.default_rng(3)
    small = cv2.GaussianBlur(random.random((HEIGHT // 2, WIDTH // 2, 3)), (0, 0), 2)
    shuffled = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    shuffled[:, ::2] *= 0.97
    assert grid(shuffled.astype(np.float32))[2] > 4


def test_only_the_mask_counts(picture):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[:, : WIDTH // 2] = True
    half = np.where(mask[..., None], picture, picture + 0.05 * columns(2))
    assert grid(half, mask)[2] < 1.2 < grid(half, ~mask)[2]
    assert grid(picture, mask & (np.arange(WIDTH) < 20)) is None
