# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: their curves, their place in the shot, the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shots
import synthetic

from engine.frames.frame import Frame
from engine.frames.keyframe import read_keyframe
from engine.guides.network_input import Inputs
from engine.projection.keyframe_projection import Projection
from engine.shared.errors import PaintoverError
from engine.shared.keyframes.weights import check_keys, compact, curves_of, set_weights, weights_at
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


@pytest.fixture
def shot(tmp_path) -> Shot:
    made = synthetic.make_shot(tmp_path / "shot", frames=5)
    for key in (1, 5):
        synthetic.paint(made, key)
    return made


def test_a_curve_is_straight_between_its_frames_and_level_outside():
    curves = {1: {10: 1.0, 20: 0.0}, 7: {3: 0.25}}
    assert weights_at(curves, 9, [1, 7, 8]) == {7: 0.25}
    assert weights_at(curves, 10, [1]) == {}
    assert weights_at(curves, 13, [1]) == {1: pytest.approx(0.7)}
    assert weights_at(curves, 20, [1]) == weights_at(curves, 99, [1]) == {1: 0.0}
    assert weights_at({}, 1, [1]) == {}


def test_compacting_changes_no_weight():
    curve = {1: 1.0, 2: 1.0, 3: 1.0, 4: 0.4, 5: 0.2, 6: 0.0, 7: 0.0, 8: 0.0, 9: 0.5}
    small = compact(curve)
    assert sorted(small) == [1, 3, 4, 5, 6, 8, 9]
    assert all(weights_at({1: curve}, f, [1]) == weights_at({1: small}, f, [1]) for f in range(11))
    assert compact({1: 1.0, 50: 1.0}) == compact({}) == {}
    assert compact({1: 0.5, 50: 0.5}) == {1: 0.5}


def test_weights_stay_in_the_shot_and_full_ones_take_no_room(shot):
    set_weights(shot, {1: {1: 1.0, 5: 0.0}, 5: {1: 1.0, 3: 1.0}})
    assert Shot.open(shot.folder).manifest.weights == {1: {1: 1.0, 5: 0.0}}
    set_weights(shot, {5: {5: 0.5}})
    assert sorted(Shot.open(shot.folder).manifest.weights) == [1, 5]
    set_weights(shot, {1: {}, 5: {1: 1.0}})
    assert Shot.open(shot.folder).manifest.weights == {}


def test_impossible_weights_are_sentences(shot):
    with pytest.raises(PaintoverError, match=r"Keyframe 1 .*1\.5"):
        set_weights(shot, {1: {1: 1.5}})
    with pytest.raises(PaintoverError, match="Keyframe 1 is given two weights at frame 3"):
        curves_of([(1, 3, 0.0), (1, 3, 1.0)])
    with pytest.raises(PaintoverError, match="Keyframe 1 is given two weights; give one"):
        curves_of([(1, 3, 0.0), (1, None, 1.0)])
    with pytest.raises(PaintoverError, match=r"Frame 3 is no keyframe of .*it has 1, 5"):
        check_keys(shot, [1, 3])


def test_a_damaged_curve_is_a_sentence(shot):
    path = shot.folder / "shot.json"
    data = json.loads(path.read_text())
    data["weights"] = {"1": {"2": "much"}}
    path.write_text(json.dumps(data))
    with pytest.raises(PaintoverError, match="damaged"):
        Shot.open(shot.folder)


def test_paint_fades_where_no_other_keyframe_takes_over(shot):
    inputs = Inputs(shot, ["colour", "projection"], [1, 5], 0, Silent())
    projection = Projection(shot, [(read_keyframe(shot, key), inputs.read(key)) for key in (1, 5)])
    frame = inputs.read(3)

    def carried(frame: Frame, weights: dict[int, float]) -> np.ndarray:
        return projection.carry(frame, weights).channels

    usual = projection.compute(frame)
    seen = usual[-1] > 0
    assert np.array_equal(carried(frame, {1: 1.0, 5: 1.0}), usual)
    crossing = carried(frame, {1: 0.5, 5: 0.5})
    assert crossing[-1][seen].max() == 1
    first = carried(frame, {5: 0.0})
    half = carried(frame, {1: 0.5, 5: 0.0})
    assert np.array_equal(half[-1], 0.5 * first[-1])
    assert np.array_equal(half[:-1], first[:-1])
    for channel in carried(frame, {1: 0.001, 5: 0.0}):
        assert np.abs(channel).max() < 0.01
    assert not carried(frame, {1: 0.0, 5: 0.0}).any()


def test_the_command_line_sets_and_shows_them(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", keys=(1, 4))
    told = shots.run_warm("weights", shot.folder, "1=1@1", "1=0@4", "4=0.5")
    assert told.returncode == 0, told.stderr
    assert told.stdout == "keyframe 1: 1 at frame 1, 0 at frame 4\nkeyframe 4: 0.5\n"
    assert shots.run_warm("weights", shot.folder, "1=1", "4=1").returncode == 0
    assert shots.run_warm("weights", shot.folder).stdout == "keyframe 1: 1\nkeyframe 4: 1\n"
    shots.assert_one_sentence(shots.run_warm("weights", shot.folder, "2=0"), "Frame 2", "1, 4")
    told = shots.run_warm("weights", shot.folder, "1")
    assert told.returncode == 1
    assert told.stderr.startswith("1 holds no shot yet")
    for wrong in ("1=2", "1=x", "1=0.5@", "a=1"):
        told = shots.run_warm("weights", shot.folder, wrong)
        assert told.returncode in (1, 2)
        assert told.stderr
