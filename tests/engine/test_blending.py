# SPDX-License-Identifier: GPL-3.0-or-later
"""Several keyframes in one projection: no seam in space, no pop in time."""

from __future__ import annotations

import numpy as np
import pytest

from engine.projection.blending import FADE, Projected, blend, time_weights

SHAPE = (24, 40)


def flat(colour: float, valid: np.ndarray | None = None, image: float = 0.5) -> Projected:
    """A keyframe of one colour whose picture is the same grey everywhere."""
    valid = np.ones(SHAPE, bool) if valid is None else valid
    full = np.ones((*SHAPE, 3), np.float32) * valid[..., None]
    nowhere = valid & False
    stretch = valid * np.float32(1)
    return Projected(full * colour, full * image, valid, stretch, nowhere, nowhere)


def blended(keys, colours, frame, weights=None, image=0.5) -> np.ndarray:
    candidates = [flat(colour) for colour in colours]
    picture = np.full((*SHAPE, 3), image, np.float32)
    given = weights or [1.0] * len(keys)
    return blend(candidates, time_weights(keys, given, frame), picture).paint


@pytest.mark.parametrize("last", [3, 6, 20, 60])
def test_contradicting_keyframes_dissolve_without_a_pop(last):
    means = [blended([0, last], [0, 1], frame).mean() for frame in range(last + 1)]
    steps = np.diff(means)
    assert means[0] == pytest.approx(0, abs=1e-4)
    assert means[-1] == pytest.approx(1, abs=1e-4)
    assert (steps >= 0).all()
    assert steps.max() <= max(1 / min(FADE, last) + 1e-3, 5 / last)


def test_far_from_the_crossing_one_keyframe_is_seen_clearly():
    assert blended([0, 40], [0, 1], 12).max() < 0.03
    assert blended([0, 40], [0, 1], 28).min() > 0.97


def test_a_keyframe_wins_on_its_own_frame_even_where_another_agrees_better():
    candidates = [flat(0.2, image=0.3), flat(0.8)]
    picture = np.full((*SHAPE, 3), 0.5, np.float32)
    found = [
        blend(candidates, time_weights([4, 9], [1, 1], frame), picture).paint for frame in (4, 5)
    ]
    assert np.allclose(found[0], 0.2)
    assert found[1].max() < 0.2 + 0.6 / FADE + 1e-3


def test_three_keyframes_each_have_their_turn():
    keys, colours = [30, 1, 60], [0.5, 0.1, 0.9]
    for key, colour in zip(keys, colours, strict=True):
        assert np.allclose(blended(keys, colours, key), colour, atol=1e-4)
    assert np.allclose(blended(keys, colours, -5), 0.1, atol=0.01)
    assert np.allclose(blended(keys, colours, 80), 0.9, atol=0.01)


def test_a_keyframe_of_weight_zero_is_not_used():
    assert np.allclose(blended([0, 10], [0.1, 0.9], 0, [0, 1]), 0.9)
    single = blend([flat(0.1)], time_weights([0], [0], 0), np.zeros((*SHAPE, 3), np.float32))
    assert not single.valid.any()
    assert not single.channels().any()


def test_weights_count_evenly():
    """From none to full, without a jump at either end."""
    means = [
        blended([0, 10], [0, 1], frame, [1, weight]).mean()
        for frame in (10,)
        for weight in np.linspace(0, 1, 41)
    ]
    assert means[0] == 0
    assert means[-1] == pytest.approx(1, abs=1e-4)
    assert (np.diff(means) >= 0).all()


def test_where_one_sees_nothing_the_other_fills_and_the_border_is_soft():
    left = np.zeros(SHAPE, bool)
    left[:, :20] = True
    picture = np.full((*SHAPE, 3), 0.5, np.float32)
    found = blend([flat(0, left), flat(1)], time_weights([8, 40], [1, 1], 12), picture)
    assert found.valid.all()
    row = found.paint[10, :, 0]
    assert row[:14].max() < 0.05
    assert np.allclose(row[20:], 1)
    assert row[15] < row[18] < row[19] < 1
    own = blend([flat(0, left), flat(1)], time_weights([8, 40], [1, 1], 8), picture).paint[10, :, 0]
    assert (own[:20] < 1e-4).all()
    assert (own[20:] == 1).all()


def test_the_mixture_is_narrow_where_pictures_tell_keyframes_apart():
    columns = np.arange(SHAPE[1])
    picture = np.broadcast_to((columns < 20)[None, :, None], (*SHAPE, 3)).astype(np.float32)
    candidates = [flat(0.0, image=1.0), flat(1.0, image=0.0)]
    row = blend(candidates, time_weights([0, 40], [1, 1], 20), picture).paint[10, :, 0]
    assert (np.diff(row) >= -1e-4).all()
    assert ((row > 0.02) & (row < 0.98)).sum() <= 4
