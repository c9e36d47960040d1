# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands still is painted once, and no frame looks otherwise for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.inference.static_reuse import StaticReuse
from engine.inference.tiled_inference import TiledInference
from engine.inference.tiling import NO_MARGINS
from engine.networks.device import Device
from engine.networks.registry import build

HEIGHT, WIDTH, CHANNELS = 160, 224, 10


class CountingInference(TiledInference):
    """Counts the pixels that it is asked for."""

    asked = 0

    def paint(self, guides, wanted=None, strokes=None, margins=NO_MARGINS):
        self.asked = int(wanted.sum())
        return super().paint(guides, wanted, strokes, margins)


@pytest.fixture
def inference() -> CountingInference:
    torch.manual_seed(0)
    network = build("small", CHANNELS, projection=True, alpha=False)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    return CountingInference(network, Device(torch.device("cpu"), torch.float32))


@pytest.fixture
def reuse(inference) -> StaticReuse:
    return StaticReuse(inference)


def inputs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    guides = chance.uniform(-1, 1, (CHANNELS, HEIGHT, WIDTH)).astype(np.float32)
    return guides, chance.normal(0, 0.1, (HEIGHT, WIDTH, 3)).astype(np.float32)


def moved(guides: np.ndarray, left: int) -> np.ndarray:
    """The same guides with other values in a square."""
    changed = guides.copy()
    changed[3, 60:80, left : left + 20] += 0.5
    return changed


def test_a_frame_looks_the_same_whatever_was_painted_before(inference, reuse):
    guides, strokes = inputs()
    wanted = np.ones((HEIGHT, WIDTH), bool)
    wanted[:20] = False
    for left in (0, 0, 30, 150):
        now = moved(guides, left)
        painted, asked = reuse.paint(now, wanted, strokes), inference.asked
        assert np.abs(painted - inference.paint(now, wanted, strokes)).max() < 1e-4
        assert asked < wanted.sum() or left == 0
    other = strokes.copy()
    other[100, 100] += 1
    reuse.paint(now, wanted, other)
    assert inference.asked == 1, "a stroke changes its own pixel alone"


def test_what_was_not_wanted_before_is_painted_now(inference, reuse):
    guides, strokes = inputs()
    wanted = np.ones((HEIGHT, WIDTH), bool)
    first = wanted.copy()
    first[40:60, 40:60] = False
    reuse.paint(guides, first, strokes)
    painted = reuse.paint(guides, wanted, strokes)
    assert inference.asked == 400
    assert np.abs(painted - inference.paint(guides, wanted, strokes)).max() < 1e-4


def test_other_sizes_moving_pictures_and_missing_strokes_are_painted_whole(inference, reuse):
    guides, strokes = inputs()
    wanted = np.ones((HEIGHT, WIDTH), bool)
    reuse.paint(guides, wanted, strokes)
    reuse.paint(inputs(1)[0], wanted, strokes)
    assert inference.asked == wanted.sum()
    reuse.paint(inputs(1)[0], wanted, None)
    assert inference.asked == wanted.sum()
    small = inputs(1)[0][:, :100]
    reuse.paint(small, None, None)
    assert inference.asked == 100 * WIDTH


def test_large_inputs_are_not_kept(inference, reuse, monkeypatch):
    monkeypatch.setattr("engine.inference.static_reuse.MAX_BYTES", 1000)
    guides, strokes = inputs()
    wanted = np.ones((HEIGHT, WIDTH), bool)
    for _ in range(2):
        reuse.paint(guides, wanted, strokes)
        assert inference.asked == wanted.sum()
