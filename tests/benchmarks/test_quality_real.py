# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of real pictures go the whole way, and nothing but figures is left of them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.quality import __main__ as quality
from benchmarks.quality import real, real_table
from benchmarks.quality.real import SETS, imported, sets_in
from benchmarks.quality.repeatability import painters_ceiling
from engine.images.pictures import read_picture, write_picture

HEIGHT, WIDTH = 120, 160
FOOTAGE, DANCER = SETS
STEP = 3
"""Pixels that everything moves to the right from frame to frame."""


def footage(step: int) -> np.ndarray:
    """A smooth landscape that moves to the right."""
    world = np.random.default_rng(5).random((HEIGHT, WIDTH + 40, 3)).astype(np.float32)
    world = cv2.normalize(cv2.GaussianBlur(world, (0, 0), 4), None, 0.2, 0.8, cv2.NORM_MINMAX)
    return world[:, 30 - STEP * step : 30 - STEP * step + WIDTH]


def painted(step: int) -> np.ndarray:
    return 1 - np.round(footage(step) * 6) / 6


def write_set(folder: Path, one: real.RealSet, frames: list[int], paintings: list[int]) -> None:
    disc = np.hypot(*(np.indices((HEIGHT, WIDTH)) - [[[HEIGHT / 2]], [[WIDTH / 2]]])) < 50
    for step, frame in enumerate(frames):
        name = f"{frame:03d}.png"
        write_picture(folder / one.name / "input" / name, footage(step))
        for guide in one.guides:
            write_picture(folder / one.name / guide / name, footage(step)[..., ::-1])
        if one.matte:
            matte = np.dstack([disc] * 3).astype(np.float32)
            write_picture(folder / one.name / one.matte / name, matte)
        if frame in paintings:
            write_picture(folder / one.name / one.painted / name, painted(step))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    write_set(tmp_path / "sets", FOOTAGE, [0, 1, 2, 3], [0])
    frames = [1, 50, 100, 150, 200]
    write_set(tmp_path / "sets", DANCER, frames, frames)
    return tmp_path / "sets"


def test_paintings_that_are_left_out_are_not_learnt(sets: Path, tmp_path: Path) -> None:
    assert sets_in(sets) == [FOOTAGE, DANCER]
    shot = imported(sets, DANCER, tmp_path)
    assert shot.key_frames() == [1, 50, 150]
    assert shot.manifest.guides == list(DANCER.guides)
    assert all(shot.matte_path(frame).is_file() for frame in shot.frames)


def test_a_painter_who_repeats_exactly_has_a_high_ceiling(sets: Path, tmp_path: Path) -> None:
    shot = imported(sets, DANCER, tmp_path)
    folder = sets / DANCER.name / DANCER.painted
    exact = painters_ceiling(shot, folder)
    assert exact is not None and exact.pairs > 0 and exact.psnr_of_pictures > 36
    for frame in (50, 150):
        picture = read_picture(folder / f"{frame:03d}.png").pixels[..., :3]
        noise = np.random.default_rng(frame).normal(0, 0.1, picture.shape)
        write_picture(folder / f"{frame:03d}.png", np.clip(picture + noise, 0, 1).astype("f4"))
    loose = painters_ceiling(shot, folder)
    assert loose is not None
    assert exact.psnr > loose.psnr + 2 and exact.ssim > loose.ssim + 0.1


def test_one_painting_tells_nothing_about_repeating(sets: Path, tmp_path: Path) -> None:
    shot = imported(sets, FOOTAGE, tmp_path)
    assert painters_ceiling(shot, sets / FOOTAGE.name / FOOTAGE.painted) is None


def test_the_table_has_figures_and_nothing_else_is_left(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path for path in sets.rglob("*"))
    words = ["--only", "lynx", "--only", "platinum", "--real", str(sets), "--seconds", "1"]
    outputs = ["--json", str(tmp_path / "q.json"), "--cache", str(tmp_path / "cache")]
    assert quality.main([*words, *outputs, "--device", "cpu", "--methods", "fast"]) == 0
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if line.startswith("|")]
    at = lines.index(f"| {' | '.join(real_table.HEAD)} |")
    assert [line.split(" | ")[0] for line in lines[at + 2 :]] == ["| lynx", "| platinum"]
    assert "The painter of platinum was compared" in text
    footage_row, dancer_row = json.loads((tmp_path / "q.json").read_text())["real"]
    scores = footage_row["scores"]
    assert scores["psnr"] is None and footage_row["ceiling"] is None
    assert all(scores[name] > 0 for name in ("texture", "strokes", "flicker", "flicker_own"))
    scores = dancer_row["scores"]
    assert scores["flicker"] is None and dancer_row["ceiling"]["pairs"] > 0
    assert all(scores[name] > 0 for name in ("psnr", "ssim", "texture", "strokes", "strokes_truth"))
    assert all(set(row["scores"]["grid"]) == {"2", "4"} for row in (footage_row, dancer_row))
    assert sorted(path for path in sets.rglob("*")) == before
    assert not (tmp_path / "cache").exists()


def test_a_folder_without_sets_says_which_it_needs(tmp_path: Path, capsys) -> None:
    assert quality.main(["--only", "lynx", "--real", str(tmp_path)]) == 1
    assert "it needs a folder lynx or platinum" in capsys.readouterr().err
