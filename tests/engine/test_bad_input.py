# SPDX-License-Identifier: GPL-3.0-or-later
"""What users do wrong and what machines do to them: a sentence each, and nothing lost."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import shots
from shots import assert_all_frames_open, assert_one_sentence, run_warm, snapshot

from engine.images.pictures import read_picture, write_picture
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header


@pytest.fixture
def shot(tmp_path) -> Shot:
    return shots.make_shot(tmp_path / "shot")


def cut(path: Path) -> None:
    """Cut a file in half, as a full disk or a lost connection leaves it."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def spoil(path: Path) -> None:
    """Keep a file's size, but nothing of its contents."""
    path.write_bytes(b"\x37" * path.stat().st_size)


def train(shot: Shot, *words: object):
    return run_warm("train", shot.folder, "--steps", 2, *words)


def stylize(shot: Shot, *words: object):
    return run_warm("stylize", shot.folder, *words)


# Keyframes


def test_no_keyframe(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", keys=())
    assert_one_sentence(train(shot), str(shot.folder), "no keyframe", "add one")


def test_a_keyframe_that_is_not_painted(shot):
    shutil.copy(shot.image_path(1), shot.key_path(1))
    assert_one_sentence(train(shot), str(shot.key_path(1)), "not painted yet", "paint on it")


def test_a_keyframe_outside_the_range(shot):
    shots.write_png(shot.folder / "keys" / "0099.png", shots.painting(1))
    result = train(shot)
    assert result.returncode == 0
    told = "Warning: keys/0099.png is not used: the shot has no frame 99, only 1-4."
    assert told in result.stdout + result.stderr


def test_a_chosen_keyframe_that_is_not_there(shot):
    assert_one_sentence(train(shot, "--keys", "1,3"), "0003.png")


@pytest.mark.parametrize("shape", [(32, 48, 4), (64, 64, 4)])
def test_a_painting_of_the_wrong_size(shot, shape):
    shots.write_png(shot.key_path(1), np.full(shape, 0.5))
    before = snapshot(shot.folder / "keys")
    assert_one_sentence(train(shot), str(shot.key_path(1)), f"{shape[1]}×{shape[0]}", "96×64")
    assert snapshot(shot.folder / "keys") == before


def test_a_black_mask(shot):
    path = shots.write_png(shot.key_mask_path(1), np.zeros((64, 96, 1)))
    assert_one_sentence(train(shot), str(path), "paint")


def test_a_mask_of_the_wrong_size(shot):
    path = shots.write_png(shot.key_mask_path(1), np.ones((10, 10, 1)))
    assert_one_sentence(train(shot), str(path), "10×10")


# Damaged files


@pytest.mark.parametrize("damage", [cut, spoil])
@pytest.mark.parametrize("what", ["frame", "key", "mask"])
def test_damaged_png_in_training(shot, what, damage):
    shots.write_png(shot.key_mask_path(1), np.ones((64, 96, 1)))
    path = {"frame": shot.image_path, "key": shot.key_path, "mask": shot.key_mask_path}[what](1)
    damage(path)
    assert_one_sentence(train(shot), str(path))
    assert not shot.style_path("style").exists()


@pytest.mark.parametrize("damage", [cut, spoil])
def test_damaged_exr_painting(shot, damage):
    shot.key_path(1).unlink()
    path = shot.folder / "keys" / "0001.exr"
    write_picture(path, shots.painting(1))
    assert train(shot).returncode == 0
    damage(path)
    assert_one_sentence(train(shot, "--style", "other"), str(path))


@pytest.mark.parametrize("damage", [cut, spoil])
def test_damaged_passes(tmp_path, damage):
    shot = shots.make_shot(tmp_path / "shot", passes=True)
    write_normals(shot)
    damage(shot.passes_path(1))
    assert_one_sentence(train(shot), str(shot.passes_path(1)))


@pytest.mark.parametrize("damage", [cut, spoil])
def test_a_damaged_frame_in_stylizing_leaves_the_others(trained, damage):
    path = trained.image_path(3)
    damage(path)
    assert_one_sentence(stylize(trained), str(path))
    write_picture(path, shots.picture(3))
    result = stylize(trained)
    assert result.returncode == 0, result.stderr
    assert_all_frames_open(trained)


@pytest.mark.parametrize("damage", [cut, spoil])
@pytest.mark.parametrize("verb", ["train", "stylize", "info"])
def test_damaged_shot_json(trained, damage, verb):
    path = trained.folder / "shot.json"
    damage(path)
    before = snapshot(trained.folder)
    assert_one_sentence(run_warm(verb, trained.folder), str(path), "damaged", "paintings are kept")
    assert snapshot(trained.folder) == before


@pytest.mark.parametrize("damage", [cut, spoil])
def test_damaged_style_file(trained, damage):
    path = trained.style_path("style")
    damage(path)
    assert_one_sentence(stylize(trained), str(path), "train it again")
    assert_one_sentence(train(trained, "--style", "b", "--from", "style"), str(path))
    assert train(trained).returncode == 0
    assert stylize(trained).returncode == 0


def test_a_damaged_resume_state(trained):
    for path in trained.style_folder("style").rglob("*"):
        if path.is_file():
            cut(path)
    result = train(trained, "--resume")
    if result.returncode:
        assert_one_sentence(result, str(trained.style_folder("style")), "without resuming")
    assert read_style_header(trained.style_path("style")).steps


def test_a_stylized_frame_that_was_damaged_is_done_again(trained):
    assert stylize(trained).returncode == 0
    good = snapshot(trained.folder / "out")
    cut(trained.out_path("style", 2))
    result = stylize(trained)
    assert "1 frame painted, 3 up to date" in result.stdout
    assert snapshot(trained.folder / "out") == good


# Things that do not fit together


def test_no_shot_and_no_style(tmp_path, shot):
    missing = tmp_path / "nothing here"
    for verb in ("train", "stylize", "info"):
        assert_one_sentence(run_warm(verb, missing), str(missing), "import pictures")
    assert_one_sentence(stylize(shot), "style.safetensors", "train it first")


def test_a_style_with_guides_that_the_shot_lacks(tmp_path, shot):
    rich = shots.make_shot(tmp_path / "rich")
    for frame in rich.frames:
        shots.write_png(rich.guide_path("clay", frame), shots.picture(frame))
    rich.manifest.guides = ["clay"]
    rich.save()
    assert train(rich).returncode == 0
    shot.style_path("style").parent.mkdir()
    shutil.copy(rich.style_path("style"), shot.style_path("style"))
    assert_one_sentence(stylize(shot), str(shot.folder), "clay")
    assert_one_sentence(train(shot, "--guides", "colour,guide:clay"), str(shot.folder), "clay")


def test_names_that_do_not_exist(shot):
    assert_one_sentence(train(shot, "--network", "huge"), "huge", "fast")
    assert_one_sentence(train(shot, "--guides", "smell"), "smell")
    assert_one_sentence(train(shot, "--style", "../evil"), "../evil")
    assert_one_sentence(train(shot, "--from", "nobody"), "nobody")


def test_frames_that_the_shot_lacks(trained):
    assert_one_sentence(stylize(trained, "--frames", "3-6"), "1-4")


def test_a_missing_frame_in_the_middle(trained):
    path = trained.image_path(2)
    kept = path.read_bytes()
    path.unlink()
    assert_one_sentence(stylize(trained), str(path), "capture or import it again")
    path.write_bytes(kept)
    assert stylize(trained).returncode == 0
    assert_all_frames_open(trained)


def test_import_of_folders_that_do_not_fit(tmp_path):
    folder = shots.make_inputs(tmp_path / "in")
    target = tmp_path / "shot"

    def run_import(*words):
        return run_warm("import", target, "--input", folder / "input", *words)

    assert_one_sentence(
        run_warm("import", target, "--input", tmp_path / "no"), str(tmp_path / "no")
    )
    (tmp_path / "empty").mkdir()
    assert_one_sentence(run_warm("import", target, "--input", tmp_path / "empty"), "empty")
    assert not target.exists()
    assert_one_sentence(run_import("--painted", tmp_path / "empty"), "empty")
    twice = ("--guide", f"A={folder / 'input'}", "--guide", f"a={folder / 'mask'}")
    assert_one_sentence(run_import(*twice), "given twice")
    odd = shots.write_png(folder / "input" / "0003.png", np.zeros((30, 40, 3)))
    assert_one_sentence(run_import(), str(odd), "40×30")
    cut(odd)
    assert_one_sentence(run_import(), str(odd))
    odd.unlink()
    write_picture(odd.with_suffix(".exr"), np.full((64, 96, 3), np.nan, np.float32))
    assert_one_sentence(run_import(), "0003.exr", "NaN")
    assert not Shot.exists(target)


@pytest.mark.skipif(sys.platform != "linux", reason="names are always text there")
def test_names_in_another_encoding(tmp_path):
    folder = shots.make_inputs(tmp_path / "in") / "input"
    words = ["import", tmp_path / "shot", "--input"]
    latin = os.fsdecode(b"\xe9t\xe9_0001.png")
    (folder / "0001.png").rename(folder / latin)
    assert_one_sentence(shots.run_engine(*words, folder), "_0001.png", "UTF-8")
    renamed = folder.rename(folder.with_name(os.fsdecode(b"input\xe9")))
    assert_one_sentence(shots.run_engine(*words, renamed), "input", "UTF-8")


# Passes with values that are no numbers


def write_normals(shot: Shot, value: float = 0.0) -> None:
    """Add Normal to the shot's passes; ``value`` stands in a corner of it, and in the motion."""
    from engine.shared.files import digest_file

    for frame in shot.frames:
        shots.write_passes(shot.passes_path(frame), frame, value, normals=True)
        shot.manifest.frames[frame].passes = digest_file(shot.passes_path(frame))
    shot.manifest.passes["normal"] = "Normal"
    shot.save()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_passes_do_not_spread(tmp_path, value):
    shot = shots.make_shot(tmp_path / "shot", passes=True)
    write_normals(shot, value)
    for result in (train(shot), stylize(shot)):
        assert result.returncode == 0, result.stderr
    header = read_style_header(shot.style_path("style"))
    assert all(np.isfinite(row).all() for row in np.asarray(header.curve, float)[:, :3])
    assert "normal" in header.guides
    pixels = read_picture(shot.out_path("style", 2)).rgb
    assert pixels[shots.picture(2)[..., 3] > 0].std() > 0.01
