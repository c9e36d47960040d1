# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of odd sizes and passes of odd values: whole shots go through the command line."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import synthetic
import torch
from painted_checks import assert_keyframes_closest, assert_painted, difference
from painted_scenes import Scene
from real_sizes import Project, write

from engine.frames.pass_cleaning import LONGEST_MOTION
from engine.motion.optical_flow import NeighbourMotion, occluded
from engine.motion.track_cache import TrackCache
from engine.motion.tracking import extend_track, pixel_scale, start_track
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.dataset import read_training_set
from engine.training.temporal_pairs import PairPatches, read_pairs, temporal_loss

SMALL = ("--network", "small")


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (5, 1), (200, 3), (8, 8)])
def test_the_smallest_frames(tmp_path, size):
    network = "paper" if size == (1, 9) else "small"
    project = Project(tmp_path, Scene(*size, opaque=True))
    project.make()
    faster = ("--patch", 12, "--batch", 4, "--blocks", 1) if network == "paper" else ()
    project.train("--network", network, *faster, "--steps", 2)
    project.stylize()
    for frame in project.frames:
        assert project.result(frame).shape == (size[1], size[0], 4)
    project.engine("preview", project.shot)


@pytest.mark.parametrize(("size", "captured"), [((64, 4096), False), ((16384, 16), True)])
def test_strips(tmp_path, size, captured):
    project = Project(tmp_path, Scene(*size), frames=2)
    if captured:
        project.capture(surface=True)
    else:
        project.make()
    project.train(*SMALL, "--steps", 2)
    project.stylize("--frames", 2)
    assert project.result(2).shape == (size[1], size[0], 4)


def _spoil(project: Project, frame: int, values: dict[str, float]) -> None:
    """Set whole channels of a captured frame's passes."""
    path = project.shot / "frames" / f"{frame:04d}.exr"
    layers = synthetic.read_layers(path)
    for name, value in values.items():
        layers[f"{synthetic.LAYER}.{name}"][:] = value
    synthetic.write_layers(path, layers, many_parts=True)


def test_a_cut_in_a_captured_shot(tmp_path):
    """At a cut the renderer's motion is millions of pixels long, or no number at all."""
    project = Project(tmp_path, Scene(480, 270, opaque=False), frames=4)
    project.capture(surface=True)
    _spoil(project, 2, {"Vector.Z": 1e6, "Vector.W": -3e37})
    _spoil(project, 3, {"Vector.X": -1e6, "Vector.Y": math.inf})
    project.train(*SMALL, "--steps", 20)
    project.stylize()
    assert_keyframes_closest(project, assert_painted(project, share=0.5))


def test_a_cut_in_footage_carries_nothing_across(tmp_path):
    """Some places look alike on both sides by chance."""
    project = Project(tmp_path, Scene(480, 270), frames=4)
    for frame in project.frames:
        pixels = project.scene.render(frame)
        write(tmp_path / "input" / f"{frame:04d}.png", pixels if frame < 3 else pixels[:, ::-1])
    project.engine("import", project.shot, "--input", tmp_path / "input")
    tracks = TrackCache(Shot.open(project.shot), 1, Silent())
    known = [tracks.track(frame).known().mean() for frame in project.frames]
    assert known[0] == 1
    assert known[1] > 0.8
    assert known[2:] == [0, 0]


def test_motion_too_long_is_no_pair_of_the_temporal_loss(tmp_path):
    project = Project(tmp_path, Scene(480, 270, opaque=False), frames=3)
    project.capture(surface=True)
    _spoil(project, 2, {"Vector.Z": 7e4, "Vector.X": 7e4})
    _spoil(project, 3, {"Vector.X": math.nan})
    shot = Shot.open(project.shot)
    training_set = read_training_set(shot, [], ["colour"], 0, Silent())
    assert read_pairs(shot, training_set, 0) == []
    project.capture(surface=True)
    layers = synthetic.read_layers(project.shot / "frames" / "0002.exr")
    layers[f"{synthetic.LAYER}.Vector.X"][:, :240] = 7e4
    synthetic.write_layers(project.shot / "frames" / "0002.exr", layers, many_parts=True)
    pairs = read_pairs(shot, training_set, 0)
    patches = PairPatches(pairs, torch.device("cpu"), 64)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        x, offsets, weight = patches.draw(4, generator)
        assert temporal_loss(x[:, :3], offsets, weight).isfinite()


def test_passes_without_a_number_anywhere(tmp_path):
    """As of a renderer that failed: the picture alone is left."""
    project = Project(tmp_path, Scene(480, 270))
    project.capture(surface=True)
    spoilt = {"Vector.X": math.nan, "Vector.W": -1e30, "Depth.Z": math.inf}
    spoilt |= {"Normal.X": math.nan, "Normal.Y": 1e30, "paintover_surface.R": math.inf}
    _spoil(project, 2, spoilt)
    project.train(*SMALL, "--steps", 10)
    project.stylize("--format", "exr")
    assert np.isfinite(project.result(2, suffix=".exr")).all()
    (project.shot / "out" / "style" / "0002.exr").unlink()
    assert_painted(project, share=0.9, blur=8, suffix=".exr")


def test_black_frames(tmp_path):
    """As before a fade: nothing moves, and the paint is all that the frames show."""
    project = Project(tmp_path, Scene(480, 270))
    project.write("painted")
    for frame in project.frames:
        write(tmp_path / "input" / f"{frame:04d}.png", np.zeros((270, 480, 3), np.float32))
    painted = tmp_path / "painted"
    project.engine("import", project.shot, "--input", tmp_path / "input", "--painted", painted)
    project.train(*SMALL, "--steps", 15)
    project.stylize("--frames", 2)
    whole = np.ones((270, 480), bool)
    assert difference(project.result(2), project.scene.painting(1), whole) < 25


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (2, 2), (3, 200)])
@pytest.mark.parametrize("length", [0.0, 1.0, LONGEST_MOTION, -LONGEST_MOTION])
def test_tracks_of_small_pictures_and_long_motion(shape, length):
    offsets = np.full((*shape, 2), length, np.float32)
    step = NeighbourMotion(offsets, -offsets, np.ones(shape, bool))
    track = extend_track(start_track(shape), step)
    assert np.isfinite(pixel_scale(track)).all()
    if abs(length) > 1:
        assert not track.known().any()
        assert occluded(offsets, -offsets).all()
    elif not length and min(shape) > 1:
        assert track.known().all()


def test_an_empty_mask_is_a_sentence(tmp_path):
    project = Project(tmp_path, Scene(480, 270))
    project.make()
    cv2.imwrite(str(project.shot / "keys" / "0001.mask.png"), np.zeros((270, 480), np.uint8))
    with pytest.raises(AssertionError, match=r"0001\.mask\.png is empty \(all black\)"):
        project.train(*SMALL, "--steps", 2)
