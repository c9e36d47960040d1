# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion: estimated and exact, warping, occlusion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import synthetic

from engine.motion.optical_flow import estimate_flow, occluded, to_previous, warp

RANDOM = np.random.default_rng(5)
TEXTURE = cv2.GaussianBlur(RANDOM.random((120, 140, 3)).astype(np.float32), (0, 0), 2)
TEXTURE = (TEXTURE - TEXTURE.min()) / np.ptp(TEXTURE)


def test_flow_points_from_the_first_to_the_second_y_down():
    first, second = TEXTURE[20:100, 20:120], TEXTURE[17:97, 25:125]
    flow = estimate_flow(first, second)
    assert flow.shape == (80, 100, 2)
    assert np.median(flow[10:-10, 10:-10], axis=(0, 1)) == pytest.approx([-5, 3], abs=0.2)


def test_flow_of_pictures_smaller_than_a_patch():
    flow = estimate_flow(TEXTURE[:5, :7], TEXTURE[:5, :7])
    assert flow.shape == (5, 7, 2)
    assert np.abs(flow).max() < 0.5


def test_warp_fetches_along_the_offsets():
    picture = TEXTURE[:50, :60]
    offsets = np.full((50, 60, 2), (3, -2), np.float32)
    warped, valid = warp(picture, offsets)
    assert np.allclose(warped[2:, :-3], picture[:-2, 3:], atol=1e-5)
    assert valid[2:, :-3].all()
    assert not valid[:2].any()
    assert not valid[:, -3:].any()
    assert not warped[~valid].any()


def test_warp_between_pixels_and_of_many_channels():
    ramp = np.tile(np.arange(30, dtype=np.float32), (20, 1))
    offsets = np.full((20, 30, 2), (0.25, 0), np.float32)
    warped, valid = warp(ramp, offsets)
    assert warped.shape == (20, 30)
    assert np.allclose(warped[:, :-1], ramp[:, :-1] + 0.25)
    many = np.stack([ramp * n for n in range(7)], -1)
    warped, _ = warp(many, offsets)
    assert np.allclose(warped[:, :-1], many[:, :-1] + 0.25 * np.arange(7), atol=1e-4)
    offsets[4, 5] = np.nan
    assert not warp(ramp, offsets)[1][4, 5]
    assert valid[4, 5]


def test_what_the_other_picture_hides_is_occluded():
    forward = np.zeros((40, 60, 2), np.float32)
    backward = np.zeros((40, 60, 2), np.float32)
    forward[10:30, 10:30] = (8, 0)
    backward[10:30, 18:38] = (-8, 0)
    hidden = occluded(forward, backward)
    assert hidden[15:25, 31:37].all()
    assert not hidden[15:25, 11:29].any()
    assert not hidden[:9].any()
    forward[0, 0] = np.nan
    forward[1, 1] = (-5, 0)
    assert occluded(forward, backward)[[0, 1], [0, 1]].all()


def test_exact_motion_leads_to_the_previous_frame(tmp_path):
    cameras = dict.fromkeys((1, 2, 3), synthetic.rotated_camera(0))
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    offsets, valid = to_previous(shot, 3)
    a, b = synthetic.shares(3)
    before, _ = synthetic.shares(2)
    assert np.allclose(offsets[a == 1], [-synthetic.STEP_X, -synthetic.STEP_Y])
    assert not offsets[b == 1].any()
    assert valid[a == 1].all()
    uncovered = (b == 1) & (before == 1)
    assert uncovered.any()
    assert not valid[uncovered].any()
    warped, _ = warp(synthetic.picture(2), offsets)
    sure = valid & (a != 0.5) & (before != 0.5)
    assert np.abs(warped - synthetic.picture(3))[sure].max() < 1e-5


def test_estimated_motion_where_the_shot_has_none(rendered_shot):
    rendered_shot.manifest.passes = {}
    offsets, valid = to_previous(rendered_shot, 2)
    assert np.isfinite(offsets).all()
    left, top, right, bottom = synthetic.bounds(2)
    inner = offsets[top + 5 : bottom - 5, left + 5 : right - 5]
    assert np.median(inner, axis=(0, 1)) == pytest.approx([-3, -1], abs=0.8)
    assert valid.mean() > 0.5


def test_the_first_frame_has_no_previous_one(rendered_shot):
    offsets, valid = to_previous(rendered_shot, 1)
    assert not offsets.any()
    assert not valid.any()
