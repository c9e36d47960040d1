# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes as examples: of large ones a part at a time."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from engine.guides import registry as guides
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.dataset import read_training_set


def test_large_keyframes_are_looked_at_in_parts_with_the_same_result(
    painted_shot: Shot, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic.paint(painted_shot, 1)
    names = guides.available(painted_shot)
    whole = read_training_set(painted_shot, [], names, 0, Silent()).examples
    monkeypatch.setattr("engine.images.window.LARGE", 1000)
    monkeypatch.setattr("engine.images.window.BAND", 16 * synthetic.WIDTH)
    parts = read_training_set(painted_shot, [], names, 0, Silent()).examples
    assert len(whole) == len(parts) == 2
    for one, other in zip(whole, parts, strict=True):
        assert len(one.projections) == len(other.projections) == 4
        assert one.guides.dtype == one.projections[0].dtype == np.float16
        assert np.abs(one.guides - other.guides).max() < 0.02
        for first, second in zip(one.projections, other.projections, strict=True):
            assert np.mean(first[..., -1] != second[..., -1]) < 0.01
            both = (first[..., -1] > 0) & (second[..., -1] > 0)
            assert both.any()
            assert np.abs(first - second)[both].max() < 0.02
