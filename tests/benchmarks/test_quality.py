# SPDX-License-Identifier: GPL-3.0-or-later
"""The quality benchmark: styles stick to surfaces, and one tiny pair goes the whole way."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.quality import __main__ as quality
from benchmarks.quality import table
from benchmarks.quality.pairs import PAIRS, SHORT, Pair, choose
from benchmarks.quality.shots import SHOTS
from benchmarks.quality.styles import STYLES
from benchmarks.quality.styles.look import Look
from benchmarks.quality.truth import make_truth, paint_frame
from benchmarks.quality.uncarried import more_scores, uncarried
from engine.frames.frame import Frame, read_frame
from engine.images.pictures import read_picture, write_picture
from engine.motion.optical_flow import to_previous, warp
from engine.shared.errors import PaintoverError

HEIGHT, WIDTH = 48, 64
MARGIN = 16
TINY = dataclasses.replace(
    SHORT, width=128, height=72, frames=6, seconds=2.0, methods=("fast", "projection", "moved")
)
PAIR = Pair("head", "cel")


def made_up_frame(shift: int) -> Frame:
    """A wavy, lit sheet with a step in it, ``shift`` pixels further to the right."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    u, v = (x - shift) / 30, y / 30
    step = u > 1
    light = 0.5 + 0.5 * np.sin(3 * u) * np.cos(2 * v)
    albedo = np.dstack([0.7 + 0.2 * np.sin(5 * u), 0.5 + 0 * u, 0.4 + 0.2 * np.cos(4 * v)])
    shape = (HEIGHT, WIDTH)
    return Frame(
        1,
        image=(albedo * light[..., None]).astype(np.float32),
        alpha=np.ones(shape, np.float32),
        normal=np.dstack([0 * u, 0 * u - 1, 0 * u]).astype(np.float32),
        depth=np.where(step, 4, 5).astype(np.float32),
        albedo=albedo.astype(np.float32),
        object=np.where(step, 12, 5).astype(np.int32),
        surface=np.dstack([u, v, 0.3 * u * v]).astype(np.float32),
    )


@pytest.mark.parametrize("style", STYLES)
def test_a_style_sticks_to_a_surface_that_moves(style: str) -> None:
    shift = 6
    first, second = (STYLES[style].paint(Look(made_up_frame(moved))).colour for moved in (0, shift))
    same = np.s_[MARGIN:-MARGIN, MARGIN : -MARGIN - shift]
    moved_back = second[:, shift:][same]
    assert np.abs(first[:, :-shift][same] - moved_back).max() < 0.02
    assert first[same].std() > 0.03
    assert np.abs(first[same] - second[same]).mean() > 0.01


@pytest.mark.parametrize("style", STYLES)
def test_a_style_draws_what_the_render_has_not(style: str) -> None:
    frame = made_up_frame(0)
    painted = paint_frame(Pair("room", style), frame, frame)
    assert painted.shape == (HEIGHT, WIDTH, 4)
    assert np.isfinite(painted).all()
    assert np.abs(painted[..., :3] - frame.image).mean() > 0.03


def test_all_pairs_are_of_known_shots_and_styles() -> None:
    assert {pair.shot for pair in PAIRS} == set(SHOTS) - {"figure"}
    assert {pair.style for pair in PAIRS} == set(STYLES)
    assert choose([], PAIRS) == list(PAIRS)
    assert choose(["room:cel"], PAIRS) == [Pair("room", "cel")]
    assert choose(["room:cel:plain"], PAIRS) == [Pair("room", "cel", passes=False)]
    with pytest.raises(PaintoverError, match="SHOT:STYLE:plain"):
        choose(["room:cel:bare"], PAIRS)
    assert Pair("room", "cel", (0, 1)).key_frames(30) == [1, 30]
    with pytest.raises(PaintoverError, match="SHOT:STYLE"):
        choose(["room:oil"], PAIRS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("quality")


def test_a_truth_is_made_once_and_is_stable_along_the_surface(cache: Path) -> None:
    told: list[str] = []
    truth = make_truth(PAIR, TINY, cache, told.append)
    assert [line.split()[0] for line in told] == ["rendering", "rendering", "painting"]
    again = make_truth(PAIR, TINY, cache, told.append)
    assert len(told) == 3 and again.folder == truth.folder

    shot = truth.shot
    assert {"surface", "object", "motion", "normal", "albedo"} <= set(shot.manifest.passes)
    assert shot.key_frames() == [1] and shot.key_is_painted(1)
    last = shot.frames[-1]
    before, now = (
        np.ascontiguousarray(read_picture(truth.folder / f"{frame:04d}.png").rgb)
        for frame in (last - 1, last)
    )
    offsets, seen = to_previous(shot, last)
    seen &= read_frame(shot, last, ()).alpha > 0.5
    moved = np.abs(warp(before, offsets)[0] - now)[seen].mean()
    assert moved < 0.6 * np.abs(before - now)[seen].mean()
    assert truth.unsteady < 0.4


def test_the_table_has_every_column_for_every_method(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "SHORT", TINY)
    words = ["--short", "--only", PAIR.name, "--cache", str(cache), "--device", "cpu"]
    file = tmp_path / "q.json"
    outputs = ["--json", str(file), "--sheets", str(tmp_path / "sheets")]
    keep = ["--keep", str(tmp_path / "kept.jsonl")]
    assert quality.main([*words, *outputs, *keep]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    _check_kept(words, keep, lines, monkeypatch, capsys)
    distances = next(number for number, line in enumerate(lines) if "| 1 | 5 | 10 |" in line)
    assert len(lines) == 2 * distances
    by_distance = [line.split(" | ") for line in lines[distances + 2 :]]
    assert all("/" in cells[2] and cells[4].startswith("–") for cells in by_distance)
    lines = lines[:distances]
    assert lines[0] == f"| {' | '.join(table.HEAD)} |"
    assert len(lines) == 2 + len(TINY.methods)
    assert all(line.count("|") == lines[0].count("|") for line in lines)

    rows = {row["method"]: row for row in json.loads(file.read_text())["rows"]}
    assert list(rows) == list(TINY.methods)
    for row in rows.values():
        mean = row["scores"]["mean"]
        names = ("psnr", "ssim", "flip", "texture", "flicker_truth", "strokes", "strokes_truth")
        numbers = [mean[name] for name in names]
        assert all(np.isfinite(numbers)) and row["seconds_a_frame"] > 0
        assert 1 not in row["scores"]["frames"]
        assert 0 < row["more"]["share"] < 1 and row["more"]["texture"] > 0
    assert rows["moved"]["more"]["keyframes"] is None  # equal
    assert rows["fast"]["more"]["keyframes"] is None or rows["fast"]["more"]["keyframes"] > 40
    assert rows["projection"]["more"]["share"] == rows["fast"]["more"]["share"]
    assert rows["fast"]["training_seconds"] > 0
    assert rows["moved"]["training_seconds"] is None
    sheet = read_picture(tmp_path / "sheets" / "head-cel.png").pixels
    assert sheet.shape[0] > (2 + len(TINY.methods)) * TINY.height

    truth = make_truth(PAIR, TINY, cache, lambda _: None)
    frames = tmp_path / "other program"
    for frame in truth.shot.frames[:4]:
        picture = read_picture(truth.folder / f"{frame:04d}.png").pixels
        write_picture(frames / f"result_{frame:03d}.png", picture)
    assert quality.main([*words, "--frames", str(frames)]) == 0
    last = capsys.readouterr().out.splitlines()[2]
    assert "other program" in last and "equal" in last and "1.000" in last


def _check_kept(words, keep, lines, monkeypatch, capsys) -> None:
    """Rows are not measured again, but for the one whose line was torn."""
    file = Path(keep[1])
    file.write_text(file.read_text()[:-100])
    measured = []
    real_run = quality.run

    def run(method, *others):
        measured.append(method)
        return real_run(method, *others)

    monkeypatch.setattr(quality, "run", run)
    assert quality.main([*words, *keep]) == 0
    again = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert measured == [TINY.methods[-1]]
    assert again[: len(TINY.methods) + 1] == lines[: len(TINY.methods) + 1]
    assert quality.main([*words, *keep, "--seconds", "1", "--methods", "projection"]) == 0
    assert measured == [TINY.methods[-1], "projection"]
    capsys.readouterr()


def test_scores_of_new_parts_see_those_alone(cache: Path) -> None:
    truth = make_truth(Pair("head", "pencil"), TINY, cache, lambda _: None)
    where = uncarried(truth.shot, truth.keys)
    assert list(where) == truth.shot.frames[1:]
    for frame in truth.shot.frames:
        right = read_picture(truth.folder / f"{frame:04d}.png").pixels[..., :3]
        blurred = cv2.GaussianBlur(right, (0, 0), 3)
        new = where.get(frame, np.ones(right.shape[:2], bool))[..., None]
        write_picture(truth.shot.out_path("new", frame), np.where(new, blurred, right))
        write_picture(truth.shot.out_path("old", frame), np.where(new, right, blurred))
    new_blurred, old_blurred = (more_scores(truth, name, where) for name in ("new", "old"))
    assert 0.01 < new_blurred.share == old_blurred.share < 0.9
    assert new_blurred.texture and new_blurred.texture < 0.6
    assert old_blurred.texture == pytest.approx(1)
    assert new_blurred.strokes_truth == pytest.approx(old_blurred.strokes_truth)
    assert new_blurred.strokes and old_blurred.strokes and old_blurred.strokes_truth
    far, near = (abs(one.strokes - old_blurred.strokes_truth) for one in (new_blurred, old_blurred))
    assert far > 2 * near
    assert new_blurred.keyframes and new_blurred.keyframes < 40
    assert old_blurred.keyframes == math.inf and old_blurred.as_data()["keyframes"] is None


def test_a_pair_without_passes_is_plain_pictures(cache: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(quality, "SHORT", TINY)
    words = ["--short", "--only", f"{PAIR.name}:plain", "--cache", str(cache), "--device", "cpu"]
    methods = ["fast,seed=0", "fast,seed=2", "projection", "moved"]
    assert quality.main([*words, "--seconds", "1", "--methods", *methods]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "without passes" in lines[2]
    assert all("–" not in line.split("|")[3] for line in lines[2:5])
    assert lines[5] == ""
    shot = make_truth(dataclasses.replace(PAIR, passes=False), TINY, cache, lambda _: None).shot
    assert set(shot.manifest.passes) == {"alpha"}
    assert not list((shot.folder / "frames").glob("*.exr"))
    assert make_truth(PAIR, TINY, cache, lambda _: None).shot.manifest.passes["surface"]


def test_strokes_past_the_silhouette_are_scored_there_alone(cache: Path) -> None:
    truth = make_truth(Pair("head", "loose"), TINY, cache, lambda _: None)
    for frame in truth.shot.frames:
        right = read_picture(truth.folder / f"{frame:04d}.png").pixels
        alpha = read_frame(truth.shot, frame, ()).alpha
        assert (right[..., 3] > alpha + 0.5).sum() > 50
        write_picture(truth.shot.out_path("right", frame), right)
        cut = np.dstack([right[..., :3], alpha]).astype(np.float32)
        write_picture(truth.shot.out_path("cut", frame), cut)
    where = uncarried(truth.shot, truth.keys)
    right, cut = (more_scores(truth, name, where) for name in ("right", "cut"))
    assert right.past == math.inf and right.as_data()["past"] is None
    assert cut.past is not None and cut.past < 20
    assert cut.texture == right.texture == pytest.approx(1)


def test_settings_of_a_method_reach_training(cache: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(quality, "SHORT", TINY)
    words = ["--short", "--only", PAIR.name, "--cache", str(cache), "--seconds", "0.5"]
    wanted = ["fast/colour,steady=0,muon=false", "fast,glitter=1", "fast,steady=much"]
    wanted += ["fast,seed=1.5"]
    assert quality.main([*words, "--methods", *wanted]) == 0
    lines = capsys.readouterr().out.splitlines()
    shot = make_truth(PAIR, TINY, cache, lambda _: None).shot
    assert "steps" in lines[2]
    assert 'no setting "glitter"' in lines[3] and '"much" is no value' in lines[4]
    assert "the seed is a whole number" in lines[5]
    assert list(shot.folder.glob("styles/*")) == []


def test_a_method_that_cannot_be_run_says_why(cache: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(quality, "SHORT", TINY)
    words = ["--short", "--only", PAIR.name, "--cache", str(cache)]
    assert quality.main([*words, "--methods", "nosuch", "moved"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "nosuch" in lines[2] and "There is no network" in lines[2]
    assert "–" not in lines[3].split("|")[3]
    assert quality.main([*words, "--only", "head:oil"]) == 1
    assert "SHOT:STYLE" in capsys.readouterr().err
