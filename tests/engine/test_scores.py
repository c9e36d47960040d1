# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores against values computed by hand."""

from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest
import shots

from engine.evaluation import scores
from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot

ALL = np.ones((64, 96), bool)


def _noise(seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).random((64, 96, 3)).astype(np.float32)
    return cv2.GaussianBlur(pixels, (0, 0), 1.5) * 0.8


def _write_results(shot: Shot, make) -> None:
    for frame in shot.frames:
        shots.write_png(shot.out_path("style", frame), make(frame))


@pytest.fixture
def shot(tmp_path):
    return shots.make_shot(tmp_path / "shot", passes=True)


@pytest.fixture
def truth(tmp_path, shot):
    for frame in shot.frames:
        shots.write_png(tmp_path / "truth" / f"truth.{frame:04d}.png", shots.painting(frame))
    return tmp_path / "truth"


def test_identical_pictures_score_perfectly():
    image = _noise()
    assert scores.psnr(image, image, ALL) == math.inf
    assert scores.ssim(image, image, ALL) == pytest.approx(1)
    assert scores.flip(image, image, ALL) == 0


def test_a_known_offset_gives_a_known_psnr():
    image = _noise()
    assert scores.psnr(image + np.float32(0.1), image, ALL) == pytest.approx(20, abs=1e-3)
    mask = ALL.copy()
    mask[:, :48] = False
    half = image.copy()
    half[:, :48] += 0.5
    half[:, 48:] += 0.01
    assert scores.psnr(half, image, mask) == pytest.approx(40, abs=1e-3)


def test_flip_and_ssim_see_a_difference_only_in_the_mask():
    image = _noise()
    other = image.copy()
    other[:, :40] = 1 - other[:, :40]
    far = np.zeros_like(ALL)
    far[:, 80:] = True
    assert scores.ssim(other, image, far) == pytest.approx(1)
    assert scores.ssim(other, image, ~far) < 0.8
    assert scores.flip(other, image, ~far) > 0.2 > scores.flip(other, image, far)


def test_gradient_is_the_mean_step_inside_the_mask():
    ramp = np.zeros((4, 6, 3), np.float32)
    ramp += np.arange(6, dtype=np.float32)[None, :, None] * 0.1
    mask = np.ones((4, 6), bool)
    # 4 rows × 5 steps across of 0.1, 3 × 6 steps down of 0
    assert scores.gradient(ramp, mask) == pytest.approx(0.1 * 20 / 38)
    mask[:, 3:] = False
    assert scores.gradient(ramp, mask) == pytest.approx(0.1 * 8 / 17)


def test_a_blurred_picture_has_less_texture_than_the_truth():
    image = _noise()
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    ratio = scores.gradient(blurred, ALL) / scores.gradient(image, ALL)
    assert ratio < 0.7


def test_the_truth_itself_scores_perfectly(shot, truth):
    _write_results(shot, shots.painting)
    found = scores.score(shot, truth)
    assert list(found.frames) == [2, 3, 4]  # 1 is the keyframe
    assert found.mean.psnr == math.inf
    assert found.mean.ssim == pytest.approx(1)
    assert (found.mean.flip, found.mean.texture) == (0, 1)
    assert found.mean.flicker == found.mean.flicker_truth == pytest.approx(0, abs=1e-3)
    assert found.as_data()["mean"]["psnr"] is None


def test_alternating_brightness_is_the_known_flicker(shot, truth):
    def alternating(frame):
        pixels = shots.painting(frame)
        pixels[..., :3] *= 0.5
        pixels[..., :3] += 20 / 255 * (frame % 2)
        return pixels

    for frame in shot.frames:
        pixels = shots.painting(frame)
        pixels[..., :3] *= 0.5
        shots.write_png(truth / f"truth.{frame:04d}.png", pixels)
    _write_results(shot, alternating)
    found = scores.score(shot, truth)
    for frame in (2, 3, 4):
        assert found.frames[frame].flicker == pytest.approx(20, abs=0.6)
        assert found.frames[frame].flicker_truth == pytest.approx(0, abs=0.01)


def test_what_lies_outside_the_mask_counts_nothing(shot, truth):
    def spoilt_outside(frame):
        pixels = shots.painting(frame)
        pixels[pixels[..., 3] == 0] = (1, 0, 0, 0)
        return pixels

    _write_results(shot, spoilt_outside)
    assert scores.score(shot, truth).mean.psnr == math.inf


def test_the_mask_guide_wins_over_alpha(shot, truth):
    left_half = np.zeros((64, 96, 1), np.float32)
    left_half[:, :30] = 1
    for frame in shot.frames:
        shots.write_png(shot.guide_path("mask", frame), left_half)
    shot.manifest.guides = ["mask"]
    shot.save()

    def spoilt_right(frame):
        pixels = shots.painting(frame)
        pixels[:, 30:] = (1, 0, 0, 1)
        return pixels

    _write_results(shot, spoilt_right)
    assert scores.score(shot, truth).mean.psnr == math.inf


def test_missing_and_wrong_pictures_are_named(shot, truth):
    with pytest.raises(PaintoverError, match=r"0002\.png.*stylize"):
        scores.score(shot, truth)
    _write_results(shot, shots.painting)
    with pytest.raises(PaintoverError, match=r"right pictures has none of frame 4"):
        (truth / "truth.0004.png").unlink()
        scores.score(shot, truth, frames=[4])
    with pytest.raises(PaintoverError, match=r"no frame to score"):
        scores.score(shot, truth, frames=[1])
    shots.write_png(truth / "truth.0002.png", np.zeros((32, 96, 3)))
    with pytest.raises(PaintoverError, match=r"truth\.0002\.png is 96×32.*96×64"):
        scores.score(shot, truth)


def test_command_line_prints_a_table_and_json(shot, truth):
    def darker(frame):
        pixels = shots.painting(frame)
        pixels[..., :3] *= 0.8
        return pixels

    _write_results(shot, darker)
    table = shots.run_engine("score", shot.folder, "--truth", truth)
    assert table.returncode == 0, table.stderr
    assert "psnr" in table.stdout
    assert table.stdout.splitlines()[-1].split()[0] == "mean"
    result = shots.run_engine("score", shot.folder, "--truth", truth, "--json", "--frames", "2-3")
    data = json.loads(result.stdout)
    assert list(data["frames"]) == ["2", "3"]
    expected = scores.score(shot, truth, frames=[2, 3]).mean
    assert data["mean"]["psnr"] == pytest.approx(expected.psnr)
    assert data["mean"]["texture"] == pytest.approx(0.8, abs=0.03)


def test_jod_is_a_number_or_a_sentence_how_to_get_it(shot, truth):
    _write_results(shot, shots.painting)
    result = shots.run_engine("score", shot.folder, "--truth", truth, "--jod", "--json")
    if result.returncode == 0:
        assert json.loads(result.stdout)["mean"]["jod"] == pytest.approx(10, abs=0.01)
    else:
        shots.assert_one_sentence(result, "cvvdp", "pip install --no-deps")
