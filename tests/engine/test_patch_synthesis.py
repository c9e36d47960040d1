# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch synthesis: a hole is filled with pieces of a painting, and nothing else changes."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from engine.evaluation.strokes import distance, stroke_quantiles
from engine.synthesis.patch_synthesis import Source, synthesize

HEIGHT, WIDTH = 180, 240


def marks(seed: int) -> np.ndarray:
    """A picture of random dabs on two tones, dark to the left, (H, W, 3), codes."""
    chance = np.random.default_rng(seed)
    tone = np.where(np.arange(WIDTH) < WIDTH // 2, 60.0, 170.0)
    picture = np.repeat(np.tile(tone, (HEIGHT, 1))[..., None], 3, 2).astype(np.float32)
    for _ in range(700):
        x, y = int(chance.integers(WIDTH)), int(chance.integers(HEIGHT))
        code = float(tone[x] + chance.normal(0, 35))
        cv2.line(picture, (x, y), (x + 9, y + 5), (code, code * 0.9, code * 0.7), 2)
    return picture.clip(0, 255)


def guide_of(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 6).astype(np.float32)


@pytest.fixture(scope="module")
def source() -> Source:
    painting = marks(1)
    return Source(painting, guide_of(painting), np.ones((HEIGHT, WIDTH), bool))


@pytest.fixture(scope="module")
def blurred() -> tuple[np.ndarray, np.ndarray]:
    """Another such picture whose right two thirds lost their marks, and where that is."""
    picture = marks(2)
    where = np.zeros((HEIGHT, WIDTH), bool)
    where[20:-20, WIDTH // 3 :] = True
    picture[where] = guide_of(picture)[where]
    return picture, where


def strokes_of(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    found = stroke_quantiles(picture / np.float32(255), np.ones(where.shape, bool), where)
    assert found is not None
    return found


def test_what_was_blurred_is_drawn_in_the_right_tones(source, blurred):
    picture, where = blurred
    filled = synthesize(source, guide_of(picture), picture, where, seed=1)
    assert (filled[~where] == picture[~where]).all()
    painting = strokes_of(source.paint, source.mask)
    before = distance(strokes_of(picture, where), painting)
    assert distance(strokes_of(filled, where), painting) < 0.55 * before
    tones = cv2.GaussianBlur(filled, (0, 0), 6) - cv2.GaussianBlur(picture, (0, 0), 6)
    assert np.abs(tones[where]).mean() < 12
    assert filled.min() >= 0
    assert filled.max() <= 255


@pytest.mark.parametrize("cores", [1, 3])
def test_the_number_of_threads_changes_nothing(source, blurred, monkeypatch, cores):
    picture, where = blurred
    usual = synthesize(source, guide_of(picture), picture, where, seed=1)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert (synthesize(source, guide_of(picture), picture, where, seed=1) == usual).all()


def test_only_what_is_masked_is_taken(source, blurred):
    """The source's unmasked half is of a colour that must not come out."""
    picture, where = blurred
    paint, mask = source.paint.copy(), source.mask.copy()
    mask[: HEIGHT // 2] = False
    paint[: HEIGHT // 2] = (255, 0, 0)
    masked = Source(paint, source.guide, mask)
    filled = synthesize(masked, guide_of(picture), picture, where, seed=1)
    red = (filled[..., 0] - filled[..., 2]) > 150
    assert not red[where].any()


def test_nothing_to_fill_and_nothing_to_take(source, blurred):
    picture, where = blurred
    assert synthesize(source, guide_of(picture), picture, where & False, 1) is picture
    nothing = Source(source.paint, source.guide, source.mask & False)
    assert synthesize(nothing, guide_of(picture), picture, where, 1) is picture


def test_large_pictures_are_searched_in_a_smaller_size(source, blurred, monkeypatch):
    monkeypatch.setattr("engine.synthesis.patch_synthesis.SEARCHED", 9000)
    picture, where = blurred
    filled = synthesize(source, guide_of(picture), picture, where, seed=1)
    painting = strokes_of(source.paint, source.mask)
    before = distance(strokes_of(picture, where), painting)
    assert distance(strokes_of(filled, where), painting) < 0.5 * before


def test_it_can_be_stopped(source, blurred):
    picture, where = blurred

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(source, guide_of(picture), picture, where, 1, stop)
