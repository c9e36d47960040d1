# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion of frames: also of the background where the camera moves, and unknown at cuts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import synthetic
from synthetic import WIDTH

from engine.frames.frame import read_frame
from engine.shared.manifest import Camera


def test_the_background_moves_as_the_camera_turns(tmp_path):
    cameras = {frame: synthetic.rotated_camera(3.0 * frame) for frame in (1, 2, 3)}
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    frame = read_frame(shot, 2, {"motion"})
    background = np.isinf(read_frame(shot, 2, {"depth"}).depth)
    turn = np.radians(3)
    for x in (5, 90):
        assert background[2, x]
        angle = np.arctan(2 * (x + 0.5) / WIDTH - 1)
        before, after = ((np.tan(angle + way) + 1) / 2 * WIDTH - 0.5 for way in (-turn, turn))
        assert frame.motion[2, x, 0] == pytest.approx(before - x, abs=1e-3)
        assert frame.motion[2, x, 2] == pytest.approx(after - x, abs=1e-3)
    last = read_frame(shot, 3, {"motion"})
    background = np.isinf(read_frame(shot, 3, {"depth"}).depth)
    assert np.isfinite(last.motion[background][:, :2]).all()
    assert np.isnan(last.motion[background][:, 2:]).all()


def test_the_background_rests_when_the_camera_does(tmp_path):
    cameras = dict.fromkeys((1, 2, 3), synthetic.rotated_camera(20))
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras, change={"Vector.X": 7})
    frame = read_frame(shot, 2, {"motion", "depth"})
    assert not frame.motion[np.isinf(frame.depth)].any()


def test_motion_across_a_cut_to_another_camera_is_unknown(tmp_path):
    cameras = {frame: synthetic.rotated_camera(0) for frame in (1, 2)}
    cameras[3] = synthetic.rotated_camera(40)
    for frame, name in ((1, "wide"), (2, "wide"), (3, "close")):
        cameras[frame] = dataclasses.replace(cameras[frame], name=name)
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    last, after = (read_frame(shot, frame, {"motion"}) for frame in (2, 3))
    assert last.notes == after.notes == []
    assert np.isfinite(last.motion[..., :2]).all()
    assert np.isnan(last.motion[..., 2:]).all()
    assert np.isnan(after.motion[..., :2]).all()


def test_motion_blur_leaves_no_motion_and_a_reason(tmp_path):
    cameras = {frame: synthetic.rotated_camera(3.0 * frame) for frame in (1, 2, 3)}
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    for number in shot.frames:
        channels = synthetic.layers(number)
        for name in channels:
            if ".Vector." in name:
                channels[name][:] = 0
        synthetic.write_layers(shot.passes_path(number), channels)
    frame = read_frame(shot, 2, {"motion"})
    assert frame.motion is None
    (note,) = frame.notes
    assert "motion blur" in note
    assert "0002.exr" in note


def test_an_orthographic_camera_that_moves_leaves_the_background_unknown(tmp_path):
    cameras = {
        frame: Camera([*np.diag([1.0, 1.5, -0.1, 1.0]).ravel()], orthographic=True)
        for frame in (1, 2, 3)
    }
    cameras[3].world_to_clip[3] = 0.25
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    frame = read_frame(shot, 2, {"motion", "depth"})
    background = np.isinf(frame.depth)
    assert not frame.motion[background][:, :2].any()
    assert np.isnan(frame.motion[background][:, 2:]).all()


def test_windows_of_a_turning_camera_have_the_backgrounds_motion(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot")
    for number in shot.frames:
        shot.manifest.frames[number].camera = synthetic.rotated_camera(2.0 * number)
    whole = read_frame(shot, 2, {"motion"})
    part = read_frame(shot, 2, {"motion"}, around=0)
    assert part.window.top > 0 or part.window.left > 0
    assert np.array_equal(part.motion, whole.motion[part.window.inside], equal_nan=True)
