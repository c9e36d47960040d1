# SPDX-License-Identifier: GPL-3.0-or-later
"""Training on small real shots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import shots
import synthetic
import torch
from safetensors.torch import load_file

from engine.frames.keyframe import read_keyframe
from engine.images.pictures import read_picture, write_picture
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.networks.style_file import load_style
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header
from engine.training.dataset import read_training_set
from engine.training.resume import load_run


class Report(Silent):
    """Notes what it hears, and cancels when asked for the ``stop_at``-th time."""

    def __init__(self, stop_at: int = -1) -> None:
        self.told: list[tuple[str, float, float, str]] = []
        self.pictures: list[tuple[int, np.ndarray]] = []
        self.warnings: list[str] = []
        self._stop_at, self._asked = stop_at, 0

    def progress(self, step, fraction, seconds_left, text):
        self.told.append((step, fraction, seconds_left, text))

    def picture(self, frame, rgba):
        self.pictures.append((frame, rgba))

    def warned(self, sentence):
        self.warnings.append(sentence)

    def cancelled(self):
        self._asked += 1
        return self._asked == self._stop_at


def request(shot: Shot, steps: int = 6, **more) -> protocol.Train:
    values = {"network": "small", "device": "cpu", **more}
    return protocol.Train(1, str(shot.folder), steps=steps, **values)


@pytest.fixture
def shot(tmp_path) -> Shot:
    shot = synthetic.make_shot(tmp_path / "shot")
    synthetic.paint(shot, 1)
    return shot


def weights(shot: Shot, style: str = "style") -> dict[str, torch.Tensor]:
    return load_file(shot.style_path(style))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_a_style_tells_what_its_network_sees_of_all_the_shot(shot, monkeypatch):
    train(request(shot), Silent())
    network, _, seen, _ = load_style(shot.style_path("style"))
    assert seen is not None and seen.fits(network)
    assert all((span.above >= 0).all() and (span.below >= 0).all() for span in seen.ranges.values())
    monkeypatch.setattr("engine.training.temporal_pairs.PairPatches.later_inputs", lambda _self: ())
    train(request(shot), Silent())
    less = load_style(shot.style_path("style")).activations
    assert less is not None
    assert all((seen.ranges[name].above >= less.ranges[name].above).all() for name in seen.ranges)
    assert any((seen.ranges[name].above > less.ranges[name].above).any() for name in seen.ranges)
    train(request(shot, network="paper", settings={"blocks": 1}), Silent())
    assert load_style(shot.style_path("style"))[2] is None


def test_the_painting_is_learnt(shot):
    report = Report()
    result = train(request(shot, 120), report)
    assert result["steps"] == 120
    header = read_style_header(shot.style_path("style"))
    assert header.steps == 120
    assert header.guides[-1] == "projection"
    assert header.trained_on == {1: shot.key_digest(1)}
    assert header.paintings == {1: shot.painting_digest(1)}
    losses = [row[2] for row in header.curve]
    held = [row[3] for row in header.curve]
    assert losses[-1] < 0.8 * losses[0]
    assert min(held) < 0.8 * held[0]
    assert result["held_out"] == pytest.approx(min(held), abs=1e-4)
    assert [told[1] for told in report.told] == sorted(told[1] for told in report.told)
    stylize(protocol.Stylize(2, str(shot.folder), device="cpu"), Silent())
    for frame in (1, 3):
        truth = synthetic.picture(frame)
        painted = read_picture(shot.out_path("style", frame)).pixels
        seen = truth[..., 3] > 0.99
        target = truth[..., [1, 2, 0]]
        wrong = np.abs(painted[..., :3] - target)[seen].mean()
        assert wrong < 0.4 * np.abs(truth[..., :3] - target)[seen].mean()
        assert (
            np.abs(painted[..., 3] - read_picture(shot.image_path(frame)).pixels[..., 3]).max() == 0
        )


def test_the_seed_decides_everything(shot):
    for style, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(request(shot, style=style, seed=seed), Silent())
    assert same(weights(shot, "a"), weights(shot, "b"))
    assert not same(weights(shot, "a"), weights(shot, "c"))


def test_a_resumed_run_equals_an_uninterrupted_one(shot):
    train(request(shot, 24, style="whole"), Silent())
    with pytest.raises(Cancelled):
        train(request(shot, 24, style="parts"), Report(stop_at=14))
    cut = read_style_header(shot.style_path("parts"))
    assert cut.steps == 13
    train(request(shot, 24, style="parts", resume=True), Silent())
    assert same(weights(shot, "whole"), weights(shot, "parts"))
    whole, parts = (
        load_file(shot.style_folder(style) / "resume.safetensors") for style in ("whole", "parts")
    )
    assert same(whole, parts)
    curves = [read_style_header(shot.style_path(style)).curve for style in ("whole", "parts")]
    assert [[row[0], row[2], row[3]] for row in curves[0]] == [
        [row[0], row[2], row[3]] for row in curves[1]
    ]


def test_a_finished_run_goes_on_with_another_budget(shot):
    train(request(shot, 6), Silent())
    before = weights(shot)
    assert train(request(shot, 5, resume=True), Silent())["steps"] == 11
    assert not same(before, weights(shot))
    assert "Resumed" in (shot.style_folder("style") / "train.log").read_text(encoding="utf-8")


def test_going_on_from_another_style_begins_there(shot):
    train(request(shot, 40, style="first"), Silent())
    began = train(request(shot, 1, style="second", from_style="first"), Silent())
    fresh = train(request(shot, 1, style="third"), Silent())
    assert began["held_out"] < 0.8 * fresh["held_out"]
    path = str(shot.style_path("first"))
    train(request(shot, 1, style="fourth", from_style=path), Silent())
    assert same(weights(shot, "second"), weights(shot, "fourth"))


def test_the_budget_can_be_seconds(shot):
    report = Report()
    result = train(request(shot, 0, seconds=1.0), report)
    assert result["steps"] > 0
    assert report.told[-1][:2] == ("train", 1.0)


def test_reading_the_shot_is_part_of_the_seconds(shot, monkeypatch):
    def read_slowly(*words, **named):
        time.sleep(1)
        return read_training_set(*words, **named)

    monkeypatch.setattr("engine.jobs.train.read_training_set", read_slowly)
    train(request(shot, 0, seconds=2.0), Report())
    assert load_run(shot.style_folder("style")).budget.seconds == 1
    log = (shot.style_folder("style") / "train.log").read_text()
    assert float(log.partition("set-up ")[2].split()[0]) >= 1


def test_cancelling_before_the_first_step_leaves_the_old_style(shot):
    train(request(shot), Silent())
    before = shot.style_path("style").read_bytes()
    with pytest.raises(Cancelled):
        train(request(shot), Report(stop_at=1))
    assert shot.style_path("style").read_bytes() == before


def test_pixels_outside_the_mask_never_influence(shot):
    mask = np.zeros((synthetic.HEIGHT, synthetic.WIDTH, 3), np.float32)
    mask[12:50, 40:70] = 1
    write_picture(shot.key_mask_path(1), mask)
    train(request(shot, style="a"), Silent())
    key = shot.key_path(1)
    pixels = read_picture(key).pixels.copy()
    pixels[..., :3] = np.where(mask > 0, pixels[..., :3], 0.77)
    write_picture(key, pixels)
    train(request(shot, style="b"), Silent())
    assert same(weights(shot, "a"), weights(shot, "b"))
    pixels[20, 50, :3] = 1 - pixels[20, 50, :3]
    write_picture(key, pixels)
    train(request(shot, style="c"), Silent())
    assert not same(weights(shot, "a"), weights(shot, "c"))


def test_several_keyframes_are_all_learnt(shot):
    synthetic.paint(shot, 3)
    train(request(shot, 2), Silent())
    assert set(read_style_header(shot.style_path("style")).trained_on) == {1, 3}
    train(request(shot, 2, keys=[3]), Silent())
    assert set(read_style_header(shot.style_path("style")).trained_on) == {3}


def test_painted_alpha_is_learnt(shot):
    pixels = synthetic.picture(1)[..., [1, 2, 0, 3]]
    pixels[..., 3] *= 0.5
    write_picture(shot.key_path(1), np.ascontiguousarray(pixels))
    train(request(shot, 80), Silent())
    wanted = protocol.Stylize(
        2, str(shot.folder), frames=[2], device="cpu", unpainted=protocol.UNPAINTED_NOTHING
    )
    stylize(wanted, Silent())
    alpha = read_picture(shot.out_path("style", 2)).pixels[..., 3]
    solid = synthetic.picture(2)[..., 3] == 1
    assert alpha[solid].mean() == pytest.approx(0.5, abs=0.12)


def test_an_outline_beyond_the_frame_s_alpha_does_not_fill_what_is_empty(shot):
    pixels = synthetic.picture(1)[..., [1, 2, 0, 3]]
    pixels[..., 3] = cv2.dilate(pixels[..., 3], np.ones((5, 5)))
    write_picture(shot.key_path(1), np.ascontiguousarray(pixels))
    train(request(shot, 80), Silent())
    stylize(protocol.Stylize(2, str(shot.folder), frames=[2], device="cpu"), Silent())
    alpha = read_picture(shot.out_path("style", 2)).pixels[..., 3]
    assert alpha[:, :25].max() < 0.1


def test_an_opaque_painting_gives_opaque_frames(shot):
    synthetic.paint(shot, 1, alpha=False)
    train(request(shot, 2), Silent())
    stylize(protocol.Stylize(2, str(shot.folder), frames=[2], device="cpu"), Silent())
    assert (read_picture(shot.out_path("style", 2)).pixels[..., 3] == 1).all()


def test_plain_footage_is_learnt_without_passes(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    train(request(shot, 80), Silent())
    names = load_style(shot.style_path("style"))[1].guides
    assert names == ["colour", "alpha", "gaussians", "projection"]
    stylize(protocol.Stylize(2, str(shot.folder), frames=[3], device="cpu"), Silent())
    painted = read_picture(shot.out_path("style", 3)).pixels[..., :3]
    truth, frame = shots.painting(3), shots.picture(3)
    seen = truth[..., 3] > 0
    wrong = np.abs(painted - truth[..., :3])[seen].mean()
    assert wrong < 0.7 * np.abs(frame[..., :3] - truth[..., :3])[seen].mean()


def test_live_pictures_come_only_when_wanted(shot):
    report = Report()
    train(request(shot, 3), report)
    assert report.pictures == []
    live = protocol.LivePicture("", 3, 48, 32)
    train(request(shot, 3, live=live), report)
    assert report.pictures[0][0] == 3
    assert report.pictures[0][1].shape == (32, 48, 4)
    assert report.pictures[0][1].dtype == np.uint8
    missing = protocol.LivePicture("", 99, 48, 32)
    train(request(shot, 3, live=missing), report)
    assert "no live picture" in report.warnings[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"network": "huge"}, "huge"),
        ({"device": "tpu"}, "tpu"),
        ({"style": "a/b"}, "a/b"),
        ({"guides": ["colour", "depths"]}, "depths"),
        ({"from_style": "none"}, "none.safetensors"),
        ({"resume": True}, "resume"),
        ({"keys": [2]}, "0002.png"),
    ],
)
def test_what_cannot_be_trained_is_a_sentence(shot, more, words):
    with pytest.raises(PaintoverError, match=words):
        train(request(shot, 2, **more), Silent())
    assert not shot.style_path("other").exists()


def test_a_run_that_had_no_time_for_a_step_goes_on(shot):
    train(request(shot, 0, seconds=0.001), Silent())
    assert read_style_header(shot.style_path("style")).steps == 0
    train(request(shot, 2, resume=True), Silent())
    assert read_style_header(shot.style_path("style")).steps == 2


def test_a_damaged_resume_state_is_a_sentence(shot):
    train(request(shot, 2), Silent())
    path = shot.style_folder("style") / "resume.safetensors"
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(PaintoverError, match=r"resume\.safetensors"):
        train(request(shot, 2, resume=True), Silent())


def test_a_killed_training_leaves_the_old_style_readable(shot):
    train(request(shot, 2), Silent())
    before = shot.style_path("style").read_bytes()
    words = ["train", str(shot.folder), "--network", "small", "--seconds", "300"]
    log = shot.style_folder("style") / "train.log"
    log.unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *words, "--device", "cpu"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    curve = shot.style_folder("style") / "curve.csv"
    curve.unlink()
    while not curve.is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert shot.style_path("style").read_bytes() == before
    load_style(shot.style_path("style"))
    assert read_keyframe(shot, 1).frame == 1
