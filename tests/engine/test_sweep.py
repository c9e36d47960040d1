# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for the training settings of one shot."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import shots

from engine.guides import registry as guides
from engine.networks.device import choose_device
from engine.networks.style_file import load_style
from engine.projection.channels import VALID
from engine.shared.errors import PaintoverError
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.pictures.digests import digest_picture
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import ALPHA_LEARNT, read_style_header
from engine.sweep.held_out import LATTICE, held_blocks, split_keys
from engine.sweep.judge import Judge
from engine.sweep.material import read_material
from engine.sweep.space import PAPER, SHOT, axes, starting_points, suggest
from engine.sweep.study import SweepStudy, state_in_words

FEW = ("--trial-steps", 2, "--device", "cpu")


class Suggested:
    """Notes the axes that it is asked for, and suggests the largest values."""

    def __init__(self) -> None:
        self.axes: dict[str, tuple] = {}

    def suggest_int(self, name, low, high, *, log=False):
        self.axes[name] = (low, high)
        return high

    suggest_float = suggest_int

    def suggest_categorical(self, name, choices):
        self.axes[name] = tuple(choices)
        return choices[-1]


def material_of(shot: Shot):
    names = guides.available(shot)
    keys = shot.painted_keys()
    return read_material(shot, keys, names, 0, choose_device("cpu"), 0, Silent())


@pytest.mark.parametrize(
    ("keys", "left_out"),
    [
        ([7], []),
        ([1, 30], [30]),
        ([1, 10, 30], [10]),
        ([1, 2, 3, 4], [3]),
        ([*range(1, 9)], [3, 6]),
        ([-5, 0, 5], [0]),
    ],
)
def test_keyframes_are_left_out_evenly(keys, left_out):
    learnt, held = split_keys(keys)
    assert held == left_out
    assert sorted(learnt + held) == keys


def test_blocks_of_a_single_keyframe_are_held_out():
    mask = np.zeros((270, 480), bool)
    cv2.ellipse(view := mask.astype(np.uint8), (200, 140), (150, 100), 0, 0, 360, 1, -1)
    mask = view > 0
    share = (held_blocks(mask) & mask).sum() / mask.sum()
    assert 0.7 / LATTICE < share < 1.5 / LATTICE
    tiny = np.zeros((270, 480), bool)
    tiny[10:14, 10:14] = True
    with pytest.raises(PaintoverError, match="too small to judge"):
        held_blocks(tiny)


def test_the_search_is_that_of_the_article_and_that_of_the_shot():
    asked = Suggested()
    choice = suggest(PAPER, asked, ["colour", "gaussians"], has_motion=True)
    assert choice.network == "paper"
    assert asked.axes == {
        "patch": (12, 188), "batch": (5, 1000), "blocks": (1, 40), "rate": (0.0002, 0.0032),
    }  # fmt: skip
    names = ["colour", "normal", "edges", "projection"]
    for has_motion in (False, True):
        asked = Suggested()
        choice = suggest(SHOT, asked, names, has_motion=has_motion)
        assert choice.guides == ["colour", "projection"]
        assert ("steady" in asked.axes) is has_motion
        for point in starting_points(SHOT, names, has_motion=has_motion):
            assert set(point) == set(asked.axes)
            for axis, value in point.items():
                low, *_, high = asked.axes[axis]
                assert value in (low, high) or low <= value <= high, axis


@pytest.mark.parametrize("has_own_alpha", [False, True])
def test_held_out_paint_is_never_seen(tmp_path, has_own_alpha):
    shot = shots.make_shot(tmp_path / "shot", passes=True)
    if has_own_alpha:
        painting = shots.painting(1)
        painting[:, : shots.WIDTH // 3, 3] *= 0.5
        shots.write_png(shot.key_path(1), painting)
    material = material_of(shot)
    (blocks,) = material.held_out.blocks.values()
    assert (material.training_set.alpha == ALPHA_LEARNT) is has_own_alpha
    (example,) = material.training_set.examples
    assert example.weight[..., 0].any()
    assert not example.weight[blocks].any()
    assert example.projections[..., VALID].any()
    assert not example.projections[:, blocks][..., VALID].any()
    chosen = material.channels_of(["colour", "projection"])
    assert len(chosen) == guides.channels(["colour", "projection"])
    assert np.array_equal(
        material.examples(chosen)[0].guides, example.guides[..., : guides.channels(["colour"])]
    )


def big_shot(folder: Path) -> Shot:
    """A shot of 480×270: a textured disc moves over a plain ground; frames 1 and 4 are painted."""
    noise = np.random.default_rng(1).random((270, 960, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 2.5) * 2 - 0.5
    shot = Shot(folder, Manifest(480, 270, 1, 6))
    shot.manifest.source = {"kind": "pictures"}
    shot.manifest.passes = {"image": "pictures"}
    y, x = np.mgrid[:270, :480].astype(np.float32)
    for frame in range(1, 7):
        left = 4 * frame
        picture = np.clip(texture[:, 200 - left : 680 - left], 0, 1)
        inside = np.hypot(x - 200 - left, y - 135) < 100
        picture = np.where(inside[..., None], picture, 0.3)
        image = shots.write_png(shot.image_path(frame), picture)
        shot.manifest.frames[frame] = FrameRecord(digest_picture(image))
        if frame in (1, 4):
            shots.write_png(shot.key_path(frame), truth(picture))
    shot.save()
    return shot


def truth(picture: np.ndarray) -> np.ndarray:
    return np.round(picture[..., ::-1] * 4) / 4


class Painted:
    """Stands for a network: paints the truth from the guide ``colour``, perhaps blurred."""

    def __init__(self, blur: float) -> None:
        self._blur = blur

    def paint(self, x):
        picture = truth(np.clip((x[:3].transpose(1, 2, 0) + 1) / 2, 0, 1).astype(np.float32))
        if self._blur:
            picture = cv2.GaussianBlur(picture, (0, 0), self._blur)
        return np.ascontiguousarray(picture.transpose(2, 0, 1))


def test_the_judge_prefers_what_is_painted_over_blur(tmp_path):
    judge = Judge(material := material_of(big_shot(tmp_path / "shot")))
    assert material.held_out.keys == [4]
    assert judge.describe() == "1 keyframe left out: 4"
    colour = material.channels_of(["colour"])
    right, soft, softer = (judge.scores(Painted(blur), colour) for blur in (0, 1.5, 4))
    assert right.held_out < 2
    assert right.held_out < soft.held_out < softer.held_out
    assert right.strokes < soft.strokes < softer.strokes
    assert right.total < soft.total < softer.total
    assert right.flicker is not None


@pytest.fixture(scope="module")
def swept_folder(tmp_path_factory) -> Path:
    """A shot with a sweep of three trials; not to be changed."""
    folder = tmp_path_factory.mktemp("swept") / "shot 影"
    shots.make_shot(folder)
    result = shots.run_engine("sweep", folder, "--trials", 3, *FEW)
    assert result.returncode == 0, result.stderr
    assert "sweep.safetensors" in result.stdout
    return folder


@pytest.fixture
def swept(swept_folder, tmp_path) -> Path:
    return Path(shutil.copytree(swept_folder, tmp_path / "swept"))


def results(folder: Path, name: str = "sweep") -> dict:
    return json.loads((folder / "sweeps" / name / "results.json").read_text())


def test_a_sweep_ends_with_table_plots_and_a_style(swept_folder):
    found = results(swept_folder)
    trials = {one["number"]: one for one in found["trials"]}
    assert sorted(trials) == [0, 1, 2]
    assert {one["state"] for one in trials.values()} == {"done"}
    assert trials[0]["values"]["network"] == "fast"
    best = trials[found["best"]]
    assert best["score"] == min(one["score"] for one in trials.values())
    parts = best["held_out"] + 2 * best["strokes"] + best["flicker"]
    assert best["score"] == pytest.approx(parts)
    header = read_style_header(Path(found["style"]))
    assert header.network == best["values"]["network"]
    assert header.settings["batch"] == best["values"]["batch"]
    assert header.trained_on.keys() == {1}
    load_style(Path(found["style"]))
    folder = swept_folder / "sweeps" / "sweep"
    for name in ("history.png", "axes.png"):
        assert cv2.imread(str(folder / name)).shape[0] > 200
    assert "| trial | score |" in (folder / "results.md").read_text()
    shown = shots.run_warm("stylize", swept_folder, "--style", "sweep", "--frames", "2")
    assert shown.returncode == 0, shown.stderr


def test_a_sweep_goes_on(swept):
    before = results(swept)
    result = shots.run_warm("sweep", swept, "--trials", 1, "--no-train", "--json")
    assert result.returncode == 0, result.stderr
    after = json.loads(result.stdout)
    assert len(after["trials"]) == 4
    assert after["trials"][:3] == before["trials"]
    assert after["trial"] == "2 steps"


def test_what_is_stopped_or_killed_is_tried_again(swept):
    words = ("sweep", swept, "--trials", 5, "--no-train")
    values = []
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = shots.start_engine(*words)
        count = len((swept / "sweeps/sweep/journal.log").read_bytes().splitlines())
        shots.wait_until(
            lambda count=count: (
                len((swept / "sweeps/sweep/journal.log").read_bytes().splitlines()) > count + 14
            ),
            process,
        )
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
        if number == signal.SIGTERM:
            stopped = [t for t in results(swept)["trials"] if t["state"] == "interrupted"]
            values = [trial["values"] for trial in stopped]
    with (swept / "sweeps/sweep/journal.log").open("ab") as file:
        file.write(b'{"op_code": 5, "worker')  # torn, as of a machine that lost its power
    time.sleep(0.1)
    result = shots.run_warm("sweep", swept, "--trials", 2, "--no-train", "--json")
    assert result.returncode == 0, result.stderr
    trials = json.loads(result.stdout)["trials"]
    assert [one["state"] for one in trials].count("running") == 0
    done = [one["values"] for one in trials if one["state"] == "done"]
    assert all(value in done for value in values if value)


def test_a_trial_whose_process_was_killed_as_it_began_is_tried_again(tmp_path):
    point = {"patch": 36, "batch": 14}
    of_search = axes(SHOT, ["colour"])
    study = SweepStudy(tmp_path, 0, of_search)
    study.begin([point])
    assert study.optuna.ask().number == 0  # killed before it could claim the trial
    study.close()
    again = SweepStudy(tmp_path, 0, of_search)
    assert [state_in_words(one) for one in again.trials()] == ["interrupted", "waiting"]
    trial = again.ask()
    chosen = again.suggest(trial, lambda one: suggest(SHOT, one, ["colour"], has_motion=True))
    assert point.items() <= chosen.settings.items()
    other = SweepStudy(tmp_path, 0, of_search)
    assert [state_in_words(one) for one in other.trials()] == ["interrupted", "running"]
    again.close()
    other.close()


def test_a_process_that_goes_on_tries_the_trial_of_one_that_was_killed(tmp_path):
    point = {"patch": 36, "batch": 14}
    of_search = axes(SHOT, ["colour"])
    survivor, killed = (SweepStudy(tmp_path, 0, of_search) for _ in range(2))
    survivor.begin([point])
    assert killed.ask().number == 0
    held = survivor.ask()
    assert held.number == 1, "the claim of a process that lives counts"
    survivor.interrupt(held)
    killed.close()  # its claims are gone, as those of a killed process
    survivor.ask()
    trial = survivor.trials()[0]
    assert state_in_words(trial) == "interrupted"
    tried = [one.system_attrs.get("fixed_params") for one in survivor.trials()[2:]]
    assert {**point, **trial.params} in tried
    survivor.close()


def test_two_processes_share_a_sweep(swept):
    words = ("sweep", swept, "--trials", 1, "--no-train")
    both = [shots.start_engine(*words) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    trials = results(swept)["trials"]
    assert [one["number"] for one in trials] == list(range(5))
    assert all(one["state"].startswith(("done", "given up")) for one in trials)
    tried = [json.dumps(one["values"], sort_keys=True) for one in trials]
    assert len(set(tried)) == 5


def test_nothing_else_is_replaced(swept):
    """Another style, and a sweep of other paintings, stay as they are."""
    style = swept / "styles" / "sweep.safetensors"
    header = style.read_bytes()
    shots.write_png(swept / "keys" / "0001.png", 1 - shots.painting(1))
    result = shots.run_warm("sweep", swept, "--trials", 1, *FEW)
    assert result.returncode == 0, result.stderr
    assert "have changed since" in result.stderr
    assert style.read_bytes() == header
    assert read_style_header(swept / "styles" / "sweep-2.safetensors").trained_on.keys() == {1}
    named = shots.run_warm("sweep", swept, "--trials", 1, "--style", "sweep", *FEW)
    shots.assert_one_sentence(named, "cannot go on", "--style")
    shutil.copyfile(style, swept / "styles" / "mine.safetensors")
    named = shots.run_warm("sweep", swept, "--trials", 1, "--style", "mine", *FEW)
    shots.assert_one_sentence(named, "there is a style of this name", "--style")
    assert not (swept / "sweeps" / "mine").exists()


@pytest.mark.parametrize("name", ["journal.log", "sweep.json"])
def test_damaged_files_are_named(swept, name):
    path = swept / "sweeps" / "sweep" / name
    path.write_bytes(b"{}\n" + path.read_bytes()[:200] + b"\n\n{\n")
    result = shots.run_warm("sweep", swept, "--trials", 1, *FEW)
    shots.assert_one_sentence(result, name, "rename")


def test_too_little_paint_is_told(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    mask = np.zeros((shots.HEIGHT, shots.WIDTH))
    mask[30:33, 30:33] = 1
    shots.write_png(shot.key_mask_path(1), mask)
    result = shots.run_warm("sweep", shot.folder, "--trials", 1, *FEW)
    shots.assert_one_sentence(result, "too small to judge", "second keyframe")
    bare = shots.make_shot(tmp_path / "bare", keys=())
    result = shots.run_warm("sweep", bare.folder, "--trials", 1, *FEW)
    shots.assert_one_sentence(result, "has no keyframe yet")


def test_without_its_packages_the_engine_runs_and_says_how_to_get_them(swept):
    program = (
        "import sys; sys.modules['optuna'] = sys.modules['matplotlib'] = None;"
        "from engine.app.cli import main; sys.exit(main(sys.argv[1:]))"
    )

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, words)],
            capture_output=True, encoding="utf-8", cwd=shots.ROOT, timeout=120, check=False,
        )  # fmt: skip

    assert run("info", swept).returncode == 0
    shots.assert_one_sentence(run("sweep", swept), "optuna and matplotlib", "pip install optuna")
