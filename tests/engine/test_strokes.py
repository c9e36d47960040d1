# SPDX-License-Identifier: GPL-3.0-or-later
"""The strokes metric tells drawing from blur and embossing, wherever the marks lie."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import shots

from engine.evaluation.flicker_report import measure_flicker
from engine.evaluation.scores import score, ssim
from engine.evaluation.strokes import LEAST, stroke_quantiles, strokes

HEIGHT, WIDTH = 270, 480
WHOLE = np.ones((HEIGHT, WIDTH), bool)


def hatched(seed: int) -> np.ndarray:
    """Short dark strokes in one direction on tinted paper, at places that ``seed`` draws."""
    random = np.random.default_rng(seed)
    pixels = np.full((HEIGHT, WIDTH, 3), (0.85, 0.8, 0.7), np.float32)
    for x, y, length, tone in zip(
        *random.integers((0, 0), (WIDTH, HEIGHT), (3000, 2)).T.tolist(),
        random.integers(8, 20, 3000).tolist(),
        random.uniform(0.1, 0.5, 3000).tolist(),
        strict=True,
    ):
        ends = (x, y), (x + length, y - length)
        cv2.line(pixels, *ends, (tone, 0.8 * tone, 0.9 * tone), 1, cv2.LINE_AA)
    return pixels


def embossed(picture: np.ndarray) -> np.ndarray:
    """A pale relief of a picture on its own paper: what ghosts of strokes look like."""
    grey = picture.mean(axis=2)
    relief = grey - np.roll(grey, (1, 1), axis=(0, 1))
    return (picture.mean(axis=(0, 1)) + 0.5 * relief[..., None]).astype(np.float32)


@pytest.fixture(scope="module")
def painting() -> np.ndarray:
    return hatched(1)


def test_equal_pictures_have_no_distance(painting):
    assert strokes(painting, painting, WHOLE) == 0


def test_the_same_strokes_elsewhere_are_near_though_ssim_sees_nothing_in_common(painting):
    elsewhere = hatched(2)
    assert strokes(elsewhere, painting, WHOLE) < 0.7
    assert strokes(np.roll(painting, (31, 57), axis=(0, 1)), painting, WHOLE) < 0.3
    assert ssim(elsewhere, painting, WHOLE) < 0.3


def test_the_more_blurred_the_farther(painting):
    distances = [
        strokes(cv2.GaussianBlur(hatched(2), (0, 0), sigma), painting, WHOLE)
        for sigma in (0.5, 1, 2, 4)
    ]
    assert distances == sorted(distances)
    assert distances[0] > 3 * strokes(hatched(2), painting, WHOLE)


def test_embossing_is_far_though_it_lies_in_the_right_place(painting):
    found = embossed(painting)
    assert strokes(found, painting, WHOLE) > 10 * strokes(hatched(2), painting, WHOLE)
    assert ssim(found, painting, WHOLE) > ssim(hatched(2), painting, WHOLE)


def test_tones_that_are_no_strokes_do_not_count(painting):
    ramp = np.linspace(0, 0.1, WIDTH, dtype=np.float32)[None, :, None]
    assert strokes(painting + ramp, painting, WHOLE) < 0.7
    assert strokes(painting + ramp, painting, WHOLE) < 0.2 * 255 * ramp.mean()


def test_distances_are_in_codes_of_lightness():
    grey = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    flat = stroke_quantiles(grey, WHOLE)
    assert np.abs(flat).max() < 0.01
    checks = np.indices((HEIGHT, WIDTH)).sum(axis=0) % 2
    light = cv2.cvtColor(grey[:1, :1], cv2.COLOR_RGB2LAB)[0, 0, 0]
    other = cv2.cvtColor(grey[:1, :1] + np.float32(0.1), cv2.COLOR_RGB2LAB)[0, 0, 0]
    drawn = stroke_quantiles(grey + 0.1 * checks[..., None].astype(np.float32), WHOLE)
    # each patch is ± half the step in 49 places; a unit direction sees at most √49 times that
    half = (other - light) * 255 / 100 / 2
    assert 0.3 * half < np.abs(drawn).mean() < 7 * half
    np.testing.assert_allclose(drawn[:, 0], -drawn[:, -1], atol=0.1 * half)


def test_nothing_outside_the_mask_counts_whatever_lies_there(painting):
    mask = np.zeros_like(WHOLE)
    mask[60:200, 100:350] = True
    spoilt = np.where(mask[..., None], painting, np.float32(0))
    np.testing.assert_allclose(
        stroke_quantiles(spoilt, mask), stroke_quantiles(painting, mask), atol=1e-3
    )


def test_a_part_is_measured_alone(painting):
    left = np.zeros_like(WHOLE)
    left[:, : WIDTH // 2] = True
    half_blurred = np.where(left[..., None], cv2.GaussianBlur(painting, (0, 0), 2), painting)
    whole = stroke_quantiles(painting, WHOLE)
    near, far = (
        np.abs(stroke_quantiles(half_blurred, WHOLE, part) - whole).mean() for part in (~left, left)
    )
    assert far > 5 * near


def test_too_few_patches_give_nothing(painting):
    few = np.zeros_like(WHOLE)
    few[:20, :20] = True  # 14 × 14 patches
    assert few.sum() > LEAST > 14 * 14
    assert stroke_quantiles(painting, few) is None
    thin = np.zeros_like(WHOLE)
    thin[::8] = True
    assert strokes(painting, painting, thin) is None


def test_the_command_line_scores_strokes_with_and_without_truth(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", passes=True)
    for frame in shot.frames:
        right = shots.painting(frame)
        shots.write_png(tmp_path / "truth" / f"{frame:04d}.png", right)
        blurred = cv2.GaussianBlur(right, (0, 0), 0.7 * frame)
        shots.write_png(shot.out_path("style", frame), blurred)
    result = shots.run_warm("score", shot.folder, "--truth", tmp_path / "truth", "--json")
    found = json.loads(result.stdout)
    columns = [(one["strokes"], one["strokes_truth"]) for one in found["frames"].values()]
    assert columns == sorted(columns)
    assert all(drawn > 3 * own for drawn, own in columns)

    alone = json.loads(shots.run_warm("score", shot.folder, "--no-truth", "--json").stdout)
    assert list(alone["strokes"]) == ["1", "2", "3", "4"]
    for frame in ("2", "3", "4"):
        assert alone["strokes"][frame] == pytest.approx(found["frames"][frame]["strokes"])
    table = shots.run_warm("score", shot.folder, "--no-truth", "--progress", "none")
    table = table.stdout.splitlines()
    assert table[0].split() == ["frame", "flicker", "(own)", "strokes"]
    assert table[2].split()[3] == f"{alone['strokes']['2']:.3f}"


def test_the_nearest_painting_is_the_measure_and_none_is_no_error(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", keys=(1, 4))
    shots.write_png(shot.key_path(4), cv2.GaussianBlur(shots.painting(4), (0, 0), 3))
    for frame in shot.frames:
        shots.write_png(shot.out_path("style", frame), shots.painting(frame))
    found = measure_flicker(shot, "style").strokes
    assert found[1] == 0 and found[2] < 0.3 * found[3] and found[3] < 1.5 * found[4]
    for key in (1, 4):
        shot.key_path(key).unlink()
    assert measure_flicker(shot, "style").strokes == {}
    truth = shots.make_shot(tmp_path / "other", keys=(1, 2, 3, 4)).folder / "keys"
    assert score(shot, truth).mean.strokes is None
